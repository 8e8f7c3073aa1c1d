"""How much of a shift was held? Minutes of presence that belong to it, and what they earn."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from itertools import pairwise
from typing import TypeAlias

from msgspec import Struct

from policy.bundle import TimeBank
from policy.calendar import Calendar
from policy.presence import Move
from policy.spans import Spans, covers, pairs, spans
from policy.terms import MINUTE, Instant

Source: TypeAlias = tuple[str, ...]
"""Where a shift comes from: ("rota", pattern, date), ("shift", id), ("adhoc", gardien, start)."""
ADHOC = "adhoc"


class Watch(Struct, frozen=True, order=True):
    """A shift without lead and grace. In the order in which seconds that two share belong to the first."""

    start: Instant
    end: Instant
    source: Source
    gardien: str


class Terms(Struct, frozen=True):
    """What a shift was first settled by. bank: None for none, then."""

    calendar: Calendar
    bank: TimeBank | None


class Moves:
    """The moves of one member, in the order in which they count: at one instant the way out is the last."""

    def __init__(self) -> None:
        self._sorted: list[tuple[Instant, bool]] = []

    def add(self, move: Move) -> None:
        insort(self._sorted, (move.at, not move.inside))

    def drop(self, move: Move) -> None:
        """Raises ValueError for a move that is not there."""
        self._sorted.remove((move.at, not move.inside))

    def inside(self, calendar: Calendar, start: Instant, end: Instant) -> Spans:
        """When in [start, end) the member was inside; whoever is at the end of a site day no longer is."""
        position = max(0, bisect_right(self._sorted, (start, True)) - 1)
        found = []
        for at, out in self._sorted[position : bisect_left(self._sorted, (end, False))]:
            position += 1
            if not out:
                left = calendar.day_end(calendar.day_at(at)) or end
                if position < len(self._sorted):
                    left = min(left, self._sorted[position][0])
                found.append((max(start, at), min(end, left)))
        return spans(found)


def belonging(watch: Watch, others: Iterable[Watch]) -> Spans:
    """The time of a shift that is its own: none that an earlier one of the same gardien holds."""
    taken = spans((other.start, other.end) for other in others if other < watch)
    return _without(spans([(watch.start, watch.end)]), taken)


def both(one: Spans, other: Spans) -> Spans:
    """The time that two have in common."""
    return spans((max(start, first), min(end, last)) for start, end in pairs(one) for first, last in pairs(other))


def _without(whole: Spans, taken: Spans) -> Spans:
    """What of one interval, or of none, no other one takes."""
    cuts = sorted({*whole, *(edge for edge in taken if whole and whole[0] < edge < whole[1])})
    return spans((start, end) for start, end in pairwise(cuts) if not covers(taken, start))


def length(times: Spans) -> Instant:
    return sum(times[1::2]) - sum(times[::2])


def earned(own: Instant, held: Instant, bank: TimeBank | None, *, adhoc: bool) -> int:
    """The minutes that a shift earns. own: ms that belong to it. held: ms of those in which its gardien was inside."""
    if bank is None or own == 0 or (not adhoc and held * 100 < bank.min_share * own):
        return 0
    step = bank.round * MINUTE
    return (2 * held + step) // (2 * step) * bank.round * bank.rate // 100
