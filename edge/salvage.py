"""What can still be read of a journal's file? What SQLite reads of it, and the rows that lie whole in its bytes.

A row that was written with a checksum is believed wherever it is found; SQLite need not find its way to it.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from edge.checksum import carved, is_whole
from edge.journal import Told
from edge.journal_errors import UNREADABLE
from edge.private import SUFFIXES
from edge.spare import Spare
from policy.instants import instant
from wire.errors import WireError
from wire.row import Row, decode

IN_MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of our own is made in it)
"""A file system that is there when no disk can be written."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What could be read. id: of the journal, None when that could not be; likewise acknowledged.

    kept: the better copy, of the journal's and the spare file's. owed: as of Journal.owed.
    """

    id: str | None = None
    acknowledged: int | None = None
    rows: dict[int, Row] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    heard: list[Told] = field(default_factory=list)
    owed: dict[str, dict[int, bytes]] = field(default_factory=dict)

    @property
    def unacknowledged(self) -> dict[int, Row]:
        """The rows that the server may lack, in order: all of them where nobody can say what it has."""
        return {seq: row for seq, row in sorted(self.rows.items()) if seq > (self.acknowledged or 0)}


def salvage(path: Path, newer: bytes = b"") -> Saved:
    """All that can be read of a journal whose file is closed. newer: what `beyond` gave before it was opened."""
    spare, rows, meta = Spare(path).read(), dict[int, Row](), dict[str, Any]()
    kept, heard, owed = dict[str, bytes](), dict[tuple[str, str, int], Told](), dict[str, dict[int, bytes]]()
    for raw in (*_raw(path), newer):
        rows |= rows_in(raw)
    with suppress(*UNREADABLE), closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as db:
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        for row, seq in _whole(db, "journal", "row", "seq", also="seq"):
            if (read := _row(row)) is not None and read.seq == seq:
                rows[seq] = read
        meta.update(_whole(db, "meta", "name, value", "name"))
        kept |= {name: value for name, value in _whole(db, "kept", "name, value", "rowid") if isinstance(value, bytes)}
        for edge, journal, seq, row, at in _whole(db, "heard", "edge, journal, seq, row, received", "id"):
            heard.setdefault((edge, journal, seq), Told(edge, journal, at, ((seq, row),)))
        for journal, seq, row in _whole(db, "owed", "journal, seq, row", "journal, seq"):
            owed.setdefault(journal, {})[seq] = row
    journal, told = meta.get("id", spare.journal or None), list(heard.values())
    better = spare.better(meta.get("id", spare.journal), meta.get("turn", spare.turn), kept)
    return Saved(journal, meta.get("acknowledged"), rows, better, told, owed)


def read_unopened(path: Path) -> Saved:
    """The same of a journal on a disk that cannot be written: SQLite reads a copy of it in memory."""
    with suppress(OSError), copied(path) as copy:
        return salvage(copy)
    return Saved(kept=Spare(path).read().kept)


@contextmanager
def copied(path: Path) -> Iterator[Path]:
    """A copy of a journal's files in memory, where there is room for that: the disk may be what is broken."""
    with TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        copy = Path(folder) / path.name
        for suffix in (*SUFFIXES, ".spare"):
            with suppress(OSError):
                shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
        yield copy


def beyond(path: Path) -> bytes:
    """What SQLite may cut off when it opens the file: its log of what is newer than the file itself."""
    with suppress(OSError):
        return Path(f"{path}-wal").read_bytes()
    return b""


def rows_in(raw: bytes) -> dict[int, Row]:
    """The rows that lie whole in raw bytes of a journal, by number and in its order."""
    return dict(sorted((row.seq, row) for row in map(_row, carved(raw)) if row is not None))


def _raw(path: Path) -> Iterator[bytes]:
    for suffix in ("", "-wal"):
        with suppress(OSError):
            yield Path(f"{path}{suffix}").read_bytes()


def _whole(db: sqlite3.Connection, table: str, parts: str, order: str, also: str = "NULL") -> Iterator[tuple[Any, ...]]:
    """The parts of all that is what was written, and one thing more; from both ends, because a broken page ends either.

    parts: what the checksum is made of. In a file from a time without checksums everything counts as whole.
    """
    backwards = ", ".join(f"{name} DESC" for name in order.split(", "))
    with suppress(*UNREADABLE):
        has_sums = "sum" in {name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")}
        asked = f"SELECT {parts}, {also}, {'sum' if has_sums else 'NULL'} FROM {table} ORDER BY "  # noqa: S608
        for way in (order, backwards):
            with suppress(*UNREADABLE):
                for *values, more, kept in db.execute(asked + way):
                    before = kept is None and (table == "journal" or not has_sums)
                    if before or is_whole(kept, *values):
                        yield tuple(values) if also == "NULL" else (*values, more)


def _row(raw: object) -> Row | None:
    """None for what is no row."""
    try:
        row = decode(raw, "") if isinstance(raw, bytes) else None
        if row is not None:
            instant(row.at)
    except (WireError, ValueError, OverflowError):
        return None
    return row
