"""How much of one edge does the server take in? So much that no honest edge is held up, and no other by it.

What is beyond waits where it is, in the edge's journal, and comes again: it is late, and not lost.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from policy.terms import DAY, HOUR, Instant


@dataclass(frozen=True, slots=True)
class Limit:
    """So much at once, and as much again within `every`."""

    most: int
    every: Instant


class Good(Enum):
    """What is counted of each edge."""

    ROWS = Limit(150_000, HOUR)
    """The backlog of a whole journal, 100,000 rows, fits: an edge says so when it has as many."""
    BYTES = Limit(64 * 1024 * 1024, HOUR)
    """Of rows: those 100,000 have 35 MB."""
    JOURNALS = Limit(24, HOUR)
    """A journal is begun when a disk was lost or damaged."""
    FACTS = Limit(20_000, 35 * DAY)
    """Of what rows leave in the state of the site, but for who is where: a busy door tells some 2,000 in that time."""
    REPEATS = Limit(12, HOUR)
    """Of rules or state for all edges because of what its status says: after an update, or after the server was
    restored."""


class Budget:
    """Kept in memory, by the site's time: a start of the server forgives."""

    def __init__(self, clock: Callable[[], Instant]) -> None:
        self._clock = clock
        self._levels: defaultdict[str, dict[Good, tuple[float, Instant]]] = defaultdict(dict)

    def left(self, edge: str, good: Good) -> int:
        """How much of it is left to an edge."""
        limit, now = good.value, self._clock()
        level, at = self._levels[edge].get(good, (limit.most, now))
        level = min(limit.most, level + limit.most * max(0, now - at) / limit.every)
        self._levels[edge][good] = (level, now)
        return int(level)

    def spend(self, edge: str, good: Good, amount: int) -> None:
        """So much came. One message may be more than is left: then it takes longer until there is some again."""
        self.left(edge, good)
        level, at = self._levels[edge][good]
        self._levels[edge][good] = (level - amount, at)

    def exhausted(self, edge: str, *goods: Good) -> str | None:
        """In words which of the goods an edge has none left of; None when there is some of each."""
        gone = next((good for good in goods if self.left(edge, good) < 1), None)
        if gone is None:
            return None
        limit = gone.value
        return f"more than {limit.most} {gone.name.lower()} in {limit.every // HOUR} h: what is beyond has to wait"
