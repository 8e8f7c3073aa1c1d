"""What does the lamp at a reader say? Read from its outputs, as eyes and ears would."""

from dataclasses import dataclass, field
from typing import TypeAlias

from edge.patterns import (
    CARNET_LOW,
    DARK,
    DOOR_FORCED,
    DOOR_HELD,
    ENROLLED,
    LAY_HERE,
    NO_RULES,
    OF_FAMILY,
    READER_FAULT,
    SOUND,
    TRY_AGAIN,
    TWO_CARDS,
    Levels,
    Signal,
)
from policy.terms import Instant

SIGNALS: dict[str, Signal] = {
    **{str(family): signal for family, signal in OF_FAMILY.items()},
    "carnet_low": CARNET_LOW,
    "two_cards": TWO_CARDS,
    "try_again": TRY_AGAIN,
    "no_rules": NO_RULES,
    "reader_fault": READER_FAULT,
    "door_held": DOOR_HELD,
    "door_forced": DOOR_FORCED,
    "sound": SOUND,
    "lay_here": LAY_HERE,
    "enrolled": ENROLLED,
}
AT_ONCE = 25
"""Outputs that move within so many ms are one change of the lamp."""
SILENCE = 2_000
"""A lamp that is dark for so long (ms) has ended its signal."""

REMEMBERED = 40
"""Frames."""
Frame: TypeAlias = tuple[Instant, Levels]
"""Since when the lamp shows what."""


@dataclass(slots=True)
class Lamp:
    """One lamp with its buzzer. Instants are ms of virtual time."""

    levels: Levels = DARK
    _frames: list[Frame] = field(default_factory=list)

    def move(self, light: str, active: bool, at: Instant) -> None:
        """An output moved: green, red or buzzer."""
        if self.levels == DARK and self._frames and at - self._frames[-1][0] >= SILENCE:
            self._frames = []
        self.levels = self.levels._replace(**{light: active})
        if self._frames and at - self._frames[-1][0] < AT_ONCE:
            self._frames[-1] = (self._frames[-1][0], self.levels)
        else:
            self._frames = [*self._frames[-REMEMBERED:], (at, self.levels)]

    def off(self) -> None:
        """The power is gone."""
        self.levels, self._frames = DARK, []

    def signal(self, at: Instant) -> str | None:
        """The name of the signal that is given, or was until a moment ago; None when there is none, or not yet."""
        if not self._frames or (self.levels == DARK and at - self._frames[-1][0] >= SILENCE):
            return None
        for start in range(len(self._frames)):
            seen = self._frames[start:]
            fitting = [name for name, signal in SIGNALS.items() if _fits(signal, seen)]
            if fitting:
                return min(fitting, key=lambda name: _distance(SIGNALS[name], seen))
        return None


def _fits(signal: Signal, seen: list[Frame]) -> bool:
    """Whether what was seen is how this signal begins. One that repeats may end, in the dark, at any moment."""
    rounds = len(seen) // len(signal.frames) + 1 if signal.repeats else 1
    expected = [levels for _, levels in signal.frames] * rounds + [DARK]
    told = [levels for _, levels in seen]
    if signal.repeats and len(told) > 1 and told[-1] == DARK:
        told.pop()
    return expected[: len(told)] == told


def _distance(signal: Signal, seen: list[Frame]) -> float:
    """How much the length of the first frame differs, ms; 0 while it lasts."""
    return abs(seen[1][0] - seen[0][0] - 1000 * signal.frames[0][0]) if len(seen) > 1 else 0.0
