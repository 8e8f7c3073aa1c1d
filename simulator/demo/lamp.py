"""What does the lamp at a reader say? Read from its outputs, as eyes and ears would."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import TypeAlias

from edge.patterns import (
    CARNET_LOW,
    CLOSED,
    DARK,
    DOOR_FORCED,
    DOOR_HELD,
    ENROLLED,
    LAY_HERE,
    MACHINE_ENDS_SOON,
    MACHINE_LOCKED_OUT,
    MACHINE_ON,
    MACHINE_OVERRUN,
    MACHINE_STOPPED,
    MOST_COUNTED,
    NO_RULES,
    OF_FAMILY,
    READER_FAULT,
    SOUND,
    TRY_AGAIN,
    TWO_CARDS,
    Levels,
    Signal,
    people_inside,
)
from policy.terms import Instant

SIGNALS: dict[str, Signal] = {
    **{str(family): signal for family, signal in OF_FAMILY.items()},
    "carnet_low": CARNET_LOW,
    "closed": CLOSED,
    **{f"people_inside_{people}": people_inside(people) for people in range(1, MOST_COUNTED + 1)},
    "two_cards": TWO_CARDS,
    "try_again": TRY_AGAIN,
    "no_rules": NO_RULES,
    "reader_fault": READER_FAULT,
    "door_held": DOOR_HELD,
    "door_forced": DOOR_FORCED,
    "sound": SOUND,
    "lay_here": LAY_HERE,
    "enrolled": ENROLLED,
    "machine_on": MACHINE_ON,
    "machine_ends_soon": MACHINE_ENDS_SOON,
    "machine_overrun": MACHINE_OVERRUN,
    "machine_stopped": MACHINE_STOPPED,
    "machine_locked_out": MACHINE_LOCKED_OUT,
}
AT_ONCE = 50
"""Outputs that move within so many ms are one change of the lamp: well below its shortest frame, 80."""
SILENCE = 2_000
"""A lamp that is dark for so long (ms) has ended its signal."""

CLOSE = 150
"""ms by which a frame may differ: time that passes faster makes frames less exact."""
REMEMBERED = 40
"""Frames."""
Frame: TypeAlias = tuple[Instant, Levels]
"""Since when the lamp shows what."""


@dataclass(slots=True)
class Lamp:
    """One lamp with its buzzer. Instants are ms of virtual time. at_machine: it has a machine's signals, too."""

    at_machine: bool = False
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
        frames = self._frames  # another thread may put others in their place meanwhile
        if not frames or (self.levels == DARK and at - frames[-1][0] >= SILENCE):
            return None
        likely = None
        for start in range(len(frames)):
            seen = frames[start:]
            fitting = {name: _distance(signal, seen, at) for name, signal in self._given() if _fits(signal, seen)}
            best = min(fitting, key=lambda name: fitting[name], default=None)
            if best is not None and fitting[best] <= CLOSE:
                return best
            likely = likely or best
        return likely

    def gave(self, signal: Signal) -> bool:
        """Whether it has just given all of this signal, which does not repeat, up to its last light."""
        shown = [levels for _, levels in _shown(signal)]
        while shown[-1] == DARK:
            shown.pop()
        seen = self._frames[-len(shown) - 1 :]
        return [levels for _, levels in seen] == [*shown, DARK] and _fits(signal, seen)

    def _given(self) -> Iterator[tuple[str, Signal]]:
        """The signals that can be given here: the end of another must not pass for a machine's at a door."""
        return ((name, one) for name, one in SIGNALS.items() if self.at_machine or not name.startswith("machine_"))


def _shown(signal: Signal) -> list[tuple[float, Levels]]:
    """Its frames as eyes see them: two that look the same, one after the other, are one. Seconds."""
    alike = groupby(signal.frames, key=lambda frame: frame[1])
    return [(sum(seconds for seconds, _ in frames), levels) for levels, frames in alike]


def _fits(signal: Signal, seen: list[Frame]) -> bool:
    """Whether what was seen is how this signal begins. One that repeats may end, in the dark, at any moment."""
    shown = _shown(signal)
    rounds = len(seen) // len(shown) + 1 if signal.repeats else 1
    expected = [levels for _, levels in shown] * rounds + [DARK]
    told = [levels for _, levels in seen]
    if signal.repeats and len(told) > 1 and told[-1] == DARK:
        told.pop()
    return expected[: len(told)] == told


def _distance(signal: Signal, seen: list[Frame], at: Instant) -> float:
    """How much the length of the frame that differs most differs, ms; of the one that lasts, how much longer it is."""
    lengths = [1000 * seconds for seconds, _ in _shown(signal)]
    gone = [after - before for (before, _), (after, _) in pairwise(seen)]
    whole = gone[:-1] if signal.repeats and len(gone) > 1 else gone  # its end may have cut the last one short
    apart = [abs(ms - lengths[number % len(lengths)]) for number, ms in enumerate(whole)]
    last = len(seen) - 1
    may_last = signal.repeats and (len(lengths) == 1 or seen[-1][1] == DARK)
    if not may_last and (signal.repeats or last < len(lengths)):
        apart.append(max(0, at - seen[-1][0] - lengths[last % len(lengths)]))
    return 0.0 if signal.repeats and len(lengths) == 1 else max(apart, default=0.0)
