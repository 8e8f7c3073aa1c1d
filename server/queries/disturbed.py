"""What is planned for the hours that a change of the calendar takes away? Shifts, events and bookings to come.

Asked before the change is saved (server/pages/what_changes.py). Those hours are when the team was to be there and will
not be, and the whole of each day that becomes closed. Only shifts of the rota fall with a closure; all else stays
planned until somebody calls it off, and so is to be named.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from policy.bundle import Bundle, Event, Site
from policy.calendar import Calendar, resolve, staff_hours
from policy.spans import Spans, pairs, spans
from policy.terms import Instant
from server.queries.bookings import Slot, slots
from server.queries.public_holidays import holidays_of
from server.queries.rota import Turn, turns

AHEAD = 366
"""Days that are looked at: a longer closure disturbs nothing that is planned by date."""


@dataclass(frozen=True, slots=True)
class Disturbed:
    """In order of time. fallen: shifts that will not be; kept: those that stay, though the team is not there."""

    fallen: tuple[Turn, ...] = ()
    kept: tuple[Turn, ...] = ()
    events: tuple[tuple[Instant, Instant, Event], ...] = ()
    bookings: tuple[Slot, ...] = ()


def disturbed(session: Session, before: Bundle, after: Bundle, at: Instant) -> Disturbed:
    """What is planned after `at` under `before`, and touches the hours that are gone under `after`."""
    if before.site == after.site:
        return Disturbed()
    calendar = Calendar(ZoneInfo(before.site.timezone), before.site.day_cutoff)
    today = calendar.date_at(at)
    days = [today + timedelta(days=number) for number in range(AHEAD)]
    gone = list(_gone(calendar, before.site, after.site, days))
    lost = spans((max(start, at), end) for start, end in gone)
    if not lost:
        return Disturbed()
    first, last = days[0] - timedelta(days=1), days[-1]
    planned = [one for one in turns(before, first, last) if one.end > at]
    stays = {one.key for one in turns(after, first, last)}
    return Disturbed(
        tuple(one for one in planned if one.key not in stays),
        tuple(one for one in planned if one.key in stays and _touch(lost, one.start, one.end)),
        tuple(sorted(_events(before, calendar, lost), key=lambda one: (one[:2], one[2].id))),
        tuple(one for one in slots(session, lost[0], lost[-1]) if _touch(lost, one.start, one.end)),
    )


def _gone(calendar: Calendar, before: Site, after: Site, days: Sequence[date]) -> Iterator[tuple[Instant, Instant]]:
    """The hours of these days for which nobody of the team is there any more, and the days that become closed."""
    holidays = holidays_of(before.holidays, kept=True), holidays_of(after.holidays, kept=True)
    for day in days:
        if _closed(after, day) and not _closed(before, day):
            yield calendar.midnight(day), calendar.midnight(day + timedelta(days=1))
        was, will = (
            list(calendar.hours(day, staff_hours(site, known(day.year), day)))
            for site, known in zip((before, after), holidays, strict=True)
        )
        yield from _less(was, will) if was != will else ()


def _closed(site: Site, day: date) -> bool:
    return any(closure.first <= day <= closure.last for closure in site.closures)


def _less(
    was: Iterable[tuple[Instant, Instant]], will: Iterable[tuple[Instant, Instant]]
) -> Iterator[tuple[Instant, Instant]]:
    """What of the first intervals none of the others covers."""
    others = spans(will)
    for start, end in pairs(spans(was)):
        for begin, finish in pairs(others):
            if begin < end and start < finish:
                if start < begin:
                    yield start, begin
                start = max(start, finish)
        if start < end:
            yield start, end


def _events(bundle: Bundle, calendar: Calendar, lost: Spans) -> Iterator[tuple[Instant, Instant, Event]]:
    for one in bundle.events:
        start, end = resolve(one.start, calendar.zone), resolve(one.end, calendar.zone, last=True)
        if _touch(lost, start, end):
            yield start, end, one


def _touch(lost: Spans, start: Instant, end: Instant) -> bool:
    return any(begin < end and start < finish for begin, finish in pairs(lost))
