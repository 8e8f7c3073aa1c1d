"""Which copies are kept? By their age: all of the last hour, then one for each hour, each day, each week."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

ALL, HOURLY, DAILY = timedelta(hours=1), timedelta(days=2), timedelta(days=14)
"""Up to these ages: each copy, one for each hour, one for each day; beyond the last, one for each week."""
_NAME = re.compile(r"loquet-(\d{8}T\d{6}Z)\.age")
_FORM = "%Y%m%dT%H%M%SZ"


def name_of(made: datetime) -> str:
    """What a copy of this instant is called."""
    return f"loquet-{made.astimezone(UTC).strftime(_FORM)}.age"


def made_of(name: str) -> datetime | None:
    """When the copy of this name was made; None for what is no copy."""
    found = _NAME.fullmatch(name)
    try:
        return None if found is None else datetime.fromisoformat(found[1])
    except ValueError:
        return None


def copies(names: Iterable[str]) -> list[tuple[datetime, str]]:
    """(made, name) of those that are copies, oldest first."""
    return sorted((made, name) for name in names if (made := made_of(name)) is not None)


def expired(names: Iterable[str], now: datetime, days: int) -> list[str]:
    """Those that go: older than `days`, or with an older one in the same hour, day or week.

    The oldest of each stays, so that it stays until its age is over. One of the future is not touched: it was made
    while a clock was wrong, and goes when its time has come.
    """
    return [name for name, stays in _judged(copies(names), now, timedelta(days=days)) if not stays]


def _judged(found: list[tuple[datetime, str]], now: datetime, longest: timedelta) -> Iterator[tuple[str, bool]]:
    taken = set[str]()
    for made, name in found:
        span = _span(made, now - made)
        yield name, now - made <= longest and span not in taken
        taken.add(span)


def _span(made: datetime, age: timedelta) -> str:
    """Of which one copy is kept."""
    if age <= ALL:
        return f"{made:%Y%m%dT%H%M%S}"
    if age <= HOURLY:
        return f"{made:%Y%m%dT%H}"
    return f"{made:%Y%m%d}" if age <= DAILY else f"{made:%G-W%V}"
