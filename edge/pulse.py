"""How does a machine's relay hear that its edge lives? Its line is not held, it is moved up and down.

Between line and relay is a retriggerable monostable, which lets go of the relay some 0.5 s after the last rise
(docs/wiring.md). The line moves only when readers and inputs were looked at and the outputs decided since: whatever
hangs or dies, and at whatever level it leaves the line, there is no next rise.
"""

from collections.abc import Iterable, Mapping

from edge.hardware.lines import OutputSpec
from edge.ports import Clock, Pins

MOVES_EVERY = 0.05
"""Seconds from one move to the next: ten rises a second."""


class Pulses:
    """The `Pins` port over another: outputs that are `pulse` go up and down with `beat` while they are active."""

    def __init__(self, pins: Pins, outputs: Iterable[OutputSpec], clock: Clock) -> None:
        self._pins = pins
        self._pulsed = frozenset(spec.name for spec in outputs if spec.pulse)
        self._clock = clock
        self._levels: dict[str, bool] = {}
        """Of those that are active now."""
        self.deadline: float | None = None
        """When the next move is due, monotonic seconds; None while there is none."""

    def set(self, output: str, active: bool) -> None:
        """As in edge/ports.py; a pulsed one rises, or rests, at once."""
        if output in self._pulsed:
            self._levels.pop(output, None)
            if active:
                self._levels[output] = True
                self.deadline = self._clock.monotonic() + MOVES_EVERY
            elif not self._levels:
                self.deadline = None
        self._pins.set(output, active)

    def beat(self) -> None:
        """Everything that has a say in the outputs went round: move what is active, if it is time."""
        if self.deadline is None or self._clock.monotonic() < self.deadline:
            return
        self.deadline = self._clock.monotonic() + MOVES_EVERY
        for output, level in self._levels.items():
            self._levels[output] = not level
            self._pins.set(output, not level)

    def sample(self) -> Mapping[str, bool]:
        return self._pins.sample()

    def close(self) -> None:
        self._pins.close()
