"""What time is it in the world that is not there?

One integer number of nanoseconds is all of it: chip, cards, bus and pins wait on this clock and on nothing else.
Several threads may use it. Each `advance` runs the alarms that fall due, in order, in the thread that called it.
"""

import heapq
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from policy.terms import ClockState, Instant

WAKE_NS = 80_000
"""What the scheduler of a Raspberry Pi takes to wake a sleeping thread."""

WORKING_TUESDAY: Instant = int(datetime(2026, 3, 3, 8, tzinfo=UTC).timestamp() * 1000)


class Alarm:
    """Something that will happen at one instant of virtual time, unless cancelled."""

    __slots__ = ("_act", "at")

    def __init__(self, at: int, act: Callable[[], object]) -> None:
        self.at = at
        self._act: Callable[[], object] | None = act

    def cancel(self) -> None:
        """Make sure that it does not happen. Harmless afterwards."""
        self._act = None

    def ring(self) -> None:
        """Let it happen, once."""
        act, self._act = self._act, None
        if act is not None:
            act()


class VirtualClock:
    """The `Clock` port of edge/ports.py over virtual time, which passes only when somebody says so.

    start: the wall clock at virtual time 0, ms since 1970 UTC. wake_ns: added to every sleep.
    A sleep moves the one time on for everybody: two threads that sleep 10 ms each make 20 ms of it.
    """

    def __init__(
        self, start: Instant = WORKING_TUESDAY, state: ClockState = ClockState.SYNCED, wake_ns: int = WAKE_NS
    ) -> None:
        self.lock = threading.RLock()
        self.wake_ns = wake_ns
        self._ns = 0
        self._wall_offset = start
        self._state = state
        self._alarms: list[tuple[int, int, Alarm]] = []
        self._order = 0

    @property
    def ns(self) -> int:
        """Virtual nanoseconds since the start. Never goes back."""
        return self._ns

    def now(self) -> Instant:
        """Wall clock, ms since 1970 UTC."""
        return self._wall_offset + self._ns // 1_000_000

    def monotonic(self) -> float:
        """Seconds since the start. Never goes back."""
        return self._ns / 1e9

    def state(self) -> ClockState:
        """Whether `now` can be believed."""
        return self._state

    def adopt(self, now: Instant) -> None:
        """As in edge/ports.py."""
        with self.lock:
            if self._state is ClockState.UNKNOWN:
                self._wall_offset += now - self.now()
                self._state = ClockState.SYNCED

    def set(self, now: Instant | None = None, state: ClockState | None = None) -> None:
        """Step the wall clock (ms since 1970 UTC), change its trust, or both. Virtual time stays as it is."""
        with self.lock:
            if now is not None:
                self._wall_offset = now - self._ns // 1_000_000
            if state is not None:
                self._state = state

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass, and the time that it takes to wake the thread."""
        self._reach(self._ns + round(seconds * 1e9) + self.wake_ns)

    def advance(self, ns: int) -> None:
        """Let so many nanoseconds pass."""
        with self.lock:
            self.advance_to(self._ns + ns)

    def advance_to(self, ns: int) -> None:
        """Let time pass until this instant; nothing happens when it is over already."""
        with self.lock:
            while self._alarms and self._alarms[0][0] <= ns:
                at, _, alarm = heapq.heappop(self._alarms)
                self._ns = max(self._ns, at)
                alarm.ring()
            self._ns = max(self._ns, ns)

    def at(self, ns: int, act: Callable[[], object]) -> Alarm:
        """Have something happen at this instant (or at the next move of time, when it is over already)."""
        with self.lock:
            alarm = Alarm(ns, act)
            self._order += 1
            heapq.heappush(self._alarms, (ns, self._order, alarm))
            return alarm

    def after(self, ns: int, act: Callable[[], object]) -> Alarm:
        """Have something happen so many nanoseconds from now."""
        return self.at(self._ns + ns, act)

    def _reach(self, ns: int) -> None:
        """Where a sleep ends. A clock that keeps pace with real time waits here, then calls `advance_to`."""
        self.advance_to(ns)
