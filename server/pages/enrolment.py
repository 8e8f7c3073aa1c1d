"""Whose is the badge that lies on the reader? /members/<id>/enrolment: asked of one reader, shown live, confirmed."""

from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session
from werkzeug.exceptions import NotFound

from policy.bundle import Member
from policy.terms import Instant
from server.changes import people as changes
from server.changes.people import Done
from server.errors import OrderRefusedError, Refused
from server.pages.member_changes import back, say_why
from server.publish.enrolments import RUNNING, Enrolment, Phase
from server.queries import enrolment as queries
from server.queries.current import Current
from server.queries.member import member_of
from server.text import enrolment as text
from server.text import people
from server.text.named import reader_at
from server.text.refusals import refusal
from server.web.deciding import decide
from server.web.sessions import context, signed_in

page = Blueprint("enrolment", __name__)

SHORT = 8
"""Hex digits of a 4-byte number, which is easily copied."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page says. note: of what was laid that it was not. end: of the number. short: one of 4 bytes.

    taken: whose badge it is already.
    """

    phase: Phase | None
    reader: str = ""
    reader_id: str = ""
    seconds: int = 0
    note: str = ""
    nonce: str = ""
    end: str = ""
    short: bool = False
    taken: str = ""
    refused: str = ""


@page.get("/members/<path:member>/enrolment", endpoint="page")
def show(member: str) -> ResponseReturnValue:
    """Raises NotFound for whoever never was a member."""
    return _page(member, 200)


@page.post("/members/<path:member>/enrolment")
def begin(member: str) -> ResponseReturnValue:
    """Raises NotFound as `show` does."""
    known, reader = context(), request.form.get("reader", "")
    with known.database.reading() as session:
        if _member(session, member)[1]:
            return _page(member, 409, refusal(Refused.MEMBER_UNKNOWN))
        meant = _meant(session)
    if meant is not None:
        reader = meant.reader
    elif "badge" in request.form:
        return _page(member, 409, text.no_longer_unknown())
    try:
        begun = known.enrolments.begin(
            member, reader, signed_in().login, meant.credential if meant is not None else None
        )
    except OrderRefusedError:
        return _page(member, 409, text.unreachable(reader_at(known.current().called, reader)))
    if (begun.by, begun.member) != (signed_in().login, member):
        return _page(member, 409, text.busy(begun, known.current().called))
    return redirect(url_for("enrolment.page", member=member, badge=meant.row if meant is not None else None), 303)


@page.post("/members/<path:member>/enrolment/confirm")
def confirm(member: str) -> ResponseReturnValue:
    """It is theirs. Raises NotFound as `show` does."""
    known, it = context(), _of(member)
    if (badge := known.enrolments.stored(request.form.get("nonce", ""), member)) is not None:
        return back(Done(member, badge), "badge")
    if it is None or it.nonce != request.form.get("nonce") or it.phase(known.clock()) is not Phase.FOUND:
        return _page(member, 409, text.too_late())
    uid = it.uid or ""
    outcome = decide(lambda session, decided: changes.add_badge(session, decided, member, uid))
    known.enrolments.end(it.nonce, outcome.badge if isinstance(outcome, Done) else 0)
    return back(outcome, "badge") if isinstance(outcome, Done) else say_why(member, "badge", outcome)


@page.post("/members/<path:member>/enrolment/stop")
def stop(member: str) -> ResponseReturnValue:
    """Wait no more: the reader is a door's again at once. Raises NotFound as `show` does."""
    known, it = context(), _of(member)
    if it is not None:
        known.enrolments.stop(request.form.get("nonce", ""), signed_in().login)
    return redirect(url_for("enrolment.page", member=member), 303)


def _of(member: str) -> Enrolment | None:
    """The enrolment for this member."""
    it = context().enrolments.latest()
    return it if it is not None and it.member == member else None


def _meant(session: Session) -> queries.Unknown | None:
    """The unknown badge that whoever asks means."""
    known = context()
    return queries.unknown_of(session, known.current(), known.clock(), request.values.get("badge", ""))


def _member(session: Session, which: str) -> tuple[Member, bool]:
    """The member, and whether they are none any more. Raises NotFound."""
    found = member_of(session, which)
    if found is None:
        raise NotFound
    return found[0], found[1] is not None


def _page(which: str, status: int, wrong: str = "") -> ResponseReturnValue:
    known = context()
    current, at = known.current(), known.clock()
    with known.database.reading() as session:
        member, _ = _member(session, which)
        readers, meant = queries.readers(session), _meant(session)
        shown = _shown(session, current, _of(which), at)
    page = render_template(
        "enrolment.html",
        member=member,
        wrong=wrong,
        it=shown,
        runs=shown.phase in RUNNING,
        waits=shown.phase in (Phase.ASKED, Phase.WAITING),
        meant=meant,
        meant_words=text.laid(meant.at, at, reader_at(current.called, meant.reader)) if meant is not None else "",
        readers=[(reader, reader_at(current.called, reader)) for reader in readers],
    )
    return page, status


def _shown(session: Session, current: Current, it: Enrolment | None, at: Instant) -> Shown:
    if it is None:
        return Shown(None)
    taken = queries.holder(session, it.uid) if it.uid is not None else None
    return Shown(
        phase=it.phase(at),
        reader=reader_at(current.called, it.reader),
        reader_id=it.reader,
        seconds=it.seconds_left(at),
        note=text.note(it.laid, current.called.member(it.holder)) if it.laid is not None else "",
        nonce=it.nonce,
        end=people.badge(it.uid) if it.uid is not None else "",
        short=it.uid is not None and len(it.uid) == SHORT,
        taken=(current.called.member(taken) or taken) if taken is not None else "",
        refused=it.refused or "",
    )
