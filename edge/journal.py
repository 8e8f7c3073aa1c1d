"""What happened at this edge, and how much of it has the server? SQLite, on disk before anything is sent.

One connection, owned by one thread: SQLite before 3.51.3 can corrupt a WAL database that two connections write at one
instant, so the file is locked for this process (locking_mode=EXCLUSIVE). WAL with synchronous=FULL: one fsync for each
transaction (sqlite.org/wal.html, sqlite.org/pragma.html).
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from edge import schema
from edge.checksum import checksum, is_whole
from edge.journal_errors import JournalDamagedError, JournalError, JournalMistakeError, explained
from edge.knowledge import MOST_HEARD, Positions
from edge.private import tighten
from policy.instants import instant
from policy.terms import DAY, ClockState, Instant
from wire.errors import WireError
from wire.row import Row, decode, encode

KEEP: Instant = 30 * DAY
"""How long an acknowledged row stays (promises.md, "The law")."""
PRUNED_AT_ONCE = 1000
PAGES = "page_size=1024"
"""Bytes. A row is some 350: with small pages its commit writes a third of what it would with SQLite's own 4,096."""
HELD_TO = {"locking_mode": "exclusive", "journal_mode": "wal", "synchronous": 2}
"""Settings on which the data depend: where SQLite cannot have one it goes on without a word."""

_ROWS = "SELECT seq, row, sum FROM journal"
_OWED = "SELECT seq, row, sum FROM owed WHERE journal = ? AND seq > ? AND seq <= ?"
LOST = b'{"seq":%d,"detail":"this row cannot be read any more on the disk of its edge"}'
"""No row that can be believed: the server keeps it as refused, and takes those behind it."""
_INTO_HEARD = "INSERT OR IGNORE INTO heard (edge, journal, seq, received, row, sum) VALUES (?, ?, ?, ?, ?, ?)"
_CAP_HEARD = (
    "DELETE FROM heard WHERE edge = ? AND id <= (SELECT id FROM heard WHERE edge = ? ORDER BY id DESC LIMIT 1 OFFSET ?)"
)


class Told(NamedTuple):
    """Rows of one journal of another edge. received: None when the clock was not trusted then."""

    edge: str
    journal: str
    received: Instant | None
    rows: Sequence[tuple[int, bytes]]


class Outgoing(NamedTuple):
    """Rows that the server lacks: of which journal, after which row, up to which."""

    journal: str
    acknowledged: int
    last: int


