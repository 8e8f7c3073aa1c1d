"""What do lamp and buzzer at a reader show? Signals as data, and the player that turns time into levels.

Colours always mean the same: green come in, red no, both together (amber) somebody must look. Nothing tells two kinds
of refusal apart by colour alone: each family blinks and sounds in its own way.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from policy.reasons import Family


class Levels(NamedTuple):
    """What the three outputs of one reader's lamp are at one moment."""

    green: bool = False
    red: bool = False
    buzzer: bool = False


DARK = Levels()
GREEN = Levels(green=True)
RED = Levels(red=True)
AMBER = Levels(green=True, red=True)


def _beep(levels: Levels) -> Levels:
    return levels._replace(buzzer=True)


@dataclass(frozen=True, slots=True)
class Signal:
    """Frames of (seconds, levels), played once or over and over."""

    frames: tuple[tuple[float, Levels], ...]
    repeats: bool = False

    @property
    def seconds(self) -> float:
        """How long one round lasts."""
        return sum(seconds for seconds, _ in self.frames)


def _blinks(times: int, levels: Levels, on: float, off: float) -> tuple[tuple[float, Levels], ...]:
    return ((on, levels), (off, DARK)) * times


OF_FAMILY = {
    Family.GRANTED: Signal(((0.15, _beep(GREEN)), (2.35, GREEN))),
    Family.SEE_DESK: Signal(((0.6, _beep(RED)), (1.4, RED))),
    Family.NOT_NOW: Signal((*_blinks(2, _beep(RED), 0.2, 0.2), (1.2, RED))),
    Family.CALL_GARDIEN: Signal((*_blinks(4, _beep(AMBER), 0.15, 0.15), (0.8, AMBER))),
}
"""For each family of decision."""

CARNET_LOW = Signal((*OF_FAMILY[Family.GRANTED].frames, (0.25, DARK), (0.6, AMBER)))
"""Come in, and look at what is left on your carnet, or how long it is valid (policy/passes.py:runs_low)."""

MOST_COUNTED = 10


def people_inside(people: int) -> Signal:
    """You may go, and so many are left inside: a blink for each, ten at most."""
    return Signal(
        ((0.15, _beep(GREEN)), (0.85, GREEN), (0.4, DARK), *_blinks(min(people, MOST_COUNTED), _beep(AMBER), 0.3, 0.3))
    )


PEOPLE_INSIDE = people_inside(3)
"""As drawn: three of them."""
CLOSED = Signal((*_blinks(2, _beep(GREEN), 0.5, 0.2), (1.1, GREEN)))
"""The gardien's second tap closed the place."""

CLOSING_SOON = Signal(_blinks(3, _beep(AMBER), 0.7, 0.3))
"""In a quarter of an hour nobody holds the place any more."""

TWO_CARDS = Signal(_blinks(3, _beep(RED), 0.08, 0.12) + _blinks(3, GREEN, 0.08, 0.12))
"""Red and green by turns: one badge at a time, please."""
TRY_AGAIN = Signal(_blinks(2, _beep(RED), 0.3, 0.2) + _blinks(2, GREEN, 0.3, 0.2))
"""Red and green by turns, slowly: try again, flat on the reader."""
NO_RULES = Signal(((0.1, AMBER), (1.9, DARK)), repeats=True)
"""A new device that waits for its first rules."""
READER_FAULT = Signal((*_blinks(2, RED, 0.1, 0.15), (1.5, DARK)), repeats=True)
"""The reader does not answer: try the other one, or ring."""
DOOR_HELD = Signal(((0.3, _beep(AMBER)), (1.7, AMBER)), repeats=True)
"""The door stands open for too long."""
DOOR_FORCED = Signal(_blinks(20, _beep(AMBER), 0.25, 0.25))
"""The door was opened without a grant."""
SOUND = Signal((*_blinks(8, _beep(GREEN), 0.1, 0.1), *_blinks(8, _beep(RED), 0.1, 0.1)))
"""Somebody at the server looks for this reader."""
LAY_HERE = Signal(((0.6, AMBER), (0.6, GREEN)), repeats=True)
"""The desk waits for somebody's new badge at this reader."""
ENROLLED = Signal(_blinks(3, _beep(GREEN), 0.08, 0.08))
"""That badge was read; nothing opened."""

MACHINE_ON = Signal(((60.0, GREEN),), repeats=True)
"""A session runs."""
MACHINE_ENDS_SOON = Signal(((0.3, _beep(AMBER)), (0.7, GREEN)), repeats=True)
"""A session ends within minutes, or must end because somebody left."""
MACHINE_OVERRUN = Signal(((0.5, _beep(AMBER)), (4.5, AMBER)), repeats=True)
"""A session runs on past its end."""
MACHINE_STOPPED = Signal(((0.5, RED), (0.5, DARK)), repeats=True)
"""The emergency stop was pressed: staff or a fab manager must put the machine back in service."""
MACHINE_LOCKED_OUT = Signal(((3.0, RED), (0.2, DARK)), repeats=True)
"""Out of service."""


@dataclass(slots=True)
class Player:
    """Plays signals on one lamp: a passing one over the standing one. Times are monotonic seconds."""

    standing: Signal | None = None
    _since: float = 0.0
    _passing: Signal | None = None
    _started: float = 0.0
    shown: Levels = field(default=DARK)

    def play(self, signal: Signal, mono: float) -> None:
        """Play once, now, whatever was playing."""
        self._passing, self._started = signal, mono

    def stand(self, signal: Signal | None, mono: float) -> None:
        """What to show when nothing else is; None for dark."""
        if signal is not self.standing:
            self.standing, self._since = signal, mono

    def levels(self, mono: float) -> Levels:
        """What the lamp shows at the moment."""
        frame = self._frame(mono)
        return frame[0] if frame else DARK

    def next_change(self, mono: float) -> float | None:
        """When the levels may change next; None when they stay."""
        frame = self._frame(mono)
        return frame[1] if frame else None

    def _frame(self, mono: float) -> tuple[Levels, float] | None:
        if self._passing and mono >= self._started + self._passing.seconds - EPSILON:
            self._passing = None
        if self._passing:
            return _frame_at(self._passing, self._started, mono)
        if self.standing is None:
            return None
        rounds = (mono - self._since + EPSILON) // self.standing.seconds
        return _frame_at(self.standing, self._since + rounds * self.standing.seconds, mono)


EPSILON = 1e-6
"""Seconds. Sums of frames are floats: a frame that ends within this is over."""


def _frame_at(signal: Signal, start: float, mono: float) -> tuple[Levels, float]:
    """The levels at the moment and when their frame ends; the last frame when rounding carried past it."""
    end = start
    for seconds, levels in signal.frames:
        end += seconds
        if mono < end - EPSILON:
            return levels, end
    return signal.frames[-1][1], end
