"""Who was erased, though an older copy of the database still has them? A file that no restore of the database touches.

It has a line for each erasure: when, and a keyed hash of the member's id, which without the site's credential key says
nothing. Whom an older copy brings back the server erases anew at its start, before any door hears of them
(server/stored_site.py:erase_again), by whatever the copy came back: `loquet server restore`, `pg_restore`, a file.
"""

import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from server.database.claim import beside
from server.errors import DatabaseError

NOTED = "erased"
"""The file's suffix."""
NOWHERE = (
    "server.toml: no socket for a PostgreSQL database: who is erased is noted nowhere, and an older copy would"
    " bring them back; name a socket in a folder of the server's own, as server/sample.toml shows"
)
_PREFIX = b"erased\n"
"""No badge's number begins so: a member's hash is none of a badge."""


def place(url: str, control: Path | None) -> Path | None:
    """Where the file is: beside an SQLite database; for PostgreSQL beside the server's socket, None without one."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return beside(parsed, NOTED)
    return None if control is None else control.with_name(f"{parsed.database or control.name}.{NOTED}")


def digest(pseudonym: Callable[[bytes], str], member: str) -> str:
    """pseudonym: by the site's credential key, as of a badge's number."""
    return pseudonym(_PREFIX + member.encode())


def note(file: Path, at: datetime, known: str) -> None:
    """Keep that somebody is erased now. known: their digest. Raises DatabaseError: then they are not to be erased."""
    try:
        with open(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "w", encoding="ascii") as lines:
            lines.write(f"\n{at.astimezone(UTC).isoformat()} {known}\n")  # behind half a line, of a full disk, too
            lines.flush()
            os.fsync(lines.fileno())
    except OSError as error:
        raise DatabaseError(f"{file}: cannot be written ({error.strerror}): nobody was erased; make room") from None


def noted(file: Path) -> dict[str, datetime]:
    """When each was erased last, by their digest. Raises DatabaseError."""
    try:
        written = file.read_text(encoding="ascii").splitlines() if file.exists() else []
    except (OSError, ValueError) as error:
        raise DatabaseError(
            f"{file}: cannot be read ({error}): who was erased would come back; make it the server's to read"
        ) from None
    found = {}
    for number, line in enumerate(written, 1):
        match line.split():
            case [at, known]:
                found[known] = _instant(file, number, at)
    return found


def _instant(file: Path, number: int, written: str) -> datetime:
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        raise DatabaseError(
            f"{file}: line {number} begins with {written!r}, which is no instant: who was erased would come back; "
            "correct it as 2026-11-30T07:00:00+00:00, or take the line from a copy of the file"
        ) from None


def since(file: Path, copy: sqlite3.Connection) -> int:
    """How many the server erased after the copy was made: later than the last line of its audit."""
    (last,) = copy.execute("SELECT max(at) FROM audit").fetchone()
    made = datetime.min.replace(tzinfo=UTC) if last is None else datetime.fromisoformat(last).replace(tzinfo=UTC)
    return sum(at > made for at in noted(file).values())
