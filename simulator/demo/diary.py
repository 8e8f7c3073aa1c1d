"""When is the front door free? Everybody has it to themselves for some seconds, so that no two stories touch."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from random import Random

from policy.terms import HOUR, MINUTE, Instant

MARGIN = 90_000
"""Nobody comes or goes so close to a full hour (ms): a count at the hour then has one answer."""
TRIES = 200


@dataclass(slots=True)
class Diary:
    """The taken intervals, sorted; instants in ms."""

    taken: list[tuple[Instant, Instant]] = field(default_factory=list)

    def take(self, chance: Random, first: Instant, last: Instant, busy: int) -> Instant:
        """A free instant in [first, last] by chance, taken for `busy` ms. Raises ValueError when the window is full."""
        for _ in range(TRIES):
            at = chance.randrange(first, max(last, first + MINUTE))
            if self._free(at, at + busy):
                insort(self.taken, (at, at + busy))
                return at
        raise ValueError(f"no free {busy} ms between {first} and {last}: widen the window")

    def _free(self, start: Instant, end: Instant) -> bool:
        into_hour = start % HOUR
        if into_hour < MARGIN or into_hour + (end - start) > HOUR - MARGIN:
            return False
        place = bisect_left(self.taken, (start, end))
        before = place == 0 or self.taken[place - 1][1] <= start
        return before and (place == len(self.taken) or self.taken[place][0] >= end)
