"""What can go wrong with the journal's file, in words that name it and the remedy: a disk that will not, or damage."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class JournalError(Exception):
    """The journal cannot be used now: disk, rights, another process. Trying again helps once that is mended."""


class JournalMistakeError(JournalError):
    """A mistake of whoever installs, and no trouble with a disk: no folder, another program's file, two edges at once.

    The only error with which an edge does not start.
    """


class JournalDamagedError(JournalError):
    """What lies in the file is not what was written there. Trying again does not help: edge/rescue.py does."""


UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""SQLite's errors; the second where it names a broken thing, whose name Python cannot read."""
_REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full: make room",
    sqlite3.SQLITE_READONLY: "cannot be written: give it to the user that runs the edge, on a disk mounted for writing",
    sqlite3.SQLITE_BUSY: "another process has it open: end it",
    sqlite3.SQLITE_IOERR: "the disk refuses it: see that it is well and has room",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: see that it is a file of the user that runs the edge",
    sqlite3.SQLITE_PERM: "cannot be opened: see that it is a file of the user that runs the edge",
}


_PASSING = (
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_ABORT,
)
"""What is nobody's damage and has no remedy of its own."""


def _worded(path: Path, error: Exception) -> JournalError:
    """What is not known to be something else is damage: that leaves no edge without a journal."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    remedy = _REMEDIES.get(code)
    if code == sqlite3.SQLITE_BUSY:
        return JournalMistakeError(f"{path}: {remedy} ({error})")
    if remedy is not None or code in _PASSING:
        return JournalError(f"{path}: {remedy or 'SQLite refuses it'} ({error})")
    return JournalDamagedError(f"{path}: damaged ({error})")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say what SQLite says of a file as one of the two errors."""
    try:
        yield
    except UNREADABLE as error:
        raise _worded(path, error) from error
