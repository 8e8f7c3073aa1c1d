"""How do machines, certifications, quotas and bookings become what a machine's edge decides by?"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta, tzinfo

from msgspec import UNSET

from policy import bundle as site
from policy.bundle import Bundle
from policy.calendar import Calendar, instant_of, resolve
from policy.ruleset import Booking, Machine, Period, Quota
from policy.terms import Instant

LONGEST_PERIOD = timedelta(days=31)


def machines(bundle: Bundle, calendar: Calendar, dates: list[date]) -> dict[str, Machine]:
    """The machines by id, their weekly hours as intervals."""
    return {machine.id: _machine(machine, calendar, dates) for machine in bundle.machines}


def _machine(machine: site.Machine, calendar: Calendar, dates: list[date]) -> Machine:
    cuts = machine.on_end == "cut"
    return Machine(
        kind=machine.kind,
        hours=calendar.week(dates, machine.hours) if any(machine.hours.values()) else None,
        min_people=machine.min_people,
        cuts=cuts,
        attended=cuts if machine.attended is UNSET else machine.attended,
        locked_out=machine.locked_out is not None,
        urgent=machine.locked_out is not None and machine.locked_out.urgent,
    )


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
    for one in bundle.bookings:
        booking = Booking(one.member, resolve(one.start, zone), resolve(one.end, zone, last=True))
        if booking.end > since:
            found.setdefault(one.machine, []).append(booking)
    return {machine: tuple(sorted(held, key=lambda booking: booking.start)) for machine, held in found.items()}


def period_starts(zone: tzinfo, dates: list[date], first: Callable[[date], bool]) -> tuple[Instant, ...]:
    """The local midnights at which quota periods start, from the one that holds the first date on."""
    return tuple(instant_of(_midnight(day), zone) for day in _days(dates) if first(day))


def _days(dates: list[date]) -> Iterable[date]:
    day = dates[0] - LONGEST_PERIOD
    while day <= dates[-1] + LONGEST_PERIOD:
        yield day
        day += timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())
