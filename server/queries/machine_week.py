"""When is a machine taken in the next seven days, and when is the place open then?"""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from policy.degrees import By, Known, stretches
from policy.ruleset import Booking
from policy.state import SiteState
from policy.terms import Instant
from server.queries.bookings import is_bookable
from server.queries.current import Current
from server.queries.machines import bookings_in

DAYS = 7


@dataclass(frozen=True, slots=True)
class Day:
    """A local date, from midnight to midnight. bookings: that touch it. open: from, to, whether the team is there."""

    day: date
    start: Instant
    end: Instant
    bookings: tuple[Booking, ...]
    open: tuple[tuple[Instant, Instant, bool], ...]


def week(current: Current, known: Known, machines: SiteState, machine: str, at: Instant) -> list[Day]:
    """From today on, without what others may book. known: what is known of the place; machines: of their sessions."""
    first = current.calendar.date_at(at)
    midnights = [current.calendar.midnight(first + timedelta(days=number)) for number in range(DAYS + 1)]
    opens = [one for one in stretches(known, at, midnights[-1]) if one.by is not None]
    held = bookings_in(current, machine, at, midnights[-1])
    booked = [one for one in held if not is_bookable(machines, machine, one, at)]
    return [
        Day(
            first + timedelta(days=number),
            start,
            end,
            tuple(one for one in booked if one.start < end and one.end > start),
            tuple(
                (max(one.start, start), min(one.end, end), one.by is By.STAFFED)
                for one in opens
                if one.start < end and one.end > start
            ),
        )
        for number, (start, end) in enumerate(pairwise(midnights))
    ]
