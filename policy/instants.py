"""How is an instant written? RFC 3339 in UTC with milliseconds."""

from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from policy.terms import Instant

Day = TypeVar("Day", bound=date)

YEARS = range(1900, 3000)
"""Those that somebody can mean who writes a time: far enough from both ends of the calendar to reckon with."""
BELIEVED = range(2000, 2100)
"""Of the years those that a machine can mean which says when something happened."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Instant = int(datetime(BELIEVED[-1], 12, 31, tzinfo=UTC).timestamp()) * 1000
"""Said for what has no end."""


def text(at: Instant) -> str:
    """2026-11-24T09:00:00.000Z for the instant. Raises OverflowError outside the years 1 to 9999."""
    moment = _EPOCH + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(written: str) -> Instant:
    """The instant of an ISO 8601 time with an offset, to the millisecond. Raises ValueError for any other text."""
    return of(datetime.fromisoformat(written))


def believed(written: str) -> datetime:
    """The time that a machine said, in UTC. Raises ValueError without an offset, and for a year not in BELIEVED."""
    when = datetime.fromisoformat(written)
    if when.tzinfo is None:
        raise ValueError(f"{written!r} has no offset from UTC")
    if when.year not in BELIEVED:
        raise ValueError(f"{written!r} is not from {BELIEVED[0]} to {BELIEVED[-1]}, and so not believed")
    return when if when.tzinfo is UTC else when.astimezone(UTC)


def meant(written: str) -> Instant:
    """The instant, as `instant` has it, that a person wrote, in YEARS. Raises ValueError with the remedy."""
    try:
        when = datetime.fromisoformat(written)
        of(when)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"write an instant with its offset ({error})") from None
    return of(in_our_years(when))


def in_our_years(when: Day) -> Day:
    """The date or time itself. Raises ValueError for a year not in YEARS."""
    if when.year not in YEARS:
        raise ValueError(f"write a year from {YEARS[0]} to {YEARS[-1]}")
    return when


def of(moment: datetime) -> Instant:
    """The instant of an aware datetime. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no offset from UTC: add one, as in 2026-11-24T09:00:00Z")
    return round(moment.timestamp() * 1000)
