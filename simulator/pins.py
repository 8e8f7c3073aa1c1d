"""Pins without a Pi: the Pins port for tests, replay and the simulated world."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edge.hardware.lines import InputSpec, OutputSpec, Steady, check_lines
from edge.ports import Clock


class Moved(NamedTuple):
    """An output was driven to another value. mono: monotonic clock, seconds."""

    mono: float
    output: str
    active: bool


class SimulatedPins:
    """The `Pins` port. Tells what was done to its outputs and lets a test move its inputs.

    moves: every change of an output, in order. Raises LineError for a line or a name used twice, as the real one does.
    """

    def __init__(self, outputs: Sequence[OutputSpec], inputs: Sequence[InputSpec], clock: Clock) -> None:
        check_lines(outputs, inputs)
        self.moves: list[Moved] = []
        self._clock = clock
        self._outputs = {spec.name: False for spec in outputs}
        self._inputs = {spec.name: False for spec in inputs}
        self._steady = {spec.name: Steady(spec.samples) for spec in inputs}

    def set(self, output: str, active: bool) -> None:
        """Drive an output. Raises KeyError for one that is not there."""
        if self._outputs[output] != active:
            self._outputs[output] = active
            self.moves.append(Moved(self._clock.monotonic(), output, active))

    def is_active(self, output: str) -> bool:
        """Whether an output is driven."""
        return self._outputs[output]

    def put(self, name: str, active: bool) -> None:
        """Let the world move an input. Raises KeyError for one that is not there."""
        if name not in self._inputs:
            raise KeyError(name)
        self._inputs[name] = active

    def sample(self) -> Mapping[str, bool]:
        """As in edge/ports.py; call it each 10 ms."""
        return {name: active for name, active in self._inputs.items() if self._steady[name].sample(active)}

    def close(self) -> None:
        """Put every output to its safe value."""
        for output in self._outputs:
            self.set(output, active=False)
