"""Who was erased, though an older copy of the database still has them? Two files beside an SQLite database.

`.erased` has a line for each erasure: when, and a keyed hash of the member's id, which without the site's credential
key says nothing. `loquet server restore` writes those that are younger than its copy to `.erase-again`, and the server
erases them anew at its start, before any door hears of them (server/changes/erasure.py:erase_again).
"""

import os
import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from server.errors import DatabaseError

NOTED, AGAIN = "erased", "erase-again"
"""Suffixes of the two files."""
_PREFIX = b"erased\n"
"""No badge's number begins so: a member's hash is none of a badge."""


def digest(pseudonym: Callable[[bytes], str], member: str) -> str:
    """pseudonym: by the site's credential key, as of a badge's number."""
    return pseudonym(_PREFIX + member.encode())


def note(database: Path, at: datetime, known: str) -> None:
    """Keep that somebody is erased now. known: their digest. Raises DatabaseError: then they are not to be erased."""
    file = _of(database, NOTED)
    try:
        with open(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "w", encoding="ascii") as lines:
            lines.write(f"\n{at.astimezone(UTC).isoformat()} {known}\n")  # behind half a line, of a full disk, too
            lines.flush()
            os.fsync(lines.fileno())
    except OSError as error:
        raise DatabaseError(f"{file}: cannot be written ({error.strerror}): nobody was erased; make room") from None


def since(database: Path, copy: sqlite3.Connection) -> list[str]:
    """Digests of whom the server erased after the copy was made: later than the last line of its audit."""
    (last,) = copy.execute("SELECT max(at) FROM audit").fetchone()
    made = datetime.min.replace(tzinfo=UTC) if last is None else datetime.fromisoformat(last).replace(tzinfo=UTC)
    lines = (line.split() for line in _lines(_of(database, NOTED)))
    return [line[1] for line in lines if len(line) == len(("at", "digest")) and datetime.fromisoformat(line[0]) > made]


def ask_again(database: Path, digests: Iterable[str]) -> None:
    """Have the next start erase them, beside whom an earlier restore asked for."""
    file = _of(database, AGAIN)
    wanted, new = sorted({*_lines(file), *digests}), _of(database, f"{AGAIN}.new")
    if wanted:
        with open(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="ascii") as lines:
            lines.write("".join(f"{one}\n" for one in wanted))
            lines.flush()
            os.fsync(lines.fileno())
        if os.geteuid() == 0:  # by sudo: the server reads it, and removes it
            there = database.parent.stat()
            os.chown(new, there.st_uid, there.st_gid)
        os.replace(new, file)  # its folder is settled with the database's (server/backups/restore.py)


def asked(database: Path) -> set[str]:
    """Digests of whom the start erases."""
    return set(_lines(_of(database, AGAIN)))


def done(database: Path) -> None:
    _of(database, AGAIN).unlink(missing_ok=True)


def _of(database: Path, suffix: str) -> Path:
    return database.with_name(f"{database.name}.{suffix}")


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="ascii").splitlines() if file.exists() else []
