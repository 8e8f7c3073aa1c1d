"""What happens when? Acts at nanoseconds of virtual time, in order; what was entered first happens first."""

import heapq
from collections.abc import Callable

from policy.terms import Instant
from simulator.clock import VirtualClock


class Agenda:
    """Acts may enter others. The clock moves only here."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self._acts: list[tuple[int, int, Callable[[], object]]] = []
        self._number = 0

    def at(self, ns: int, act: Callable[[], object]) -> None:
        """Enter an act; one that is over already happens next."""
        self._number += 1
        heapq.heappush(self._acts, (ns, self._number, act))

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        self.at(self.clock.ns + round(seconds * 1e9), act)

    def at_instant(self, at: Instant, act: Callable[[], object]) -> None:
        self.at(self.clock.ns + (at - self.clock.now()) * 1_000_000, act)

    @property
    def due(self) -> int | None:
        """The nanosecond of the next act."""
        return self._acts[0][0] if self._acts else None

    def act(self) -> None:
        """Let time pass until the next act, and do it."""
        ns, _, act = heapq.heappop(self._acts)
        self.clock.advance_to(ns)
        act()
