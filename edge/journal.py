"""What happened at this edge, and how much of it has the server? SQLite, on disk before anything is told.

One connection, owned by one thread: SQLite before 3.51.3 can corrupt a WAL database that two connections write at one
instant, so the file is locked for this process (locking_mode=EXCLUSIVE). WAL with synchronous=FULL: one fsync for each
transaction (sqlite.org/wal.html, sqlite.org/pragma.html).
"""

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from edge.knowledge import MOST_HEARD, Positions
from policy.instants import instant
from policy.terms import DAY, ClockState, Instant
from wire.errors import WireError
from wire.row import Row, decode, encode

FORMAT = 2
KEEP: Instant = 30 * DAY
"""How long an acknowledged row stays (promises.md, "The law")."""
PRUNED_AT_ONCE = 1000
PAGES = "page_size=1024"
"""Bytes. A row is some 350: with small pages its commit writes a third of what it would with SQLite's own 4,096."""
HELD_TO = {"locking_mode": "exclusive", "journal_mode": "wal", "synchronous": 2}
"""Settings on which the data depend: where SQLite cannot have one it goes on without a word."""

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE journal (seq INTEGER PRIMARY KEY, at INTEGER, row BLOB NOT NULL);
CREATE TABLE kept (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""
_HEARD = (
    "CREATE TABLE heard (id INTEGER PRIMARY KEY, edge TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL,"
    " received INTEGER, row BLOB NOT NULL, UNIQUE (edge, journal, seq))"
)
"""Rows of other edges that no state of the server includes yet. received: NULL where the clock was not trusted."""

_INTO_HEARD = "INSERT OR IGNORE INTO heard (edge, journal, seq, received, row) VALUES (?, ?, ?, ?, ?)"
_CAP_HEARD = (
    "DELETE FROM heard WHERE edge = ? AND id <= (SELECT id FROM heard WHERE edge = ? ORDER BY id DESC LIMIT 1 OFFSET ?)"
)


class JournalError(Exception):
    """The journal cannot be used now: disk, rights, another process. Trying again helps once that is mended."""


class JournalDamagedError(JournalError):
    """What lies in the file is not what was written there. Trying again does not help: edge/rescue.py does."""


class Told(NamedTuple):
    """Rows of one journal of another edge. received: None when the clock was not trusted then."""

    edge: str
    journal: str
    received: Instant | None
    rows: Sequence[tuple[int, bytes]]


class Journal:
    """The journal's file. id: random, made with the file. Rows are numbered from 1, without gaps.

    last_seq: the newest row, 0 for none. acknowledged: the server has this row and all before it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises JournalError, and JournalDamagedError for a file that cannot be read."""
        self.path = path
        self.id = ""
        self.last_seq = self.acknowledged = self._written = 0
        if not path.parent.is_dir():
            raise JournalError(f"{path}: no folder {path.parent}: make it, owned by the user that runs the edge")
        with self._told():
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
        try:
            with self._told():
                self._open()
        except JournalError:
            self._db.close()
            raise

    def append(self, rows: Sequence[Row]) -> None:
        """Put rows on the disk, all or none. Raises ValueError when the first does not follow the last row here."""
        for expected, row in enumerate(rows, self.last_seq + 1):
            if row.seq != expected:
                raise ValueError(f"{self.path}: row {row.seq} after row {expected - 1}: the journal takes no gap")
        with self._told(), self._transaction():
            self._db.executemany("INSERT INTO journal VALUES (?, ?, ?)", [_stored(row) for row in rows])
            if self._written != self.acknowledged:
                self._set("acknowledged", self.acknowledged)
        self._written = self.acknowledged
        self.last_seq += len(rows)

    def acknowledge(self, seq: int) -> None:
        """Note that the server has row `seq` and all before it. Raises ValueError above the last row.

        On disk with the next rows, or at `close`: what is forgotten in a power cut is only sent once more.
        """
        if seq > self.last_seq:
            raise ValueError(f"{self.path}: row {seq} acknowledged, the last is {self.last_seq}")
        self.acknowledged = max(self.acknowledged, seq)

    def rewind(self, seq: int) -> bool:
        """Take rows above `seq` as not acknowledged; whether all of them are still here."""
        with self._told():
            first = self._db.execute("SELECT min(seq) FROM journal").fetchone()[0]
        if first is None or first > seq + 1:
            return False
        self.acknowledged = min(self.acknowledged, seq)
        return True

    def after(self, seq: int, limit: int) -> list[tuple[int, bytes]]:
        """(seq, bytes as they cross the wire) of at most `limit` rows after row `seq`."""
        with self._told():
            found = self._db.execute("SELECT seq, row FROM journal WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))
            return found.fetchall()

    def newest_first(self) -> Iterator[Row]:
        """All rows, the newest first, read as they are asked for."""
        with self._told():
            for seq, row in self._db.execute("SELECT seq, row FROM journal ORDER BY seq DESC"):
                yield self._decoded(seq, row)

    def rows(self, since: int = 1, limit: int = -1) -> list[Row]:
        """At most `limit` rows from `since` on, oldest first; all of them when it is left out."""
        found_from = "SELECT seq, row FROM journal WHERE seq >= ? ORDER BY seq LIMIT ?"
        with self._told():
            found = self._db.execute(found_from, (since, limit))
            return [self._decoded(seq, row) for seq, row in found]

    def hear(self, batch: Iterable[Told]) -> list[int]:
        """Put rows of other edges on the disk, all or none; the numbers of those that are new here."""
        new: list[int] = []
        with self._told(), self._transaction():
            for told in batch:
                for seq, row in told.rows:
                    values = (told.edge, told.journal, seq, told.received, row)
                    if self._db.execute(_INTO_HEARD, values).rowcount:
                        new.append(seq)
                if new:
                    self._db.execute(_CAP_HEARD, (told.edge, told.edge, MOST_HEARD))
        return new

    def heard(self) -> list[Told]:
        """All rows of other edges, in the order in which they came."""
        with self._told():
            found = self._db.execute("SELECT edge, journal, received, seq, row FROM heard ORDER BY id")
            return [Told(edge, journal, received, ((seq, row),)) for edge, journal, received, seq, row in found]

    def keep(self, values: Mapping[str, bytes | None], included: Positions | None = None) -> None:
        """Keep bytes under their names, all in one transaction; None forgets a name.

        included: up to where rows of other edges are in what is kept; they are forgotten.
        """
        with self._told(), self._transaction():
            for name, value in values.items():
                self._db.execute("DELETE FROM kept WHERE name = ?", (name,))
                if value is not None:
                    self._db.execute("INSERT INTO kept VALUES (?, ?)", (name, value))
            reached = [(e, j, seq) for e, journals in (included or {}).items() for j, seq in journals.items()]
            self._db.executemany("DELETE FROM heard WHERE edge = ? AND journal = ? AND seq <= ?", reached)

    def kept(self) -> dict[str, bytes]:
        """All that is kept, in one read."""
        with self._told():
            return dict(self._db.execute("SELECT name, value FROM kept"))

    def prune(self, now: Instant) -> int:
        """Delete acknowledged rows older than 30 days, at most 1,000 at once; how many it were.

        Rows are judged by the instants of trusted clocks; what lies before an old row is old.
        """
        oldest = "SELECT seq, at FROM journal WHERE seq <= ? ORDER BY seq LIMIT ?"
        with self._told(), self._transaction():
            self._prune_heard(now)
            found = self._db.execute(oldest, (self.acknowledged, PRUNED_AT_ONCE))
            old = max((seq for seq, at in found if at is not None and at < now - KEEP), default=0)
            if not old:
                return 0
            self._set("pruned", old)
            deleted = self._db.execute("DELETE FROM journal WHERE seq <= ?", (old,)).rowcount
        with self._told():
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return deleted

    def _prune_heard(self, now: Instant) -> None:
        """Rows of others are kept for 30 days, too; where nobody knows since when, from now on."""
        self._db.execute("UPDATE heard SET received = ? WHERE received IS NULL", (now,))
        self._db.execute("DELETE FROM heard WHERE received < ?", (now - KEEP,))

    def save(self) -> None:
        """Put on the disk what was acknowledged; that also tries out whether the disk can be written."""
        with self._told(), self._transaction():
            self._set("acknowledged", self.acknowledged)
        self._written = self.acknowledged

    def close(self) -> None:
        """Write what was acknowledged and let go of the file. Never raises: all that matters is on disk already."""
        with suppress(JournalError):
            self.save()
        with suppress(sqlite3.Error):
            self._db.close()

    def _open(self) -> None:
        for pragma in (PAGES, "locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            self._db.execute(f"PRAGMA {pragma}")
        for pragma, wanted in HELD_TO.items():
            (found,) = self._db.execute(f"PRAGMA {pragma}").fetchone()
            if found != wanted:
                raise JournalError(f"{self.path}: SQLite keeps {pragma} at {found!r}: put it on a local disk")
        if not self._db.execute("SELECT 1 FROM sqlite_master").fetchone():
            self._make()
        self._bring_up_to_date()
        meta = dict(self._db.execute("SELECT name, value FROM meta"))
        if meta.get("format") != FORMAT:
            raise JournalError(
                f"{self.path}: format {meta.get('format')}, not {FORMAT}: another version's; update Loquet"
            )
        self.id, self.acknowledged = meta["id"], meta["acknowledged"]
        self._written = self.acknowledged
        last = self._db.execute("SELECT seq, row FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        self.last_seq = self._decoded(*last).seq if last else meta["pruned"]
        if self.last_seq < max(self.acknowledged, meta["pruned"]):
            raise JournalDamagedError(f"{self.path}: ends at row {self.last_seq}, {self.acknowledged} is acknowledged")

    def _bring_up_to_date(self) -> None:
        """A journal of format 1 knew no other edges."""
        if self._db.execute("SELECT value FROM meta WHERE name = 'format'").fetchone() == (1,):
            with self._transaction():
                self._db.execute(_HEARD)
                self._set("format", FORMAT)

    def _make(self) -> None:
        with self._transaction():
            for statement in (*_TABLES.strip().split("\n"), _HEARD):
                self._db.execute(statement)
            for name, value in (("id", secrets.token_hex(8)), ("format", FORMAT), ("acknowledged", 0), ("pruned", 0)):
                self._set(name, value)

    def _decoded(self, seq: int, row: bytes) -> Row:
        try:
            decoded = decode(row, f"{self.path} row {seq}")
        except WireError as error:
            raise JournalDamagedError(str(error)) from None
        if decoded.seq != seq:
            raise JournalDamagedError(f"{self.path}: row {seq} says that it is row {decoded.seq}")
        return decoded

    def _set(self, name: str, value: str | int) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say what SQLite says in words that name the file and the remedy."""
        try:
            yield
        except sqlite3.Error as error:
            raise _explained(self.path, error) from error


def _stored(row: Row) -> tuple[int, Instant | None, bytes]:
    """Row as it lies in the table. at: None when the clock was not trusted."""
    at = None if row.clock is ClockState.UNKNOWN else instant(row.at)
    return row.seq, at, encode(row)


_REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full: make room",
    sqlite3.SQLITE_READONLY: "cannot be written: give it to the user that runs the edge, on a disk mounted for writing",
    sqlite3.SQLITE_BUSY: "another process has it open: end it",
    sqlite3.SQLITE_IOERR: "the disk refuses it: see that it is well and has room",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: see that it is a file of the user that runs the edge",
    sqlite3.SQLITE_PERM: "cannot be opened: see that it is a file of the user that runs the edge",
}


def _explained(path: Path, error: sqlite3.Error) -> JournalError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return JournalDamagedError(f"{path}: damaged ({error})")
    remedy = _REMEDIES.get(code)
    if remedy is None:
        return JournalError(f"{path}: {error}: not a journal of Loquet? Give another path")
    return JournalError(f"{path}: {remedy} ({error})")
