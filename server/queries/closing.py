"""Who is still inside when the place is to be closed, and who has gone? Is it closed since, and by whom?"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, select

from policy.bundle import Role
from policy.closing import left
from policy.instants import of
from policy.spans import end_of, pairs
from policy.state import SiteState, holders, is_staffed, on_shift
from policy.terms import MINUTE, Instant
from server.database.types import moment
from server.models import JournalRow
from server.queries import history
from server.queries.current import Current
from server.queries.history import CORRECTED
from server.queries.names import alphabetical
from wire.row import Kind

SECOND_TAP: Instant = MINUTE
"""So long the second tap of a gardien who leaves others inside is waited for, and its row."""


@dataclass(frozen=True, slots=True)
class Person:
    """at: since when they are inside; of one who has gone, when they left, as it was written down."""

    member: str
    name: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Closed:
    """The place was closed at an instant. by: the gardien, None where an account of no member pressed the page."""

    at: Instant
    by: str | None


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """A closing at the door checked a member out. by: the gardien, None where nobody knows."""

    member: str
    at: Instant
    by: str | None


@dataclass(frozen=True, slots=True)
class Evening:
    """waits: who must go or be written down as gone. stays: who may be there all the same. settled: written down today.

    until: the last instant at which the gardien who asks can hold the place; None where they hold it by no shift.
    """

    waits: tuple[Person, ...]
    stays: tuple[Person, ...]
    settled: tuple[Person, ...]
    until: Instant | None


def evening(session: Session, current: Current, at: Instant, gardien: str | None) -> Evening:
    """As the door's second tap would have it (policy/closing.py:left). gardien: who asks, who goes last."""
    rules = current.rules
    day_start = rules.day_start(at)
    presence = history.moves_since(session, day_start)
    adhoc = history.adhoc_shifts(session, day_start)
    waits = set(left(rules, SiteState(presence, adhoc=adhoc), at, without=gardien))
    inside = [_person(current, who, presence.moves[who].at) for who in presence.inside(day_start) - {gardien}]
    covers = [end_of(rules.shifts.get(gardien or "", ()), at)]
    covers += [end + rules.shift_grace for _, end in adhoc.get(gardien or "", ()) if end + rules.shift_grace > at]
    return Evening(
        waits=_sorted(one for one in inside if one.member in waits),
        stays=_sorted(one for one in inside if one.member not in waits),
        settled=_sorted(_settled(session, current, day_start, presence.inside(day_start))),
        until=max((end for end in covers if end is not None), default=None),
    )


def closings(session: Session, start: Instant, end: Instant) -> list[Closed]:
    """At the door and from the page, from start until end, newest first."""
    row = JournalRow
    asked = (
        select(row.at, row.member)
        .where(col(row.kind) == Kind.CLOSED, col(row.at) >= moment(start), col(row.at) < moment(end))
        .order_by(col(row.at).desc(), col(row.id).desc())
    )
    return [Closed(of(at), by) for at, by in session.exec(asked)]


def closed_since(session: Session, current: Current, day_start: Instant, at: Instant) -> Closed | None:
    """The last closing of the site day, while it stands: nobody opens the place again, and no shift or staff hours
    have begun after it."""
    row, found = JournalRow, closings(session, day_start, at + 1)
    if not found:
        return None
    last = found[0]
    openings = [current.rules.staffed, *current.shifts.values()]
    if any(last.at < start <= at for times in openings for start, _ in pairs(times)):
        return None
    later = (col(row.moved_at) > moment(last.at), col(row.moved_at) <= moment(at))
    came = select(row.member).where(col(row.inside).is_(True), *later)
    gardiens = {member.id for member in current.bundle.members if Role.GARDIEN in member.roles}
    return None if gardiens & set(session.exec(came)) else last


def left_inside(session: Session, current: Current, at: Instant) -> tuple[Instant | None, int]:
    """Since when the last gardien is gone without closing, and how many they left who may not stay alone.

    None and 0 while the place is staffed or held, and within the time of a second tap.
    """
    rules, day_start = current.rules, current.rules.day_start(at)
    presence = history.moves_since(session, day_start)
    state = SiteState(presence, adhoc=history.adhoc_shifts(session, day_start))
    if is_staffed(rules, at) or holders(rules, state, at):
        return None, 0
    gone = [
        move.at
        for who, move in presence.moves.items()
        if not move.inside and who in rules.members and rules.members[who].gardien
        if on_shift(rules, state, who, move.at) and not is_staffed(rules, move.at)
    ]
    since = max(gone, default=None)
    if since is None or at - since <= SECOND_TAP or closed_since(session, current, day_start, at):
        return None, 0
    return since, len(left(rules, state, at))


def checked_out(session: Session, start: Instant, end: Instant, member: str | None = None) -> list[CheckedOut]:
    """Whom a closing checked out from start until end, newest first. member: of this one alone."""
    row, closing = JournalRow, aliased(JournalRow)
    same = (
        col(closing.edge) == col(row.edge),
        col(closing.journal) == col(row.journal),
        col(closing.at) == col(row.at),
    )
    asked = (
        select(row.member, row.at, closing.member)
        .join(closing, and_(col(closing.kind) == Kind.CLOSED, *same), isouter=True)
        .where(col(row.kind) == Kind.CHECKED_OUT, col(row.at) >= moment(start), col(row.at) < moment(end))
        .where(col(row.member) == member if member is not None else col(row.member).is_not(None))
        .order_by(col(row.at).desc(), col(row.member))
    )
    return [CheckedOut(who, of(at), by) for who, at, by in session.exec(asked) if who is not None]


def _settled(session: Session, current: Current, day_start: Instant, inside: set[str]) -> list[Person]:
    row = JournalRow
    asked = (
        select(row.member, row.at)
        .where(col(row.kind) == CORRECTED, col(row.inside).is_(False), col(row.at) >= moment(day_start))
        .order_by(col(row.at))
    )
    last = {who: of(at) for who, at in session.exec(asked) if who is not None and who not in inside}
    return [_person(current, who, at) for who, at in last.items()]


def _person(current: Current, who: str, at: Instant) -> Person:
    known = current.people.people.get(who)
    return Person(who, who if known is None else known.member.name, at)


def _sorted(people: Iterable[Person]) -> tuple[Person, ...]:
    return tuple(sorted(people, key=lambda one: (alphabetical(one.name), one.member)))
