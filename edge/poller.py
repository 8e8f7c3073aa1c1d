"""What do readers and inputs say? One thread asks them all, a hundred times a second, and passes on what changed."""

from collections.abc import Callable, Sequence

from edge.events import Event, InputChanged
from edge.ports import Clock, Pins, Reader
from edge.taps import Walls

PERIOD = 0.01
"""Seconds from one round to the next."""
REST = 0.005
"""Seconds of rest after a round that took long, so that others get the processor."""


class Poller:
    """The readers of one bus, and the inputs. put: takes what happened. walls: between the readers of each door."""

    def __init__(
        self, readers: Sequence[Reader], pins: Pins, clock: Clock, put: Callable[[Event], None], walls: Walls
    ) -> None:
        self._readers = readers
        self._pins = pins
        self._clock = clock
        self._put = put
        self._walls = walls

    def look(self) -> None:
        """One round."""
        for reader in self._readers:
            sighting = reader.poll()
            told = None if sighting is None else self._walls.judge(sighting)
            if told is not None:
                self._put(told)
        for name, active in self._pins.sample().items():
            self._put(InputChanged(self._clock.now(), self._clock.monotonic(), name, active))

    def run(self, stopping: Callable[[], bool]) -> None:
        """Round after round, by the edge's clock."""
        while not stopping():
            started = self._clock.monotonic()
            self.look()
            self._clock.sleep(max(PERIOD - (self._clock.monotonic() - started), REST))
