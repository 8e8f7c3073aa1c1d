"""What does systemd do with an edge that dies or falls silent? What its unit and drop-in say of it, in virtual time.

WatchdogSec, WatchdogSignal, TimeoutStopSec and ExecStopPost, of which `pinctrl set LINE op LEVEL` alone is known;
nothing else of the files is read.
"""

import re
from collections.abc import Callable

from simulator.board import Board

NOTICES = 0.3
"""Seconds from a death until its ExecStopPost has run: systemd on a Pi that is busy."""
PINCTRL = re.compile(r"-?\+/usr/bin/pinctrl set (\d+) op (dl|dh)")


class Service:
    """One start of the edge. kill: SIGKILL, and the kernel lets go of its lines. Times are monotonic seconds."""

    def __init__(self, files: str, board: Board, kill: Callable[[], object]) -> None:
        """files: the unit, and its drop-in behind it."""
        self._board = board
        self._kill = kill
        self._silence = float(_settings(files, "WatchdogSec")[-1])
        at_once = _settings(files, "WatchdogSignal")[-1:] == ["SIGKILL"]
        self._patience = 0.0 if at_once else float(_settings(files, "TimeoutStopSec")[-1])
        self._afterwards = [
            command for each in _settings(files, "ExecStopPost") if (command := PINCTRL.fullmatch(each))
        ]
        self._fed: float | None = None
        self._died: float | None = None

    def feed(self, at: float) -> None:
        """The edge says that it goes round."""
        self._fed = at

    def died(self, at: float) -> None:
        """The edge's process has ended."""
        self._died, self._fed = at, None

    def pass_time(self, at: float) -> None:
        """Do what is due. Whoever hangs hears no gentle signal: it is waited for in vain before it is killed."""
        if self._fed is not None and at >= self._fed + self._silence + self._patience:
            self._kill()
            self.died(at)
        if self._died is not None and at >= self._died + NOTICES:
            self._died = None
            for command in self._afterwards:
                self._board.poke(int(command[1]), int(command[2] == "dh"))


def _settings(files: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", files, re.MULTILINE)
