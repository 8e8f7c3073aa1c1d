"""Who has a machine when, and when is it free? Asked of the tables, so that a transaction can go by it.

What a member would be told at the machine then: server/queries/start.py.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import Table
from sqlmodel import Session, col, or_, select

from policy.booking_terms import cannot_be, hours_between, is_closed, on_step, terms_of
from policy.bookings import RELEASE_AFTER, left_early, released
from policy.bundle import BookingTerms, Machine, Site
from policy.calendar import Calendar
from policy.facts import Busy, Ran, apply
from policy.instants import of
from policy.ruleset import Booking as Reserved
from policy.sessions import Session as Use
from policy.state import SiteState
from policy.terms import MINUTE, Instant
from server.database.types import Millis, moment
from server.models import Booking, BookingWait, MachineBusy, MachineSession
from server.queries.site_state import uses_of


class Slot(NamedTuple):
    """A booking that holds: from start to end the machine is the member's."""

    start: Instant
    end: Instant
    machine: str
    member: str
    id: str


class Free(NamedTuple):
    """When and where a wish fits next."""

    machine: str
    start: Instant
    end: Instant


RUNS = "session-"
"""So begins the id of a Slot that is no booking, but a session that runs."""
_table: Table = Booking.__table__  # type: ignore[attr-defined]
_ALL = sqlalchemy.select(
    Millis(_table.c.start_at), Millis(_table.c.end_at), _table.c.machine, _table.c.member, _table.c.id
)
_HELD = _ALL.where(_table.c.ended.is_(None))


def slots(
    session: Session,
    start: Instant,
    end: Instant | None = None,
    *,
    machines: Collection[str] | None = None,
    member: str | None = None,
) -> list[Slot]:
    """The bookings that hold and touch [start, end), the first ones first; end: None for without end."""
    asked = _HELD.where(_table.c.end_at > moment(start))
    if end is not None:
        asked = asked.where(_table.c.start_at < moment(end))
    return _slots(session, asked, machines, member)


def beginning(session: Session, start: Instant, end: Instant) -> list[Slot]:
    """The bookings that hold and begin in [start, end), the first ones first: found by their start, of both bounds."""
    return _slots(session, _HELD.where(_table.c.start_at >= moment(start), _table.c.start_at < moment(end)), None, None)


def cancelled(
    session: Session, since: Instant, *, machines: Collection[str] | None = None, member: str | None = None
) -> list[Slot]:
    """The bookings that ended since then before their own end: they hold no more."""
    asked = _ALL.where(_table.c.ended >= moment(since), _table.c.end_at > _table.c.ended)
    return _slots(session, asked, machines, member)


def _slots(
    session: Session, asked: sqlalchemy.Select[Any], machines: Collection[str] | None, member: str | None
) -> list[Slot]:
    if machines is not None:
        asked = asked.where(_table.c.machine.in_(machines))
    if member is not None:
        asked = asked.where(_table.c.member == member)
    return sorted(Slot(*row) for row in session.connection().execute(asked))


def slot(session: Session, which: str) -> Slot | None:
    """The booking with this id, while it holds."""
    row = session.connection().execute(_HELD.where(_table.c.id == which)).first()
    return None if row is None else Slot(*row)


def offers(
    session: Session,
    at: Instant,
    start: Instant,
    end: Instant | None = None,
    *,
    machines: Collection[str] | None = None,
    but: str | None = None,
) -> list[Slot]:
    """What is kept at the instant `at` for one who waits, as if they had booked it. but: not for this member."""
    row = BookingWait
    asked = select(row).where(
        col(row.ended).is_(None), col(row.offered) > moment(at - RELEASE_AFTER), col(row.end_at) > moment(start)
    )
    if end is not None:
        asked = asked.where(col(row.start_at) < moment(end))
    if machines is not None:
        asked = asked.where(col(row.machine).in_(machines))
    found = session.exec(asked).all()
    return sorted(
        Slot(of(one.start_at), of(one.end_at), one.machine, one.member, f"offer-{one.id}")
        for one in found
        if one.member != but
    )


def in_the_way(slot: Slot, member: str, start: Instant, end: Instant, buffer: Instant) -> bool:
    """Whether the booking keeps the member from [start, end). buffer: between two of different people."""
    apart = 0 if slot.member == member else buffer
    return start < slot.end + apart and slot.start < end + apart


def lapsed(session: Session, slot: Slot, at: Instant) -> bool:
    """Whether its holder will not come any more: it is released, or their session in it has ended."""
    if not slot.start <= at < slot.end:
        return False
    state, booking = SiteState(not_after=at), Reserved(slot.member, slot.start, slot.end)
    for use in uses_of(session, slot.machine, slot.member, slot.start):
        apply(state, Ran(use))
    since, until = moment(slot.start), moment(slot.start + RELEASE_AFTER)
    busy = select(MachineBusy.at).where(
        col(MachineBusy.machine) == slot.machine,
        col(MachineBusy.member) == slot.member,
        col(MachineBusy.at) >= since,
        col(MachineBusy.at) < until,
    )
    for when in session.exec(busy):
        apply(state, Busy(slot.machine, slot.member, of(when)))
    return is_bookable(state, slot.machine, booking, at)


