"""What do readers and inputs say? One thread asks them all, a hundred times a second, and passes on what changed."""

from collections import deque
from collections.abc import Callable, Sequence

from edge.events import Event, InputChanged
from edge.hardware.lines import InputSpec
from edge.ports import Clock, Pins, Reader
from edge.taps import Walls
from edge.unsteady import Steadiness
from policy.terms import Instant

PERIOD = 0.01
"""Seconds from one round to the next."""
REST = 0.005
"""Seconds of rest after a round that took long, so that others get the processor."""


class Poller:
    """The readers of one bus, and the inputs. put: takes what happened. walls: between the readers of each door."""

    def __init__(
        self,
        readers: Sequence[Reader],
        pins: Pins,
        inputs: Sequence[InputSpec],
        clock: Clock,
        put: Callable[[Event], None],
        walls: Walls,
    ) -> None:
        self._readers = readers
        self._pins = pins
        self._clock = clock
        self._put = put
        self._walls = walls
        self._samples = {spec.name: spec.samples for spec in inputs}
        self._inputs = {spec.name: Steadiness(spec.name) for spec in inputs}
        self._rounds: deque[tuple[Instant, float]] = deque(maxlen=max(self._samples.values(), default=1))
        """Both clocks at the last samples of the inputs, by which a change is dated back to its first."""
        self.rounds = 0
        """How many have ended: one that is held up by a reader or an input never does."""

    def look(self) -> None:
        """One round."""
        for reader in self._readers:
            sighting = reader.poll()
            if reader.unidentified:
                self._walls.obscured(reader.name, self._clock.monotonic())
            told = None if sighting is None else self._walls.judge(sighting)
            if told is not None:
                self._put(told)
        self._look_at_inputs()
        self.rounds += 1

    def _look_at_inputs(self) -> None:
        now = self._clock.now(), self._clock.monotonic()
        self._rounds.append(now)
        for name, active in self._pins.sample().items():
            first = self._rounds[-min(self._samples[name], len(self._rounds))]
            for event in self._inputs[name].changed(InputChanged(*first, name, active)):
                self._put(event)
        for steadiness in self._inputs.values():
            for event in steadiness.passed(*now):
                self._put(event)

    def run(self, stopping: Callable[[], bool]) -> None:
        """Round after round, by the edge's clock."""
        while not stopping():
            started = self._clock.monotonic()
            self.look()
            self._clock.sleep(max(PERIOD - (self._clock.monotonic() - started), REST))
