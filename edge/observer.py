"""Who may watch an edge at work? The bench page: it gets plain values afterwards, and is never asked for anything."""

from collections.abc import Callable
from typing import Protocol

from wire.row import Row


class Observer(Protocol):
    """Called from the edge's own threads: return at once. Times in seconds; seq is the row's number at this edge."""

    def decided(
        self, row: Row, chip_seconds: float, chip_transfers: int, decision_seconds: float, actuator_seconds: float
    ) -> None:
        """A tap was decided and the outputs have moved."""

    def journalled(self, seq: int, seconds: float) -> None:
        """A row is on the disk, so long after it was handed over."""

    def acknowledged(self, seq: int, seconds: float) -> None:
        """The server has this row and all before it, so long after it was sent."""

    def output(self, name: str, active: bool) -> None:
        """An output was driven."""


class Nobody:
    """The observer of an edge that nobody watches."""

    def decided(
        self, row: Row, chip_seconds: float, chip_transfers: int, decision_seconds: float, actuator_seconds: float
    ) -> None: ...

    def journalled(self, seq: int, seconds: float) -> None: ...

    def acknowledged(self, seq: int, seconds: float) -> None: ...

    def output(self, name: str, active: bool) -> None: ...


class Telling:
    """Passes on what an observer hears; says the row besides that the server has."""

    def __init__(self, observer: Observer, say: Callable[[int], object]) -> None:
        self._say = say
        self.decided, self.journalled, self.output = observer.decided, observer.journalled, observer.output
        self._acknowledged = observer.acknowledged

    def acknowledged(self, seq: int, seconds: float) -> None:
        self._say(seq)
        self._acknowledged(seq, seconds)
