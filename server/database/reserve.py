"""How is a lockdown stored when the disk is full? In room that is kept free beside an SQLite database."""

import logging
import os
from pathlib import Path

log = logging.getLogger("loquet.server")

RESERVE = 2**22
"""Bytes kept free beside an SQLite database for what must be stored when its disk is full."""
SHARE = 2**17
"""Bytes of it for one lockdown, or one command: it takes 20 kB, and what follows from it as much."""


class Reserve:
    """The file that keeps the room. file: None where there is no disk of ours. name: the database, for the log."""

    def __init__(self, file: Path | None, name: str) -> None:
        self._file, self._name = file, name

    def give_up_share(self) -> bool:
        """Make room for one lockdown or command. False when nothing is left to give."""
        kept = self._size()
        if self._file is None or kept == 0:
            return False
        os.truncate(self._file, max(0, kept - SHARE))
        log.error("%s: the disk is full; room kept for commands and lockdowns is used: make room", self._name)
        return True

    def keep(self) -> None:
        """Take the whole room, as far as the disk has it."""
        kept = self._size()
        if self._file is None or kept >= RESERVE:
            return
        try:
            made = os.open(self._file, os.O_CREAT | os.O_WRONLY, 0o600)
            try:
                os.posix_fallocate(made, 0, RESERVE)
            except OSError:
                os.ftruncate(made, kept)
                raise
            finally:
                os.close(made)
        except OSError as error:
            log.warning("%s: %d kB kept for commands and lockdowns (%s)", self._file, kept // 1000, error.strerror)

    def _size(self) -> int:
        """Bytes; 0 for a file that is not there."""
        try:
            return 0 if self._file is None else self._file.stat().st_size
        except OSError:
            return 0