def is_bookable(state: SiteState, machine: str, booking: Reserved, at: Instant) -> bool:
    """Whether others may book what is left of a booking: the one answer of board, machine's page, calendar and API."""
    return released(state, machine, booking, at) or left_early(state, machine, booking, at)


def in_use(session: Session, at: Instant, *, machines: Collection[str], but: str) -> list[Slot]:
    """The sessions that run, as if they were booked until they should end; one that overruns, or has no end, until a
    moment from now. but: not this member's."""
    row = MachineSession
    over = or_(col(row.ended).is_(None), col(row.ended) > moment(at))
    asked = select(row).where(over, col(row.member) != but)  # of which there are few, whatever they ran before
    found = [
        Use(one.machine, one.kind, one.member, of(one.started), _of(one.until), one.cuts, _of(one.ended))
        for one in session.exec(asked)
        if one.machine in machines
    ]
    return sorted(
        Slot(use.start, max(use.until or 0, at + MINUTE), use.machine, use.member, f"{RUNS}{use.start}")
        for use in found
        if use.runs(at)
    )


def _of(at: datetime | None) -> Instant | None:
    return None if at is None else of(at)


def holding(
    session: Session, at: Instant, member: str, start: Instant, end: Instant | None = None, *, machines: Collection[str]
) -> list[Slot]:
    """What may keep the member from [start, end): bookings, but for those of others that nobody comes for any more,
    what is kept for others who wait, and the sessions of others that run."""
    held = slots(session, start, end, machines=machines)
    kept = offers(session, at, start, end, machines=machines, but=member)
    uses = in_use(session, at, machines=machines, but=member)
    kept += [one for one in uses if one.end > start and (end is None or one.start < end)]
    return [one for one in held if one.member == member or not lapsed(session, one, at)] + kept


def next_free(
    session: Session,
    site: Site,
    calendar: Calendar,
    machines: Sequence[Machine],
    member: str,
    start: Instant,
    end: Instant,
    at: Instant,
) -> Free | None:
    """The first time from the wish's start on at which as long a booking fits on one of the machines, as far ahead as
    the site books; of several machines that are free then the first in the bundle's order."""
    if not machines:
        return None
    buffer = max(terms_of(site, one).buffer for one in machines) * MINUTE
    known = holding(session, at, member, start - buffer, machines=[one.id for one in machines])
    found = [_first(site, calendar, one, member, (start, end), at, known) for one in machines]
    return min((free for free in found if free is not None), key=lambda free: free.start, default=None)


def _first(
    site: Site,
    calendar: Calendar,
    machine: Machine,
    member: str,
    wish: tuple[Instant, Instant],
    at: Instant,
    known: Sequence[Slot],
) -> Free | None:
    terms, length = terms_of(site, machine), wish[1] - wish[0]
    earliest = max(wish[0], at + terms.notice * MINUTE)
    last = calendar.midnight(calendar.date_at(at) + timedelta(days=terms.ahead_days + 1))
    theirs = [slot for slot in known if slot.machine == machine.id]
    for start in sorted(set(_candidates(site, calendar, machine, earliest, last, theirs, terms))):
        if earliest <= start < last and _fits(site, calendar, machine, member, (start, start + length), theirs, terms):
            return Free(machine.id, start, start + length)
    return None


def _candidates(
    site: Site,
    calendar: Calendar,
    machine: Machine,
    start: Instant,
    last: Instant,
    theirs: Sequence[Slot],
    terms: BookingTerms,
) -> Iterator[Instant]:
    """Where a gap may begin: now, after a booking, when the machine's hours begin, after a closure."""
    yield on_step(calendar, start, terms.step)
    for slot in theirs:
        yield on_step(calendar, slot.end, terms.step)
        yield on_step(calendar, slot.end + terms.buffer * MINUTE, terms.step)
    hours = hours_between(calendar, machine, start, last)
    for begin in (hours or ())[bisect_left(hours or (), start) & ~1 :: 2]:
        yield on_step(calendar, begin, terms.step)
    for closure in site.closures:
        day = min(closure.last, calendar.date_at(last)) + timedelta(days=1)
        if not is_closed(site, day):
            yield calendar.midnight(day)


def _fits(
    site: Site,
    calendar: Calendar,
    machine: Machine,
    member: str,
    wish: tuple[Instant, Instant],
    theirs: Sequence[Slot],
    terms: BookingTerms,
) -> bool:
    start, end = wish
    if on_step(calendar, end, terms.step) != end:
        return False
    if any(in_the_way(slot, member, start, end, terms.buffer * MINUTE) for slot in theirs):
        return False
    return cannot_be(site, calendar, machine, start, end) is None
