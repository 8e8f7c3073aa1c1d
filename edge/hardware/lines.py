"""What is wired to which GPIO line, and when an input counts as changed. Needs no hardware package."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

SAMPLE_MS = 10
"""From one sample of the inputs to the next, in ms."""


PULLED_UP = range(2, 9)
"""High from power-on until somebody drives them; all others are low. Broadcom's BCM2711 ARM Peripherals, 5.3, and
raspberrypi.com, GPIO: all processors, and the RP1 of a Pi 5, pull alike."""


class LineError(ValueError):
    """The lines as configured cannot be. The message names both users of a line."""


class Pull(StrEnum):
    """The Pi's own resistor at an input."""

    UP = "up"
    DOWN = "down"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """line: GPIO number (Broadcom). active_high: whether a high level energises it. Its safe value is inactive.

    pulse: a monostable hangs there, which wants to be told ten times a second (edge/pulse.py).
    """

    name: str
    line: int
    active_high: bool = True
    pulse: bool = False


@dataclass(frozen=True, slots=True)
class InputSpec:
    """line: GPIO number (Broadcom). active_low: whether a low level means active (a contact to ground with a pull-up).

    stable_ms: how long a new level must last before it counts, in steps of `SAMPLE_MS`.
    A normally closed contact to ground is active_low=False: its wire opened, or broken, reads active.
    """

    name: str
    line: int
    pull: Pull = Pull.UP
    active_low: bool = True
    stable_ms: int = 30

    @property
    def samples(self) -> int:
        """How many samples in a row make a level stable."""
        return max(1, -(-self.stable_ms // SAMPLE_MS))


def is_on_at_boot(line: int, active_high: bool) -> bool:
    """Whether an output at this line is on before any software runs."""
    return (line in PULLED_UP) == active_high


def check_lines(outputs: Sequence[OutputSpec], inputs: Sequence[InputSpec]) -> None:
    """Raise LineError where two specs share a line or a name."""
    by_line: dict[int, str] = {}
    by_name: dict[str, int] = {}
    specs: list[OutputSpec | InputSpec] = [*outputs, *inputs]
    for spec in specs:
        if spec.line in by_line:
            raise LineError(
                f"GPIO{spec.line} is used twice, by {by_line[spec.line]} and by {spec.name}: move one of them"
            )
        if spec.name in by_name:
            raise LineError(
                f"{spec.name} names two lines, GPIO{by_name[spec.name]} and GPIO{spec.line}: rename one of them"
            )
        by_line[spec.line] = spec.name
        by_name[spec.name] = spec.line


class Steady:
    """One input's stable value, out of samples that may bounce."""

    def __init__(self, samples: int) -> None:
        """samples: so many in a row make a level stable."""
        self._needed = samples
        self._value: bool | None = None
        self._count = 0

    def sample(self, value: bool) -> bool:
        """Take the next sample; whether `value` is the new stable value with it. The first sample always is."""
        if value == self._value:
            self._count = 0
            return False
        self._count += 1
        if self._value is not None and self._count < self._needed:
            return False
        self._value, self._count = value, 0
        return True
