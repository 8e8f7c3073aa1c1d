"""Each edge's own two clocks: what they say may be wrong, what is true is the world's."""

from policy.terms import ClockState, Instant
from simulator.clock import VirtualClock


class OwnClock:
    """The `Clock` port of edge/ports.py. offset: what its wall clock is ahead of the truth, ms.

    settings: how often the wall clock was set.
    """

    def __init__(self, world: VirtualClock) -> None:
        self._world = world
        self._started_ns = world.ns
        self._state = ClockState.SYNCED
        self.offset: Instant = 0
        self.settings = 0

    def start(self, state: ClockState, offset: Instant) -> None:
        """Power returns: the monotonic clock begins anew."""
        self._started_ns, self._state, self.offset = self._world.ns, state, offset

    def step(self, offset: Instant, state: ClockState | None = None) -> None:
        """Somebody sets the wall clock."""
        self.offset = offset
        self._state = state or self._state
        self.settings += 1

    def now(self) -> Instant:
        return self._world.now() + self.offset

    def monotonic(self) -> float:
        return (self._world.ns - self._started_ns) / 1e9

    def sleep(self, seconds: float) -> None:
        raise RuntimeError("nobody sleeps in a world that jumps from deadline to deadline")

    def state(self) -> ClockState:
        return self._state

    def adopt(self, now: Instant) -> None:
        """As in edge/ports.py."""
        if self._state is ClockState.UNKNOWN:
            self.step(now - self._world.now(), ClockState.SYNCED)

    def ns_at(self, mono: float) -> int:
        """The world's nanosecond at which the monotonic clock reads so many seconds."""
        return self._started_ns + round(mono * 1e9)
