"""How does the server reach its database? One connection writes, under a lock; the others can only read.

SQLite before 3.51.3 may corrupt a WAL database when two connections write or checkpoint at one instant. So this
process has one write connection, no other process gets in (a lock file says who has it), and the write connection is
the last to be closed. On PostgreSQL the same holds, by an advisory lock.
"""

import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

from sqlalchemy import DateTime, Dialect, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session

from policy.terms import Instant
from server.errors import DatabaseError, FullError, MistakeError

log = logging.getLogger("loquet.server")

BUSY_SECONDS = 5
"""How long a statement waits for somebody else's lock (a backup, a shell)."""
RESERVE = 2**22
"""Bytes kept free beside an SQLite database for what must be stored when its disk is full."""
SHARE = 2**17
"""Bytes of it for one lockdown, or one command: it takes 20 kB, and what follows from it as much."""
CLAIM = int.from_bytes(b"loquet")
"""PostgreSQL's advisory lock that the one writer of a database holds."""
TAKEN = "another Loquet process has this database open; stop it first"

Result = TypeVar("Result")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC datetimes out; SQLite alone would hand back naive ones. Naive ones are refused."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone: the database keeps UTC only")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def moment(at: Instant) -> datetime:
    """The aware UTC datetime of an instant."""
    return datetime.fromtimestamp(at / 1000, UTC)


class Database:
    """`transaction()` to write, `reading()` to read. Raises DatabaseError, here and in both."""

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        self.name = self.url.render_as_string(hide_password=True)
        self._one_at_a_time = RLock()
        self._claim = _claim(self.url)
        self._writer = _engine(self.url, writes=True)
        self._readers = _engine(self.url, writes=False)
        self._reserve = _beside(self.url, "reserve") if self._claim is not None else None
        with explained(self.name):
            if self._claim is None:
                self._writer.connect().close()
        self._file = None if self._claim is None else _file(self.url)
        self._opened = _file_id(self._file)
        self._keep_reserve()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """The one write session: committed when the block ends well, else rolled back. Not to be nested.

        What is written to a file that was deleted or replaced is lost with the server's end: it is not committed.
        """
        with (
            self._one_at_a_time,
            explained(self.name),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
            self._check_file()

    def urgently(self, act: Callable[[Session], Result]) -> Result:
        """What `act` returns, in a transaction that a full disk does not keep from being stored (SQLite).

        The room for it lies in a file beside the database; a share of that is given up then, while nobody else writes,
        and taken again once there is room.
        """
        with self._one_at_a_time:
            try:
                return self._attempt(act)
            except FullError:
                if not self._give_up_share():
                    raise
                return self._attempt(act)
            finally:
                self._keep_reserve()

    def _attempt(self, act: Callable[[Session], Result]) -> Result:
        with self.transaction() as session:
            return act(session)

    def _give_up_share(self) -> bool:
        kept = _size(self._reserve)
        if self._reserve is None or kept == 0:
            return False
        os.truncate(self._reserve, max(0, kept - SHARE))
        log.error("%s: the disk is full; room kept for commands and lockdowns is used: make room", self.name)
        return True

    def _keep_reserve(self) -> None:
        kept = _size(self._reserve)
        if self._reserve is None or kept >= RESERVE:
            return
        try:
            made = os.open(self._reserve, os.O_CREAT | os.O_WRONLY, 0o600)
            try:
                os.posix_fallocate(made, 0, RESERVE)
            except OSError:
                os.ftruncate(made, kept)
                raise
            finally:
                os.close(made)
        except OSError as error:
            log.warning("%s: %d kB kept for commands and lockdowns (%s)", self._reserve, kept // 1000, error.strerror)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one moment of the database, and cannot write."""
        self._check_file()
        with explained(self.name), Session(self._readers) as session:
            yield session

    def _check_file(self) -> None:
        if _file_id(self._file) != self._opened:
            raise DatabaseError(
                f"{self._file}: was deleted or replaced under the running server: nothing is stored or acknowledged;"
                " stop the server, put the right file in its place, start it"
            )

    def close(self) -> None:
        """Readers first: so the last connection, which folds the write-ahead log back, is the one that writes."""
        self._readers.dispose()
        self._writer.dispose()
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None


def _size(file: Path | None) -> int:
    """Bytes; 0 for a file that is not there."""
    try:
        return 0 if file is None else file.stat().st_size
    except OSError:
        return 0


def _file_id(file: Path | None) -> tuple[int, int] | None:
    """Which file a path leads to; None for one that is not there, and without a path."""
    try:
        return None if file is None else ((found := file.stat()).st_dev, found.st_ino)
    except OSError:
        return None


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseError(f"database url {url!r}: write it as sqlite:////var/lib/loquet/loquet.db") from None
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise DatabaseError(f"database url {url!r}: a file is needed, what is only in memory would be lost")
    try:
        parsed.get_dialect().import_dbapi()
    except (ArgumentError, ImportError) as error:
        named = parsed.render_as_string(hide_password=True)
        raise DatabaseError(
            f"database url {named!r}: {error}; install that driver, or write it as sqlite:////var/lib/loquet/loquet.db"
        ) from None
    return parsed


def _file(url: URL) -> Path:
    """Of an SQLite database, whose name may be written as a URI."""
    return Path((url.database or "").removeprefix("file:"))


def _beside(url: URL, suffix: str) -> Path:
    """A file beside an SQLite database."""
    return Path(f"{_file(url)}.{suffix}")


def _claim(url: URL) -> int | None:
    """Take the lock file beside an SQLite database, for as long as this process has it open."""
    if url.get_backend_name() != "sqlite":
        return None
    path = _beside(url, "lock")
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


def _engine(url: URL, *, writes: bool) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=1 if writes else 8,
        max_overflow=0 if writes else 32,
        **(_sqlite() if sqlite else _postgresql(writes)),
    )
    if sqlite:
        event.listen(engine, "connect", _writing if writes else _reading)
        event.listen(engine, "begin", _begin_write if writes else _begin_read)
    elif writes:
        event.listen(engine, "connect", _claim_server)
    return engine


def _sqlite() -> dict[str, Any]:
    return {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False, "isolation_level": None}}


