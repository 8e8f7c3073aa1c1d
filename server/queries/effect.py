"""What would a change do? The passages of the last four weeks, decided once as it is and once with the change.

What is to come is tried on the same weekdays of those weeks: a closure of a Thursday on each of the last four. Both
readings have the same people do what they did (server/queries/what_if.py), so what differs is the change's doing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from sqlalchemy import Boolean, bindparam, text
from sqlmodel import Session, col, select

from policy.bundle import Bundle, Closure, Event, Opening
from policy.calendar import WEEKDAYS, Calendar, moment
from policy.terms import SECOND, Direction, Instant
from server.database.types import UtcDateTime
from server.database.types import moment as stored
from server.models import PaidUnit, Pass
from server.queries.what_if import QUERY, PastSite, Recorded, recorded_as

WEEKS = (4, 2, 1)
"""So many weeks are looked at, fewer where more passages than MOST were in them."""
MOST = 10_000
"""Passages that two readings decide within three seconds."""
TAPS = (
    text(QUERY)
    .columns(at=UtcDateTime, granted=Boolean, pending=Boolean, opened=Boolean)
    .bindparams(bindparam("since", type_=UtcDateTime), bindparam("until", type_=UtcDateTime))
)
COUNT = text("SELECT count(*) FROM journal_row WHERE kind = 'tap' AND at >= :since AND at < :until").bindparams(
    bindparam("since", type_=UtcDateTime), bindparam("until", type_=UtcDateTime)
)
Thing = TypeVar("Thing", Opening, Event)


@dataclass(frozen=True, slots=True)
class Met:
    """Somebody whose passage would have ended otherwise."""

    member: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Effect:
    """passages: how many were asked, of these weeks. projected: what is to come was tried on days that were."""

    passages: int
    weeks: int
    refused: tuple[Met, ...]
    let_in: tuple[Met, ...]
    projected: bool

    @property
    def members(self) -> list[str]:
        return sorted({met.member for met in (*self.refused, *self.let_in)})


def effect(session: Session, before: Bundle, after: Bundle, at: Instant) -> Effect:
    """Of those who came before `at`, who would have been refused or let in under `after`, and not under `before`."""
    calendar = Calendar(ZoneInfo(before.site.timezone), before.site.day_cutoff)
    today = calendar.day_at(at)
    for weeks in WEEKS:
        since = calendar.day_start(today - timedelta(weeks=weeks))
        bounds = {"since": stored(since), "until": stored(at)}
        if session.connection().execute(COUNT, bounds).scalar_one() <= MOST:
            break
    days = [today - timedelta(days=number) for number in range(weeks * len(WEEKDAYS), 0, -1)]
    lived = as_if(before, after, today, days), as_if(after, before, today, days)
    was, would = PastSite(lived[0]), PastSite(lived[1])
    for member, unit in _paid(session, days[0]):
        was.paid(member, unit)
        would.paid(member, unit)
    readers = _readers(before)
    passages = 0
    refused: list[Met] = []
    let_in: list[Met] = []
    for tap in _taps(session, bounds):
        if tap.reader not in readers:
            continue
        passages += readers[tap.reader] is not Direction.OUT
        one, other = was.decide(tap).granted, would.decide(tap).granted
        if one != other and tap.member is not None:
            (refused if one else let_in).append(Met(tap.member, tap.at))
    return Effect(passages, weeks, tuple(refused), tuple(let_in), lived != (before, after))


def as_if(one: Bundle, other: Bundle, today: date, days: Sequence[date]) -> Bundle:
    """`one`, in which what it has, `other` has not, and is to come, was on the same weekdays of `days`, too."""
    site = one.site
    closed = {
        day
        for closure in set(site.closures) - set(other.site.closures)
        for day in days
        if day.weekday() in _weekdays(max(closure.first, today), closure.last)
    }
    known = {opening.date for opening in site.openings}
    opened = {
        day: replace(opening, date=day)
        for opening, day in _moved(site.openings, other.site.openings, lambda one: one.date, today, days)
        if day not in known
    }
    events = {
        (moved.start, moved.end, moved.audience, moved.free, moved.access_points): moved
        for event, day in _moved(one.events, other.events, lambda one: moment(one.start).date(), today, days)
        for moved in (_on(event, day),)
    }
    return replace(
        one,
        site=replace(
            site,
            closures=(*site.closures, *(Closure(day, day) for day in sorted(closed))),
            openings=(*site.openings, *opened.values()),
        ),
        events=(*one.events, *events.values()),
    )


def _weekdays(first: date, last: date) -> set[int]:
    """Those between two dates, both included."""
    return {(first + timedelta(days=number)).weekday() for number in range(min((last - first).days + 1, len(WEEKDAYS)))}


def _moved(
    ours: Sequence[Thing], theirs: Sequence[Thing], date_of: Callable[[Thing], date], today: date, days: Sequence[date]
) -> Iterator[tuple[Thing, date]]:
    """What only we have and is to come, with each of the days that is of its weekday."""
    for thing in ours:
        if date_of(thing) >= today and thing not in theirs:
            yield from ((thing, day) for day in days if day.weekday() == date_of(thing).weekday())


def _on(event: Event, day: date) -> Event:
    """The event, as if it had been on that day."""
    start, end = moment(event.start), moment(event.end)
    back = start.date() - day
    return replace(event, id=f"{event.id} {day}", start=_written(start - back), end=_written(end - back))


def _written(when: datetime) -> str:
    return when.isoformat(timespec="minutes" if not when.second else "seconds")


def _taps(session: Session, bounds: dict[str, Any]) -> Iterator[Recorded]:
    for at, *rest in session.connection().execute(TAPS, bounds):
        yield recorded_as(round(at.timestamp() * SECOND), rest)


def _paid(session: Session, day: date) -> Iterator[tuple[str, str]]:
    """Days and half-days that carnets which still hold paid before that site day."""
    asked = select(PaidUnit.member, PaidUnit.unit).where(
        col(PaidUnit.member).in_(select(Pass.member).where(col(Pass.ended).is_(None))),
        col(PaidUnit.unit) < day.isoformat(),
    )
    yield from session.exec(asked)


def _readers(bundle: Bundle) -> dict[str, Direction | None]:
    """The direction of each reader, None of a machine's."""
    found: dict[str, Direction | None] = {point.readers.in_: Direction.IN for point in bundle.access_points}
    found |= {point.readers.out: Direction.OUT for point in bundle.access_points if point.readers.out is not None}
    return found | {machine.reader: None for machine in bundle.machines}
