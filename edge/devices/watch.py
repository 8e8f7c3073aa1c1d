"""How is a printer just now? Asked again and again, in a thread of its own: the controller never waits for it."""

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from edge.devices import http, printers
from edge.devices.http import Address, NoAnswerError
from edge.devices.printers import Reading
from edge.events import PrinterSaid
from edge.ports import Clock
from policy.terms import Instant
from wire.messages import PrinterState

PERIOD, LONGEST = 5.0, 60.0
"""Seconds from one question to the next; without an answer twice as long each time, up to LONGEST."""


@dataclass(frozen=True, slots=True)
class PrinterSetup:
    """The printer at a machine. kind: the program that is asked, of edge/devices/printers.py:KINDS."""

    machine: str
    kind: str
    address: Address


class PrinterWatch:
    """One printer. put: takes each of its words, and that there was none."""

    def __init__(self, setup: PrinterSetup, clock: Clock, put: Callable[[PrinterSaid], None]) -> None:
        self._setup = setup
        self._path = printers.KINDS[setup.kind].path
        self._clock = clock
        self._put = put
        self._last: tuple[PrinterState, bool] | None = None
        """The state, and whether the program answered."""
        self._since: Instant = 0
        self._answered: Instant | None = None
        self._pause = PERIOD

    def look(self) -> float:
        """Ask once and pass on what came; the seconds until to ask again."""
        reading, why = self._asked()
        self._pause = PERIOD if why is None else min(self._pause * 2, LONGEST)
        now = self._clock.now()
        if why is None:
            self._answered = now
        if (reading.state, why is None) != self._last:
            self._last, self._since = (reading.state, why is None), now if why is None else self._answered or now
        name = f"{self._setup.machine}.printer"
        said = PrinterSaid(now, self._clock.monotonic(), name, self._setup.kind, *reading, since=self._since, why=why)
        self._put(said)
        return self._pause

    def run(self, stopping: threading.Event, timeout: Callable[[float], float]) -> None:
        """Until the edge stops. timeout: real seconds to wait, at most, for this moment in monotonic seconds."""
        due = self._clock.monotonic() + self.look()
        while not stopping.wait(timeout(due)):
            if self._clock.monotonic() >= due:
                due = self._clock.monotonic() + self.look()

    def _asked(self) -> tuple[Reading, str | None]:
        """What came, and why nothing of use did. A mistake of ours too is no answer: it ends no thread."""
        try:
            return printers.read(self._setup.kind, http.get(self._setup.address, self._path)), None
        except (NoAnswerError, ValueError) as error:
            why = str(error)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]  # not its text, which may hold what was sent
            why = f"a mistake of ours, tell its makers: {type(error).__name__} in {where.name}, line {where.lineno}"
        return Reading(PrinterState.UNKNOWN), why
