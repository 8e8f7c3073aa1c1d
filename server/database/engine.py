"""How does the server reach its database? One connection writes, under a lock; the others can only read.

SQLite before 3.51.3 may corrupt a WAL database when two connections write or checkpoint at one instant. So this
process has one write connection, no other process gets in (a lock file says who has it), and the write connection is
the last to be closed. On PostgreSQL the same holds, by an advisory lock.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlmodel import Session

from server.database.claim import beside, claim_file, claim_server, file_of
from server.database.explained import explained
from server.database.reserve import Reserve
from server.errors import DatabaseError, FullError

BUSY_SECONDS = 5
"""How long a statement waits for somebody else's lock (a backup, a shell)."""
REWRITES = ("UPDATE journal_row", "DELETE FROM journal_row")
Result = TypeVar("Result")


class Database:
    """`transaction()` to write, `reading()` to read. Raises DatabaseError, here and in both."""

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        self.name = self.url.render_as_string(hide_password=True)
        self._one_at_a_time = RLock()
        self._claim = claim_file(self.url)
        self._writer = _engine(self.url, writes=True)
        self._readers = _engine(self.url, writes=False)
        self._reserve = Reserve(beside(self.url, "reserve") if self._claim is not None else None, self.name)
        with explained(self.name):
            if self._claim is None:
                self._writer.connect().close()
        self._file = None if self._claim is None else file_of(self.url)
        self._opened = _file_id(self._file)
        self._kept: dict[str, Any] = {}
        self._rewritten = 0
        self._rewrites = False
        event.listen(self._writer, "before_cursor_execute", self._watch)
        self._reserve.keep()

    @property
    def file(self) -> Path | None:
        """An SQLite database's; None of PostgreSQL."""
        return self._file

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """The one write session: committed when the block ends well, else rolled back. Not to be nested.

        What is written to a file that was deleted or replaced is lost with the server's end: it is not committed.
        """
        with self._one_at_a_time:
            with explained(self.name), Session(self._writer, expire_on_commit=False) as session, session.begin():
                yield session
                self._check_file()
            self._rewritten += self._rewrites  # once it is committed: who reads before that sees the rows as they were
            self._rewrites = False

    def _watch(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self._rewrites = self._rewrites or statement.startswith(REWRITES)

    def urgently(self, act: Callable[[Session], Result]) -> Result:
        """What `act` returns, in a transaction that a full disk does not keep from being stored (SQLite).

        The room for it lies in a file beside the database; a share of that is given up then, while nobody else writes,
        and taken again once there is room.
        """
        with self._one_at_a_time:
            try:
                return self._attempt(act)
            except FullError:
                if not self._reserve.give_up_share():
                    raise
                return self._attempt(act)
            finally:
                self._reserve.keep()

    def _attempt(self, act: Callable[[Session], Result]) -> Result:
        with self.transaction() as session:
            return act(session)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one moment of the database, and cannot write.

        info: `kept`, what queries keep between two sessions to reckon no more than what is new, and `rewritten`, how
        often journal rows that stood already were changed or deleted before this session began.
        """
        self._check_file()
        with (
            explained(self.name),
            Session(self._readers, info={"kept": self._kept, "rewritten": self._rewritten}) as session,
        ):
            yield session

    def wipe(self) -> bool:
        """Leave nothing of what was deleted in the write-ahead log, or in PostgreSQL's pages; false while a reader uses
        it still: try again later.
        """
        with self._one_at_a_time, explained(self.name), self._writer.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            if self._file is None:
                alone.exec_driver_sql("VACUUM")
                return True
            cursor = alone.connection.cursor()
            cursor.execute("PRAGMA busy_timeout=0")  # whoever wants to write is not to wait for a reader here
            busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
            return not busy

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


def files(url: str) -> tuple[Path, ...]:
    """Those in which an SQLite database lies; none of PostgreSQL's."""
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite":
        return ()
    return (file_of(parsed), *(Path(f"{file_of(parsed)}{end}") for end in ("-wal", "-shm", "-journal")))


@contextmanager
def beside_the_server(url: str) -> Iterator[Session]:
    """A session that reads a database, whether a server has it open or not. Raises DatabaseError."""
    parsed = _parse(url)
    name = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite" and not file_of(parsed).exists():
        raise DatabaseError(f"{name}: there is no such file")
    engine = _engine(parsed, writes=False)
    try:
        with explained(name), Session(engine) as session:
            yield session
    finally:
        engine.dispose()


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
        event.listen(engine, "connect", claim_server)
    return engine


def _sqlite() -> dict[str, Any]:
    return {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False, "isolation_level": None}}


def _postgresql(writes: bool) -> dict[str, Any]:
    """A connection that was cut is made anew before anything is asked over it."""
    looks = {"isolation_level": "REPEATABLE READ", "execution_options": {"postgresql_readonly": True}}
    speaks = {"client_encoding": "utf8"}  # else SQLAlchemy gets bytes from a database that has no encoding
    return {"pool_pre_ping": True, "connect_args": speaks} | ({} if writes else looks)


def _writing(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten, not only taken off the list
    _hold_to(connection, journal_mode="wal", synchronous=2, secure_delete=1)


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
