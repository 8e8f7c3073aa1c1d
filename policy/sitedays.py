"""Which site day is it, without a calendar? Of some dates it is told when their site days start; between, each 24 h."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from policy.terms import DAY, Instant

A_MONDAY = date(1970, 1, 5)
MONDAY_AT: Instant = 4 * DAY
"""Its midnight in UTC. Local midnight is nowhere half a week from that of UTC: so an instant tells which Monday it is.
"""


class SiteDay(NamedTuple):
    """A site day: its date as an ordinal, its start, the start of its afternoon, its end."""

    ordinal: int
    start: Instant
    split: Instant
    end: Instant

    @property
    def date(self) -> date:
        """Raises ValueError or OverflowError outside the years 1 to 9999."""
        return date.fromordinal(self.ordinal)


class SiteDays:
    """ordinals: of the dates whose site days are at `starts`. splits: when their afternoons start."""

    def __init__(self, ordinals: Sequence[int], starts: Sequence[Instant], splits: Sequence[Instant]) -> None:
        self._ordinals, self._starts, self._splits = ordinals, starts, splits

    def at(self, at: Instant) -> SiteDay:
        """The site day that holds the instant. Before the first known: that day less whole 24 h."""
        found = max(0, bisect_right(self._starts, at) - 1)
        first, number = self._starts[found], (at - self._starts[found]) // DAY
        end = first + (number + 1) * DAY
        if found + 1 < len(self._starts):
            last = self._ordinals[found + 1] - self._ordinals[found] - 1
            if number >= last:
                number, end = last, self._starts[found + 1]
        return SiteDay(self._ordinals[found] + number, first + number * DAY, self._splits[found] + number * DAY, end)


def irregular(days: Iterable[SiteDay]) -> list[SiteDay]:
    """Of the site days of consecutive dates those that do not start, or have their afternoon, 24 h after the last."""
    told: list[SiteDay] = []
    before = None
    for day in days:
        if before is None or (day.start, day.split) != (before.start + DAY, before.split + DAY):
            told.append(day)
        before = day
    return told


def dated(starts: Sequence[Instant], mondays: Sequence[Instant]) -> range:
    """The ordinals of consecutive site days: the first that starts with or after a local midnight of a Monday is its.

    Raises IndexError where no Monday is known after the first of them.
    """
    monday = mondays[bisect_left(mondays, starts[0])]
    ordinal = A_MONDAY.toordinal() + 7 * round((monday - MONDAY_AT) / (7 * DAY)) - bisect_left(starts, monday)
    return range(ordinal, ordinal + len(starts))
