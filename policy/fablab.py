"""How do machines, certifications, quotas and bookings become what a machine's edge decides by?"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from msgspec import UNSET

from policy import bundle as site
from policy.bundle import Bundle, Week
from policy.calendar import Calendar, instant_of, resolve
from policy.ruleset import Booking, Machine, Period, Quota
from policy.spans import before, end_of
from policy.terms import DAY, Instant

LONGEST_PERIOD = timedelta(days=31)
PERIODS_AHEAD = timedelta(days=400)
"""A year and a month: it holds the longest month, and the week that a change of the clocks makes longer."""
FORTNIGHT = [date(2001, 1, 1) + timedelta(days=number) for number in range(14)]
"""Two weeks from a Monday on."""


def machines(bundle: Bundle, calendar: Calendar, dates: list[date], until: Instant) -> dict[str, Machine]:
    """The machines by id, their weekly hours as intervals that end at `until`."""
    return {machine.id: _machine(machine, calendar, dates, until) for machine in bundle.machines}


def _machine(machine: site.Machine, calendar: Calendar, dates: list[date], until: Instant) -> Machine:
    cuts = machine.on_end == "cut"
    return Machine(
        kind=machine.kind,
        hours=None if is_always(machine.hours) else before(calendar.week(dates, machine.hours), until),
        min_people=machine.min_people,
        cuts=cuts,
        attended=cuts if machine.attended is UNSET else machine.attended,
        locked_out=machine.locked_out is not None,
        urgent=machine.locked_out is not None and machine.locked_out.urgent,
    )


def is_always(hours: Week) -> bool:
    """Whether no hours are given, or each range touches the next all the week round: then they have no end."""
    if not any(hours.values()):
        return True
    second_week = instant_of(_midnight(FORTNIGHT[7]), UTC)
    end = end_of(Calendar(UTC, "00:00").week(FORTNIGHT, hours), second_week)
    return end is not None and end >= second_week + 7 * DAY


def certifications(bundle: Bundle, calendar: Calendar) -> dict[str, dict[str, Instant | None]]:
    """Of each member and kind the first instant past the certification, None for no end."""
    found: dict[str, dict[str, Instant | None]] = {}
    for one in bundle.certifications:
        found.setdefault(one.member, {})[one.kind] = calendar.day_end(one.until) if one.until else None
    return found


def quotas(bundle: Bundle) -> dict[str, Quota]:
    return {quota.kind: Quota(quota.minutes * 60, Period(quota.period)) for quota in bundle.quotas}


def bookings(bundle: Bundle, zone: tzinfo, since: Instant) -> dict[str, tuple[Booking, ...]]:
    """Of each machine the bookings that end after `since`, sorted by start."""
    found: dict[str, list[Booking]] = {}
    long_ago = datetime.fromtimestamp(since / 1000 - 2 * 86_400, UTC).strftime("%Y-%m-%d")
    for one in bundle.bookings:
        if one.end < long_ago:  # two days and more, whatever the zone: a year of them is passed over at once
            continue
        booking = Booking(one.member, resolve(one.start, zone), resolve(one.end, zone, last=True))
        if booking.end > since:
            found.setdefault(one.machine, []).append(booking)
    return {
        machine: tuple(sorted(held, key=lambda one: (one.start, one.end, one.member)))
        for machine, held in found.items()
    }


@lru_cache(maxsize=64)
def period_starts(zone: tzinfo, first: date, last: date, period: Period) -> tuple[Instant, ...]:
    """The local midnights at which quota periods start, from the one that holds the first date to long after the last.

    Remembered: a site asks the same at each change of a day.
    """
    weekly = period is Period.WEEK
    starts = (day for day in _days(first, last) if (day.weekday() == 0 if weekly else day.day == 1))
    return tuple(instant_of(_midnight(day), zone) for day in starts)


def _days(first: date, last: date) -> Iterable[date]:
    day = first - LONGEST_PERIOD
    while day <= last + PERIODS_AHEAD:
        yield day
        day += timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())