class Journal:
    """The journal's file. id: random, made with the file. Rows are numbered from 1, without gaps.

    last_seq: the newest row, 0 for none. acknowledged: the server has this row and all before it. turn: how often
    something was kept.
    """

    def __init__(self, path: Path, may_be_new: bool = True) -> None:
        """Open the file, or make it. Raises JournalError, and JournalDamagedError for a file that cannot be read.

        may_be_new: False where there are signs that something was in it.
        """
        self.path = path
        self.id = ""
        self._may_be_new = may_be_new
        self.last_seq = self.acknowledged = self.turn = self._written = 0
        self._owed: dict[str, Outgoing] = {}
        if not _is_there(path.parent):
            raise JournalMistakeError(f"{path}: no folder {path.parent}: make it, owned by the user that runs the edge")
        if not schema.header_is_whole(path):
            raise JournalDamagedError(f"{path}: damaged (its first bytes are not those of a journal)")
        with explained(self.path):
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
        try:
            self._db.create_function("checksum", -1, checksum, deterministic=True)
            tighten(path)
            with explained(self.path):
                self._open()
        except BaseException:
            self._db.close()
            raise

    def append(self, rows: Sequence[Row]) -> None:
        """Put rows on the disk, all or none. Raises ValueError when the first does not follow the last row here."""
        for expected, row in enumerate(rows, self.last_seq + 1):
            if row.seq != expected:
                raise ValueError(f"{self.path}: row {row.seq} after row {expected - 1}: the journal takes no gap")
        with explained(self.path), self._transaction():
            self._db.executemany("INSERT INTO journal VALUES (?, ?, ?, ?)", [_stored(row) for row in rows])
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
        with explained(self.path):
            first = self._db.execute("SELECT min(seq) FROM journal").fetchone()[0]
        if first is None or first > seq + 1:
            return False
        self.acknowledged = min(self.acknowledged, seq)
        return True

    def after(self, seq: int, limit: int) -> list[tuple[int, bytes]]:
        """(seq, bytes as they cross the wire) of at most `limit` rows after row `seq`."""
        with explained(self.path):
            found = self._db.execute(f"{_ROWS} WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)).fetchall()
        numbers = [number for number, *_ in found]
        if self.acknowledged <= seq < self.last_seq:
            self._hold(numbers[-1:] == [min(seq + limit, self.last_seq)], f"row {seq + len(numbers) + 1}")
            self._check_gaps(numbers, seq + 1)
        else:
            self._check_gaps(numbers)
        return [(number, self._whole(number, row, total)) for number, row, total in found]

    @property
    def outgoing(self) -> Outgoing:
        """What the server gets next: rows of a journal that was set aside, then those of this one."""
        return next(iter(self._owed.values()), Outgoing(self.id, self.acknowledged, self.last_seq))

    @property
    def unacknowledged(self) -> int:
        """How many rows the server lacks."""
        return self.last_seq - self.acknowledged + sum(owed.last - owed.acknowledged for owed in self._owed.values())

    def to_send(self, limit: int) -> list[tuple[int, bytes]]:
        """At most `limit` of the rows that go out next. In the place of one that is lost stands what says so."""
        journal, acknowledged, last = self.outgoing
        if journal == self.id:
            return self.after(acknowledged, limit)
        with explained(self.path):
            found = self._db.execute(_OWED, (journal, acknowledged, acknowledged + limit)).fetchall()
        rows = {seq: row for seq, row, total in found if is_whole(total, journal, seq, row)}
        numbers = range(acknowledged + 1, min(acknowledged + limit, last) + 1)
        return [(seq, rows.get(seq, LOST % seq)) for seq in numbers]

    def owe(self, journal: str, rows: Mapping[int, bytes]) -> None:
        """Keep rows of a journal that is set aside, until the server has them."""
        owed = [(journal, seq, row, checksum(journal, seq, row)) for seq, row in rows.items()]
        with explained(self.path), self._transaction():
            self._db.executemany("INSERT OR REPLACE INTO owed VALUES (?, ?, ?, ?)", owed)
        self._load_owed()

    def settle(self, journal: str, seq: int) -> bool:
        """The server has row `seq` of a journal that was set aside, and no more; whether it is one of those owed."""
        owed = self._owed.get(journal)
        if owed is None or seq == owed.acknowledged:
            return owed is not None
        with explained(self.path), self._transaction():
            self._db.execute("DELETE FROM owed WHERE journal = ? AND seq <= ?", (journal, seq))
        self._owed[journal] = owed._replace(acknowledged=seq)
        if seq >= owed.last:
            del self._owed[journal]
        return True

    def owed(self) -> dict[str, dict[int, bytes]]:
        """All rows of journals that were set aside and that the server lacks, as far as they can be read."""
        found: dict[str, dict[int, bytes]] = {}
        with explained(self.path):
            for journal, seq, row, total in self._db.execute("SELECT journal, seq, row, sum FROM owed ORDER BY seq"):
                if is_whole(total, journal, seq, row):
                    found.setdefault(journal, {})[seq] = row
        return found

    def newest_first(self) -> Iterator[Row]:
        """All rows, the newest first, read as they are asked for."""
        with explained(self.path):
            expected = self.last_seq
            for seq, row, total in self._db.execute(f"{_ROWS} ORDER BY seq DESC"):
                self._check_gaps([seq], expected)
                expected = seq - 1
                yield self._decoded(seq, row, total)

    def rows(self, since: int = 1, limit: int = -1) -> list[Row]:
        """At most `limit` rows from `since` on, oldest first; all of them when it is left out."""
        with explained(self.path):
            found = self._db.execute(f"{_ROWS} WHERE seq >= ? ORDER BY seq LIMIT ?", (since, limit)).fetchall()
        self._check_gaps([seq for seq, *_ in found])
        return [self._decoded(*row) for row in found]

    def hear(self, batch: Iterable[Told]) -> list[int]:
        """Put rows of other edges on the disk, all or none; the numbers of those that are new here."""
        new: list[int] = []
        with explained(self.path), self._transaction():
            for told in batch:
                for seq, row in told.rows:
                    total = checksum(told.edge, told.journal, seq, row, told.received)
                    values = (told.edge, told.journal, seq, told.received, row, total)
                    if self._db.execute(_INTO_HEARD, values).rowcount:
                        new.append(seq)
                if new:
                    self._db.execute(_CAP_HEARD, (told.edge, told.edge, MOST_HEARD))
        return new

    def heard(self) -> list[Told]:
        """All rows of other edges, in the order in which they came."""
        with explained(self.path):
            found = self._db.execute("SELECT edge, journal, seq, row, sum, received FROM heard ORDER BY id").fetchall()
        for edge, journal, seq, row, total, received in found:
            self._hold(is_whole(total, edge, journal, seq, row, received), f"a row of edge {edge!r}")
        return [Told(edge, journal, received, ((seq, row),)) for edge, journal, seq, row, _, received in found]

    def keep(self, values: Mapping[str, bytes | None], included: Positions | None = None) -> None:
        """Keep bytes under their names, all in one transaction; None forgets a name.

        included: up to where rows of other edges are in what is kept; they are forgotten.
        """
        with explained(self.path), self._transaction():
            for name, value in values.items():
                self._db.execute("DELETE FROM kept WHERE name = ?", (name,))
                if value is not None:
                    self._db.execute("INSERT INTO kept VALUES (?, ?, ?)", (name, value, checksum(name, value)))
            reached = [(e, j, seq) for e, journals in (included or {}).items() for j, seq in journals.items()]
            self._db.executemany("DELETE FROM heard WHERE edge = ? AND journal = ? AND seq <= ?", reached)
            self._set("turn", self.turn + 1)
        self.turn += 1

    def kept(self) -> dict[str, bytes]:
        """All that is kept, in one read."""
        with explained(self.path):
            found = self._db.execute("SELECT name, value, sum FROM kept").fetchall()
        for name, value, total in found:
            self._hold(is_whole(total, name, value), f"{name!r}, which is kept in it,")
        return {name: value for name, value, _ in found}

    def prune(self, now: Instant) -> int:
        """Delete acknowledged rows older than 30 days, at most 1,000 at once; how many it were.

        Rows are judged by the instants of trusted clocks; what lies before an old row is old.
        """
        oldest = "SELECT seq, at FROM journal WHERE seq <= ? ORDER BY seq LIMIT ?"
        newest_old = f"SELECT max(seq) FROM ({oldest}) WHERE typeof(at) = 'integer' AND at < ?"  # noqa: S608
        with explained(self.path), self._transaction():
            self._prune_heard(now)
            bounds = (self.acknowledged, PRUNED_AT_ONCE, now - KEEP)
            (old,) = self._db.execute(newest_old, bounds).fetchone()
            if old is None:
                return 0
            self._set("pruned", old)
            self._set("acknowledged", self.acknowledged)
            deleted = self._db.execute("DELETE FROM journal WHERE seq <= ?", (old,)).rowcount
        self.fold()
        return deleted

    def _prune_heard(self, now: Instant) -> None:
        """Rows of others are kept for 30 days, too; where nobody knows since when, from now on."""
        anew = "received = ?1, sum = checksum(edge, journal, seq, row, ?1)"
        self._db.execute(f"UPDATE heard SET {anew} WHERE received IS NULL", (now,))  # noqa: S608
        self._db.execute("DELETE FROM heard WHERE received < ?", (now - KEEP,))

    def check(self) -> None:
        """Look at the whole file, which takes a large one a while. Raises JournalDamagedError when it is not sound."""
        with explained(self.path):
            (said,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise JournalDamagedError(f"{self.path}: damaged ({said.splitlines()[-1]})")

    def fold(self) -> None:
        """Put all that is in SQLite's log into the file itself, which needs room of its own."""
        with explained(self.path):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def save(self) -> None:
        """Put on the disk what was acknowledged; that also tries out whether the disk can be written."""
        with explained(self.path), self._transaction():
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
        meta = self._meta()
        self.id, self.turn = meta["id"], meta["turn"]
        self.acknowledged = max(meta["acknowledged"], meta["pruned"])
        self._written = self.acknowledged
        last = self._db.execute(f"{_ROWS} ORDER BY seq DESC LIMIT 1").fetchone()
        self.last_seq = self._decoded(*last).seq if last else meta["pruned"]
        if self.last_seq < self.acknowledged:
            raise JournalDamagedError(f"{self.path}: ends at row {self.last_seq}, {self.acknowledged} is acknowledged")
        self._load_owed()

    def _meta(self) -> dict[str, Any]:
        found = self._db.execute("SELECT name, value, sum FROM meta").fetchall()
        for name, value, total in found:
            self._hold(is_whole(total, name, value), f"{name!r} in it")
        meta = {name: value for name, value, _ in found}
        self._hold(meta.keys() == {"id", "format", "acknowledged", "pruned", "turn"}, "what it says of itself")
        return meta

    def _load_owed(self) -> None:
        found = self._db.execute("SELECT journal, min(seq), max(seq) FROM owed GROUP BY journal")
        self._owed = {journal: Outgoing(journal, first - 1, last) for journal, first, last in found}

    def _bring_up_to_date(self) -> None:
        """Raises JournalError for another version's file, and for one that is no journal at all."""
        tables = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables & schema.OURS:
            raise JournalMistakeError(f"{self.path}: not a journal of Loquet? Give another path")
        (found,) = self._db.execute("SELECT value FROM meta WHERE name = 'format'").fetchone() or (None,)
        (stamped,) = self._db.execute("PRAGMA user_version").fetchone()
        if found == stamped and found > schema.FORMAT:
            raise JournalError(f"{self.path}: format {found}, not {schema.FORMAT}: another version's; update Loquet")
        if found in (1, 2) and stamped == 0:
            with self._transaction():
                schema.upgrade(self._db, found)
            return
        self._hold(found == stamped == schema.FORMAT and tables >= schema.OURS, f"format {found!r} in it")

    def _make(self) -> None:
        """Where something is in the file, and no table, the list of its tables is broken."""
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        (stamped,) = self._db.execute("PRAGMA user_version").fetchone()
        self._hold(pages <= 1 and not stamped and self._may_be_new, "the list of its tables")
        with self._transaction():
            schema.make(self._db)

    def _hold(self, well: bool, what: str) -> None:
        if not well:
            raise JournalDamagedError(f"{self.path}: damaged ({what} is not what was written)")

    def _check_gaps(self, numbers: Sequence[int], first: int = 0) -> None:
        """first: the row with which they must begin, 0 for any."""
        expected = first or (numbers[0] if numbers else 0)
        for number in numbers or ([0] if first else []):
            self._hold(number == expected, f"row {expected}")
            expected += 1

    def _decoded(self, seq: int, row: bytes, total: object) -> Row:
        try:
            decoded = decode(row, f"{self.path} row {seq}")
            instant(decoded.at)
        except (WireError, TypeError, ValueError, OverflowError) as error:
            raise JournalDamagedError(str(error)) from None
        if decoded.seq != seq:
            raise JournalDamagedError(f"{self.path}: row {seq} says that it is row {decoded.seq}")
        self._whole(seq, row, total)
        return decoded

    def _whole(self, seq: int, row: bytes, total: object) -> bytes:
        """total: None for a row that was acknowledged before there were checksums."""
        self._hold(isinstance(row, bytes) and (total is None or is_whole(total, row)), f"row {seq}")
        return row

    def _set(self, name: str, value: str | int) -> None:
        schema.set_meta(self._db, name, value)

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


def _is_there(folder: Path) -> bool:
    """False for sure only: a folder that the disk does not let us see is not missing."""
    try:
        return folder.is_dir()
    except OSError:
        return True


def _stored(row: Row) -> tuple[int, Instant | None, bytes, bytes]:
    """Row as it lies in the table. at: None when the clock was not trusted."""
    at, raw = None if row.clock is ClockState.UNKNOWN else instant(row.at), encode(row)
    return row.seq, at, raw, checksum(raw)
