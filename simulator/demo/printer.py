"""What does the demo's first printer do? It prints while a session gives it power, and tells it as Klipper does.

Its program (simulator/printer_program.py) listens on the loopback and lives in the demo's time: a print takes as long
as it would, and its bed cools before it is idle.
"""

from collections.abc import Callable, Sequence
from typing import Any

from policy.terms import HOUR, MINUTE, Instant
from simulator.printer_program import PrinterProgram
from wire.messages import PrinterState

MACHINE = "printer-1"
HEATS: Instant = 3 * MINUTE
COOLS: Instant = 6 * MINUTE
SHORT: Instant = 30 * MINUTE
LONG: Instant = 2 * HOUR + 4 * MINUTE
"""The day's first print is the long one: it runs over its booking (simulator/demo/fablab.py)."""
LONG_ONE: Instant = 6 * HOUR
"""A print is the day's first when none began for so long."""


class DemoPrinter(PrinterProgram):
    """clock: the demo's time, ms since 1970 UTC. Listens from its making to `close`."""

    def __init__(self, clock: Callable[[], Instant]) -> None:
        self._clock = clock
        self._began: Instant | None = None
        self._last: Instant | None = None
        self._lasts = SHORT
        self._goes_on = False
        super().__init__("moonraker")

    def power(self, on: bool) -> None:
        """Its machine gets power, and a print begins; or it is cut, and what was printed is lost."""
        if self._goes_on:
            self._goes_on = not on
        elif on:
            self._print(self._clock())
        else:
            self._began = None

    def goes_on(self, began: Sequence[Instant]) -> None:
        """The demo was ended while it printed, and no time has passed since: it does when it has power again.

        began: when the day's prints were, the last one's included.
        """
        self._goes_on = bool(began)
        for at in began:
            self._print(at)

    def _print(self, at: Instant) -> None:
        self._lasts = LONG if self._last is None or at - self._last >= LONG_ONE else SHORT
        self._began = self._last = at

    def does(self) -> tuple[PrinterState, int | None]:
        """What it does now, and for how many seconds it still prints."""
        if self._began is None:
            return PrinterState.IDLE, None
        spent = self._clock() - self._began - HEATS
        if spent < 0:
            return PrinterState.BUSY, None
        if spent < self._lasts:
            return PrinterState.PRINTING, (self._lasts - spent) // 1000
        return PrinterState.BUSY if spent < self._lasts + COOLS else PrinterState.IDLE, None

    def answer(self, path: str, query: dict[str, list[str]]) -> dict[str, Any] | None:
        """As in PrinterProgram."""
        self.state, self.left = self.does()
        return super().answer(path, query)