def _postgresql(writes: bool) -> dict[str, Any]:
    """A connection that was cut is made anew before anything is asked over it."""
    looks = {"isolation_level": "REPEATABLE READ", "execution_options": {"postgresql_readonly": True}}
    speaks = {"client_encoding": "utf8"}  # else SQLAlchemy gets bytes from a database that has no encoding
    return {"pool_pre_ping": True, "connect_args": speaks} | ({} if writes else looks)


def _claim_server(connection: Any, _record: Any) -> None:
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


def _writing(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    _hold_to(connection, journal_mode="wal", synchronous=2)


def _reading(connection: sqlite3.Connection, _record: Any) -> None:
    """A connection that never writes never checkpoints either, but for its close, when it is the last."""
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    _hold_to(connection, query_only=1, wal_autocheckpoint=0)


def _hold_to(connection: sqlite3.Connection, **wanted: object) -> None:
    """Raises DatabaseError when SQLite did not take a setting on which the data depend: it refuses without a word."""
    for pragma, value in wanted.items():
        (found,) = connection.execute(f"PRAGMA {pragma}").fetchone()
        if found != value:
            raise DatabaseError(
                f"SQLite {sqlite3.sqlite_version}: {pragma} is {found!r} and not {value!r}: no database is safe here;"
                " put it on a local disk, on no network file system"
            )


def _begin_write(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_read(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


REMEDIES = {
    "locked": "another program holds it; close that program, or wait until its backup is done",
    "full": "free space on the disk that holds it",
    "readonly": "the server's user must be allowed to write the file and its folder",
    "unable to open": "check that the folder exists and that the server's user may write to it",
    "malformed": "restore the last backup, and keep the broken file for a repair",
    "not a database": "the file is something else; correct the database url",
    "25006": "the server's user must be allowed to write to it",
    "42501": "the server's user must be allowed to: make that user the owner of the database",
    "53100": "free space on the disk that holds it",
    "53300": "more connections are wanted than it allows: see who has them, or raise its max_connections",
    "57P0": "it is being stopped or started; wait until it runs",
    "connection": "see that PostgreSQL runs there; the database url names a database of it, a user and their password",
}
"""By a word of SQLite's, or by PostgreSQL's SQLSTATE (its manual, appendix A): its words may be French."""
FULL = ("full", "53100")
MISTAKES = tuple(
    getattr(module, name) for module in (exc, sqlite3) for name in ("DataError", "IntegrityError", "ProgrammingError")
)


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn what the driver says into a DatabaseError with a remedy. name: the database, without its password."""
    try:
        yield
    except (DBAPIError, exc.TimeoutError, sqlite3.Error) as error:
        raise _explained(name, error) from error


def _explained(name: str, error: Exception) -> DatabaseError:
    cause = getattr(error, "orig", None) or error
    said = next(iter(str(cause).splitlines()), type(cause).__name__)  # what follows may quote what members did
    told = f"{getattr(cause, 'sqlstate', '')} {said}"
    sign = next((sign for sign in REMEDIES if sign in told), None)
    if sign is not None:
        return (FullError if sign in FULL else DatabaseError)(f"{name}: {said}; {REMEDIES[sign]}")
    if isinstance(error, MISTAKES):
        return MistakeError(
            f"{name}: {said}; this is a mistake in Loquet: report it, with the lines of the log around it"
        )
    return DatabaseError(f"{name}: {said}; see what the log of the database and the system's say, and its disk")
