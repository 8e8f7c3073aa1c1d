"""What does the kernel make of a Pi's GPIO lines? Claims, levels, pulls, and what is left when a process dies."""

import errno
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from simulator.clock import VirtualClock

COUNT = 58
"""Lines of a Pi 4's first gpiochip."""
PULLED_UP_AT_BOOT = range(9)
REMEMBERED = 10_000
"""Changes kept of each line, so that a demo can run for weeks."""

Kind = Literal["claim", "write", "free", "drive"]
Pull = Literal["up", "down", "none"]


@dataclass(frozen=True, slots=True)
class Change:
    """Something was done to a line. at: ns of virtual time. output: the Pi drives it now. level: as measured."""

    at: int
    line: int
    kind: Kind
    output: bool
    level: int


@dataclass(slots=True)
class Line:
    """One line. pull: the Pi's own resistor. outside: what drives an input. resistor: soldered on by hand."""

    pull: Pull
    output: bool = False
    latch: int = 0
    owner: object | None = None
    consumer: str = ""
    outside: int | None = None
    resistor: int | None = None

    @property
    def level(self) -> int:
        """1 or 0; a line that nothing holds shows 0."""
        if self.output:
            return self.latch
        if self.outside is not None:
            return self.outside
        if self.resistor is not None:
            return self.resistor
        return int(self.pull == "up")


class Lines:
    """The kernel's gpiochip. An owner is whatever object holds a claim (on a Pi: a file descriptor).

    Raises OSError: EBUSY for a line that another holds, EPERM for a write to a line that is not the writer's output,
    EINVAL for a line that does not exist.
    """

    def __init__(self, clock: VirtualClock, strict_gpiod: bool) -> None:
        self._clock = clock
        self._strict = strict_gpiod
        self._lines = [Line("up" if n in PULLED_UP_AT_BOOT else "down") for n in range(COUNT)]
        self._history: list[deque[Change]] = [deque(maxlen=REMEMBERED) for _ in range(COUNT)]
        self._listeners: list[Callable[[Change], object]] = []

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, number: int) -> Line:
        if not 0 <= number < COUNT:
            raise OSError(errno.EINVAL, f"GPIO{number} does not exist: lines are 0 to {COUNT - 1}")
        return self._lines[number]

    def claim_input(self, number: int, owner: object, pull: Pull | None, consumer: str = "") -> None:
        """Hold a line as input. pull: None leaves the resistor as it is."""
        with self._clock.lock:
            line = self._held(number, owner, consumer)
            before = line.level
            line.output = False
            line.pull = pull or line.pull
            self._note(number, "claim", before)

    def claim_output(self, number: int, owner: object, level: int, consumer: str = "") -> None:
        """Hold a line as output, at this level from the first moment."""
        with self._clock.lock:
            line = self._held(number, owner, consumer)
            before = line.level
            line.output, line.latch = True, int(bool(level))
            self._note(number, "claim", before)

    def write(self, number: int, owner: object, level: int) -> None:
        """Drive an output."""
        with self._clock.lock:
            line = self[number]
            if line.owner is not owner or not line.output:
                raise OSError(errno.EPERM, f"GPIO{number} is not an output of this process: claim it first")
            before = line.level
            line.latch = int(bool(level))
            self._note(number, "write", before)

    def poke(self, number: int, level: int) -> None:
        """What pinctrl does: an output at this level, by the chip's registers, whoever holds the line."""
        with self._clock.lock:
            line = self[number]
            before = line.level
            line.output, line.latch = True, level
            self._note(number, "write", before)

    def free(self, number: int, owner: object) -> None:
        """Let go of a line. A Raspberry Pi kernel leaves an output driven, unless strict_gpiod is set."""
        with self._clock.lock:
            line = self[number]
            if line.owner is not owner:
                return
            before = line.level
            line.owner, line.consumer = None, ""
            line.output = line.output and not self._strict
            self._note(number, "free", before)

    def free_all(self) -> None:
        """What the end of the process does."""
        with self._clock.lock:
            for number, line in enumerate(self._lines):
                if line.owner is not None and line.owner is not self:
                    self.free(number, line.owner)

    def reserve(self, number: int, consumer: str) -> None:
        """The kernel itself holds a line (a chip select): nobody else can claim it."""
        line = self[number]
        line.owner, line.consumer = self, consumer

    def drive(self, number: int, level: int | None) -> None:
        """What the world outside does to a line: 1, 0, or None to let go."""
        with self._clock.lock:
            line = self[number]
            before = line.level
            line.outside = level
            self._note(number, "drive", before)

    def resistor(self, number: int, level: int) -> None:
        """Solder a resistor on."""
        with self._clock.lock:
            line = self[number]
            before = line.level
            line.resistor = level
            if line.level != before:
                self._note(number, "drive", before)

    def level(self, number: int) -> int:
        """1 or 0, as measured."""
        return self[number].level

    def history(self, number: int) -> list[Change]:
        """What was done to a line, oldest first; of a long life only the end."""
        return list(self._history[number])

    def subscribe(self, listener: Callable[[Change], object]) -> Callable[[], None]:
        """Have every change of a level told; call what comes back to end this."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _held(self, number: int, owner: object, consumer: str) -> Line:
        line = self[number]
        if line.owner is not None and line.owner is not owner:
            raise OSError(errno.EBUSY, f"GPIO{number} is held by {line.consumer!r}")
        line.owner, line.consumer = owner, consumer
        return line

    def _note(self, number: int, kind: Kind, before: int) -> None:
        line = self[number]
        change = Change(self._clock.ns, number, kind, line.output, line.level)
        self._history[number].append(change)
        if line.level != before:
            for listener in list(self._listeners):
                listener(change)
