"""Who has the database? One process: beside SQLite a lock file says so, in PostgreSQL an advisory lock."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from server.errors import DatabaseError

CLAIM = int.from_bytes(b"loquet")
"""PostgreSQL's advisory lock that the one writer of a database holds."""
TAKEN = "another Loquet process has this database open; stop it first"


def file_of(url: URL) -> Path:
    """Of an SQLite database, whose name may be written as a URI."""
    return Path((url.database or "").removeprefix("file:"))


def beside(url: URL, suffix: str) -> Path:
    """A file beside an SQLite database."""
    return Path(f"{file_of(url)}.{suffix}")


def claim_file(url: URL) -> int | None:
    """Take the lock file beside an SQLite database, for as long as this process has it open."""
    if url.get_backend_name() != "sqlite":
        return None
    path = beside(url, "lock")
    try:
        claim = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise DatabaseError(f"{path}: {error.strerror}; check that the folder exists and may be written to") from None
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(claim)
        raise DatabaseError(f"{url.database}: {TAKEN}") from None
    _make_private(path.with_suffix(""))
    return claim


def _make_private(database: Path) -> None:
    """Make a new database's file for its owner alone: it names people. SQLite's other files take its rights over."""
    with suppress(OSError):  # there already; or not to be made, which the first statement says better
        os.close(os.open(database, os.O_CREAT | os.O_EXCL, 0o600))


def claim_server(connection: Any, _record: Any) -> None:
    """Keep every other process from writing to a PostgreSQL database, for as long as this connection lives.

    Where this one was cut off, the server shall notice within half a minute and let it in again.
    """
    (encoding,) = connection.execute("SHOW server_encoding").fetchone()
    if encoding != "UTF8":
        raise DatabaseError(
            f"{connection.info.dbname}: its encoding is {encoding}, which does not keep every name:"
            " make it anew with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        )
    for setting in ("idle = 10", "interval = 5", "count = 3"):
        connection.execute(f"SET tcp_keepalives_{setting}")
    (alone,) = connection.execute("SELECT pg_try_advisory_lock(%s)", [CLAIM]).fetchone()
    connection.commit()
    if not alone:
        raise DatabaseError(f"{connection.info.dbname}: {TAKEN}")
