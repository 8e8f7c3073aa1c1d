"""How fast does time pass in the demo? One mapping from real to virtual time, shared by its processes.

CLOCK_MONOTONIC is the same for all processes of a machine, so the anchor of one process serves another as it is.
"""

import threading
import time
from collections.abc import Callable

from msgspec import Struct

from policy.terms import ClockState, Instant
from simulator.clock import WAKE_NS, VirtualClock

SPEEDS = (0, 1, 10, 60)
"""Virtual seconds in a real one; 0 stands still."""
LIVELY_NS = 1_000_000_000
"""For so long after something moved, every poll takes place, however fast time passes."""
POLL = 0.005
"""Seconds. A sleep so long lies between two polls; a shorter one waits inside an exchange with a chip."""


class Anchor(Struct, frozen=True, forbid_unknown_fields=True):
    """At `real` (CLOCK_MONOTONIC, ns) it was `virtual` (ns since 1970 UTC), and since then time passes at `speed`."""

    virtual: int
    real: int
    speed: int

    def at(self, real: int) -> int:
        """Virtual time at a real one, ns since 1970 UTC."""
        return self.virtual + (real - self.real) * self.speed


class Pace:
    """The virtual time of this process. Never goes back. For any thread."""

    def __init__(self, anchor: Anchor, real: Callable[[], int] = time.monotonic_ns) -> None:
        self._real = real
        self._anchor = anchor
        self._anchors = [anchor]
        self._changed = threading.Condition()
        self._latest = anchor.virtual
        self._lively_until = 0
        self._stopped = False
        self._listeners: list[Callable[[], object]] = []

    @classmethod
    def starting(cls, at: Instant, speed: int = 1, real: Callable[[], int] = time.monotonic_ns) -> "Pace":
        """A pace that begins now in the real world, at this instant (ms since 1970 UTC) in the virtual one."""
        return cls(Anchor(at * 1_000_000, real(), speed), real)

    @property
    def anchor(self) -> Anchor:
        """To be sent to another process."""
        return self._anchor

    @property
    def speed(self) -> int:
        return self._anchor.speed

    def now_ns(self) -> int:
        """Virtual ns since 1970 UTC."""
        with self._changed:
            self._latest = max(self._latest, self._anchor.at(self._real()))
            return self._latest

    def now(self) -> Instant:
        """Virtual ms since 1970 UTC."""
        return self.now_ns() // 1_000_000

    def at(self, seconds_ago: float) -> Instant:
        """Virtual ms so many real seconds ago; before the beginning it was as at the beginning, and what is ahead is
        as far ahead as in the real world."""
        if seconds_ago <= 0:
            return self.now() - round(seconds_ago * 1000)
        real = self._real() - round(seconds_ago * 1e9)
        with self._changed:
            then = [anchor for anchor in self._anchors if anchor.real <= real]
        return (then[-1].at(real) if then else self._anchors[0].virtual) // 1_000_000

    def change(self, speed: int) -> Anchor:
        """Let time pass at another speed from now on. Raises ValueError for one that is not in SPEEDS."""
        if speed not in SPEEDS:
            raise ValueError(f"speed {speed}: use one of {', '.join(map(str, SPEEDS))}")
        with self._changed:
            self.follow(Anchor(self.now_ns(), self._real(), speed))
            return self._anchor

    def follow(self, anchor: Anchor) -> None:
        """Take over the anchor of another process; whoever sleeps reckons anew."""
        with self._changed:
            self._anchor = anchor
            self._anchors.append(anchor)
            self._changed.notify_all()
        for listener in self._listeners:
            listener()

    def on_change(self, listener: Callable[[], object]) -> None:
        """Have it called, in the thread that changes the speed, for whoever waits somewhere else than here."""
        self._listeners.append(listener)

    def stir(self) -> None:
        """Something moved: nobody skips a poll for a while."""
        with self._changed:
            self._lively_until = self.now_ns() + LIVELY_NS
            self._changed.notify_all()

    def stop(self) -> None:
        """Let everybody who sleeps, or means to, go at once: the process ends."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def real_seconds(self, until: int) -> float | None:
        """Real seconds until this virtual ns; None while time stands still."""
        ahead = until - self.now_ns()
        if ahead <= 0:
            return 0.0
        return ahead / self.speed / 1e9 if self.speed else None

    def wait(self, until: int, at_least: float = 0.0) -> None:
        """Sleep until this virtual ns, and for at least so many real seconds unless something moves meanwhile."""
        earliest = self._real() + round(at_least * 1e9)
        with self._changed:
            while not self._stopped:
                left = self.real_seconds(until)
                idle = 0.0 if self._latest < self._lively_until else (earliest - self._real()) / 1e9
                if left == 0.0 and idle <= 0.0:
                    return
                self._changed.wait(None if left is None else max(left, idle))


class PacedClock(VirtualClock):
    """The edge's clocks over a pace.

    A thread that talks to a chip lives in the chips' time, exact to the nanosecond, which catches up with the pace
    while the thread sleeps from one poll to the next. Everybody else reads the pace.
    """

    def __init__(self, pace: Pace, state: ClockState = ClockState.SYNCED) -> None:
        self._origin = pace.now_ns()
        super().__init__(start=self._origin // 1_000_000, state=state, wake_ns=WAKE_NS)
        self.pace = pace
        self._talking: set[int] = set()

    def now(self) -> Instant:
        """As in edge/ports.py."""
        return self._wall_offset + self._own_ns() // 1_000_000

    def monotonic(self) -> float:
        """As in edge/ports.py."""
        return self._own_ns() / 1e9

    def advance(self, ns: int) -> None:
        """A chip takes its time: the calling thread talks to one."""
        self._talking.add(threading.get_ident())
        super().advance(ns)

    def fall_silent(self) -> None:
        """The calling thread has set the chips up and talks to them no more."""
        self._talking.discard(threading.get_ident())

    def sleep(self, seconds: float) -> None:
        """Exact and at once inside an exchange with a chip; from one poll to the next as the pace has it."""
        if seconds < POLL:
            super().sleep(seconds)
            return
        target = self._own_ns() + round(seconds * 1e9)
        talks = threading.get_ident() in self._talking
        self.fall_silent()
        self.pace.wait(self._origin + target, at_least=seconds)
        if talks:
            self._catch_up(target)

    def real_timeout(self, monotonic: float) -> float | None:
        """Real seconds until the clock reads `monotonic` seconds; None while time stands still."""
        return self.pace.real_seconds(self._origin + round(monotonic * 1e9))

    def _catch_up(self, target: int) -> None:
        """Bring the chips' time up, but not under somebody else's exchange."""
        if not self._talking:
            self.advance_to(max(target, self._paced_ns()))
        self._talking.add(threading.get_ident())

    def _paced_ns(self) -> int:
        return self.pace.now_ns() - self._origin

    def _own_ns(self) -> int:
        return self._ns if threading.get_ident() in self._talking else max(self._ns, self._paced_ns())
