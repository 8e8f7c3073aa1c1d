"""How do programs book a machine? /api/v1/bookings: read, book, cancel, with a token of the scope write:bookings.

What changes is for tokens alone, never for a browser's session: so no page of somebody else's can have it done.
"""

from typing import Any

import msgspec
from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue
from msgspec import UNSET
from werkzeug.exceptions import BadRequest, NotFound

from policy.booking_terms import Against, Rule
from policy.instants import instant, text
from policy.terms import Instant
from server.audit import Decided, looked
from server.changes.bookings import Booked, Taken, Wanted, book, cancel
from server.pages import api_answers as answers
from server.pages.api import answer, days_asked, instant_asked
from server.pages.api_operations import MACHINE, nothing_else
from server.pages.booking_changes import stored
from server.queries.accounts import by_login
from server.queries.bookings import Free, Slot, lapsed, slots
from server.web.sessions import asked_by, context

page = Blueprint("api_bookings", __name__, url_prefix="/api/v1")
page.before_request(nothing_else)

EARLIEST, LATEST = instant("1900-01-01T00:00:00Z"), instant("2999-01-01T00:00:00Z")
OTHER, OWN = "Somebody else has booked it then.", "This member has booked it then."
IN_USE = "Somebody else's session runs on it then."
REASONS = {
    Rule.MACHINE: "machine or kind: the site has no such machine; GET /bookings and the site's pages name them.",
    Rule.MEMBER: "member: no such member, or one who is suspended or whose membership is over; left out, "
    "whoever made the token.",
    Rule.GONE: "This booking is over or cancelled.",
    Rule.ORDER: "end: is not after start.",
    Rule.PAST: "start: is past.",
    Rule.STEP: "start and end lie on steps of {limit} minutes, in the site's time.",
    Rule.SHORTEST: "A booking has {limit} minutes at least.",
    Rule.LONGEST: "A booking has {limit} minutes at most.",
    Rule.NOTICE: "A booking is made {limit} minutes before its start at the latest.",
    Rule.AHEAD: "A booking is made {limit} days ahead at most.",
    Rule.HOURS: "It is outside the machine's hours.",
    Rule.CLOSED: "The site is closed on that day.",
    Rule.OPEN: "This member has {limit} bookings, which is as many as one may have at once.",
    Rule.WEEK: "This member would have more than {limit} hours of that week.",
}


@page.get("/bookings")
def listed() -> ResponseReturnValue:
    start, end = days_asked()
    machine = request.args.get("machine")
    if machine is not None and len(machine) > MACHINE.schema["maxLength"]:
        raise BadRequest("machine: give the id of a machine.")
    machines = None if machine is None else [machine]
    with context().database.reading() as session:
        found = slots(session, start, end, machines=machines) if start < end else []
        gone = {one.id for one in found if lapsed(session, one, context().clock())}
    with context().database.transaction() as session:
        who = sorted({one.member for one in found})
        looked(session, Decided(asked_by(), context().clock()), "api bookings", who)
    return answer(answers.Bookings([_said(one, one.id in gone) for one in found]))


@page.post("/bookings")
def make() -> ResponseReturnValue:
    wish = _wish()
    wanted = Wanted(_machines(wish), _member(wish), _instant("start", wish.start), _instant("end", wish.end))
    outcome = stored(lambda session, decided: book(session, decided, wanted))
    if isinstance(outcome, Against):
        return answer(answers.Taken(False, None, REASONS[outcome.rule].format(limit=outcome.limit)), 409)
    if isinstance(outcome, Taken):
        why = IN_USE if outcome.in_use else OTHER if outcome.held_by_other else OWN
        return answer(answers.Taken(outcome.held_by_other, _gap(outcome.next_free), why), 409)
    assert isinstance(outcome, Booked)  # noqa: S101 - what is neither refused nor taken
    return answer(_said(outcome.slot), 201)


@page.delete("/bookings/<path:which>")
def end(which: str) -> ResponseReturnValue:
    outcome = stored(lambda session, decided: cancel(session, decided, which))
    if isinstance(outcome, Against):
        raise NotFound(REASONS[outcome.rule])
    return Response(status=204)


def _wish() -> answers.Wish:
    try:
        wish = msgspec.json.decode(request.get_data(), type=answers.Wish)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequest(f'The body is {{"machine" or "kind", "start", "end"}} in JSON: {error}.') from None
    if wish.member is not UNSET and "\0" in wish.member:
        raise BadRequest("member: has a NUL, which no id has.")
    if (wish.machine is UNSET) == (wish.kind is UNSET):
        raise BadRequest("machine, kind: give one of the two.")
    return wish


def _machines(wish: answers.Wish) -> tuple[str, ...]:
    if wish.machine is not UNSET:
        return (wish.machine,)
    return tuple(one.id for one in context().current().bundle.machines if one.kind == wish.kind)


def _member(wish: answers.Wish) -> str:
    if wish.member is not UNSET:
        return wish.member
    with context().database.reading() as session:
        account = by_login(session, g.token_by)
    return account.member or "" if account is not None else ""


def _instant(name: str, written: str) -> Instant:
    """Of a year in which nothing can be booked, one that is as far away."""
    return max(EARLIEST, min(instant_asked(name, written), LATEST))


def _said(slot: Slot, gone: bool = False) -> answers.Booking:
    return answers.Booking(slot.id, slot.machine, slot.member, text(slot.start), text(slot.end), gone)


def _gap(free: Free | None) -> Any:
    return None if free is None else answers.Gap(free.machine, text(free.start), text(free.end))
