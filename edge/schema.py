"""Which tables has a journal's file, and how does an older file get them? Beside each thing lies its checksum."""

import secrets
import sqlite3
from pathlib import Path

from edge.checksum import checksum

FORMAT = 3
"""Kept twice, in `meta` and as user_version in the file's header: another version's file is not taken for damage."""
OURS = frozenset({"meta", "journal", "kept", "heard", "owed"})

_HEARD = (
    "CREATE TABLE heard (id INTEGER PRIMARY KEY, edge TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL,"
    " received INTEGER, row BLOB NOT NULL, sum BLOB, UNIQUE (edge, journal, seq))"
)
"""Rows of other edges that no state of the server includes yet. received: NULL where the clock was not trusted."""
_OWED = (
    "CREATE TABLE owed (journal TEXT NOT NULL, seq INTEGER NOT NULL, row BLOB NOT NULL, sum BLOB,"
    " PRIMARY KEY (journal, seq)) WITHOUT ROWID"
)
"""Rows of this edge's own journals that were set aside, until the server has them: under the numbers they had there."""
_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL, sum BLOB) WITHOUT ROWID",
    "CREATE TABLE journal (seq INTEGER PRIMARY KEY, at INTEGER, row BLOB NOT NULL, sum BLOB)",
    "CREATE TABLE kept (name TEXT PRIMARY KEY, value BLOB NOT NULL, sum BLOB)",
    _HEARD,
    _OWED,
)
_SUMS = (
    ("meta", "name, value", ""),
    ("kept", "name, value", ""),
    ("heard", "edge, journal, seq, row, received", ""),
    ("journal", "row", " WHERE seq > (SELECT value FROM meta WHERE name = 'acknowledged')"),
)
"""Of each table, what its checksum is made of; of the journal in an older file only rows that the server lacks."""


def make(db: sqlite3.Connection) -> None:
    """The tables of a new journal, in a transaction that is begun."""
    for statement in _TABLES:
        db.execute(statement)
    for name, value in (("id", secrets.token_hex(8)), ("acknowledged", 0), ("pruned", 0), ("turn", 0)):
        set_meta(db, name, value)
    _set_format(db)


def upgrade(db: sqlite3.Connection, found: int) -> None:
    """Bring a file of format 1 or 2 up to date, in a transaction that is begun: 1 knew no other edges, 2 no sums."""
    if found == 1:
        db.execute(_HEARD)
    for table in ("meta", "journal", "kept", *(("heard",) if found > 1 else ())):
        db.execute(f"ALTER TABLE {table} ADD COLUMN sum BLOB")
    db.execute(_OWED)
    for table, parts, where in _SUMS:
        db.execute(f"UPDATE {table} SET sum = checksum({parts}){where}")  # noqa: S608 (names of ours)
    set_meta(db, "turn", 0)
    _set_format(db)


def set_meta(db: sqlite3.Connection, name: str, value: str | int) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", (name, value, checksum(name, value)))


def _set_format(db: sqlite3.Connection) -> None:
    set_meta(db, "format", FORMAT)
    db.execute(f"PRAGMA user_version = {FORMAT}")


def header_is_whole(path: Path) -> bool:
    """Whether the first bytes are a database's that can be written; a wrong one there looks like a read-only disk.

    True for a file that is not there, or shorter (sqlite.org/fileformat.html, 1.3).
    """
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError:
        return True
    return len(head) < 100 or (head.startswith(b"SQLite format 3\0") and head[18:21] in (b"\1\1\0", b"\2\2\0"))
