"""Why was I refused, and what helps? /why/<id of a passage>: a member's own refusals, and any for the team."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.audit import Decided, looked
from server.queries.history import Passage, passage
from server.roles import STAFF
from server.text.named import place_of, who
from server.text.reasons import words
from server.text.rule_lines import lamp, lines
from server.web.sessions import context, roles, signed_in

page = Blueprint("why", __name__)


@page.get("/why/<int:which>", endpoint="page")
def show(which: int) -> ResponseReturnValue:
    """Somebody else's is noted as looked at. What is gone, was granted or is not theirs is all the same to a member."""
    known, me = context(), signed_in()
    current, at = known.current(), known.clock()
    with known.database.reading() as session:
        found = passage(session, which, at)
    own = found is not None and found.member is not None and found.member == me.member
    if found is None or found.granted or not (own or roles() & STAFF):
        return render_template("why.html", found=None), 404
    if not own and found.member is not None:
        _note_look(me.login, found, at)
    return render_template(
        "why.html",
        found=found,
        own=own,
        at=at,
        name=who(current.called, found),
        place=place_of(current.called, found.reader),
        said=words(found, current, at, to_member=own),
        lines=lines(found.reason, at_machine=not found.direction),
        lamp=lamp(found.reason),
    )


def _note_look(login: str, found: Passage, at: int) -> None:
    with context().database.transaction() as session:
        looked(session, Decided(login, at), "why", [found.member or ""])
