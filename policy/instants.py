"""How is an instant written? RFC 3339 in UTC with milliseconds."""

from datetime import UTC, datetime, timedelta

from policy.terms import Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text(at: Instant) -> str:
    """2026-11-24T09:00:00.000Z for the instant. Raises OverflowError outside the years 1 to 9999."""
    moment = _EPOCH + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(written: str) -> Instant:
    """The instant of an ISO 8601 time with an offset, to the millisecond. Raises ValueError for any other text."""
    return of(datetime.fromisoformat(written))


def of(moment: datetime) -> Instant:
    """The instant of an aware datetime. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no offset from UTC: add one, as in 2026-11-24T09:00:00Z")
    return round(moment.timestamp() * 1000)
