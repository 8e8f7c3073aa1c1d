"""Why was I refused, and what helps? /why/<id of a passage>: a member's own refusals, and any for the team."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from policy.reasons import Reason
from server.audit import Decided, looked
from server.queries.history import Passage, passage
from server.queries.training_sessions import coming
from server.roles import STAFF
from server.text.my_trainings import offered
from server.text.named import place_of, who
from server.text.reasons import words
from server.text.rule_lines import lamp, lines
from server.web.sessions import context, roles, signed_in

page = Blueprint("why", __name__)

TRAINING = frozenset({Reason.NOT_CERTIFIED, Reason.CERTIFICATION_EXPIRED})
"""What a training helps against."""


@page.get("/why/<int:which>", endpoint="page")
def show(which: int) -> ResponseReturnValue:
    """Somebody else's is noted as looked at. What is gone, was granted or is not theirs is all the same to a member."""
    known, me = context(), signed_in()
    current, at = known.current(), known.clock()
    with known.database.reading() as session:
        found = passage(session, which, at)
        sessions = coming(session, at)
    own = found is not None and found.member is not None and found.member == me.member
    if found is None or found.granted or not (own or roles() & STAFF):
        return render_template("why.html", found=None), 404
    if not own and found.member is not None:
        _note_look(me.login, found, at)
    kind = _kind(found) if own and found.reason in TRAINING else None
    next_one = offered(sessions, kind, current.called, me.member or "") if kind is not None else None
    return render_template(
        "why.html",
        found=found,
        own=own,
        at=at,
        name=who(current.called, found),
        place=place_of(current.called, found.reader),
        said=words(found, current, at, to_member=own),
        wants_training=kind is not None,
        offer=next_one,
        lines=lines(found.reason, at_machine=not found.direction),
        lamp=lamp(found.reason),
    )


def _kind(found: Passage) -> str | None:
    """The kind of the machine that refused."""
    current = context().current()
    place = current.called.readers.get(found.reader)
    machine = current.rules.machines.get(place.place) if place is not None else None
    return None if machine is None else machine.kind


def _note_look(login: str, found: Passage, at: int) -> None:
    with context().database.transaction() as session:
        looked(session, Decided(login, at), "why", [found.member or ""])
