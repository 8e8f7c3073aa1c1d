"""What if the journal cannot go on in its file? It is set aside, and a new journal with a new id takes its place.

Two cases: the file is damaged, or the server has acknowledged rows that it does not hold (a restored SD card). What
is kept of the server and of other edges, and the rows that the server lacks, go over; these are numbered from 1.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from edge.journal import KEEP, Journal, JournalDamagedError, JournalError, Told
from policy.terms import Instant
from wire.errors import WireError
from wire.row import Row, decode

ASIDE = ".aside-"


@dataclass(frozen=True, slots=True)
class Saved:
    """What could be read of the old file. acknowledged: None when that could not be."""

    acknowledged: int | None = None
    rows: dict[int, Row] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    heard: list[Told] = field(default_factory=list)


def open_journal(path: Path) -> tuple[Journal, str | None]:
    """The journal of an edge that starts, and what had to be done for it, None for nothing. Raises JournalError."""
    _finish(path)
    try:
        return Journal(path), None
    except JournalDamagedError as error:
        return renew(path, str(error))


def renew(path: Path, why: str, carry: Callable[[Row], bool] | None = None) -> tuple[Journal, str]:
    """Set the file aside and open a new journal; what was done, in words. The old one must be closed.

    carry: which rows go over; those above the last acknowledgement on the disk when None. Raises JournalError.
    """
    saved = salvage(path)
    chosen = [row for _, row in sorted(saved.rows.items()) if (carry or _unacknowledged(saved))(row)]
    _write_new(_new(path), renumbered(chosen), saved)
    aside = _set_aside(path)
    _finish(path)
    journal = Journal(path)
    return journal, f"{why}; set aside as {aside.name}, {len(chosen)} rows carried over into journal {journal.id}"


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _write_new(path: Path, rows: list[Row], saved: Saved) -> None:
    """A whole new journal beside the old one, so that a power cut leaves the one or the other."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    journal = Journal(path)
    try:
        journal.append(rows)
        journal.keep(saved.kept)
        journal.hear(saved.heard)
    finally:
        journal.close()


def _finish(path: Path) -> None:
    """Put a new journal that waits beside an empty place into it."""
    if _new(path).exists() and not path.exists():
        os.replace(_new(path), path)
        _sync_folder(path.parent)


def renumbered(rows: Iterable[Row]) -> list[Row]:
    """The rows numbered from 1; one that settles a row which is not among them settles none."""
    new: dict[int, int] = {}
    result: list[Row] = []
    for seq, row in enumerate(rows, 1):
        new[row.seq] = seq
        result.append(replace(row, seq=seq, settles=new.get(row.settles) if row.settles else None))
    return result


def salvage(path: Path) -> Saved:
    """All that can be read of a journal's file, from both ends of it."""
    saved = Saved()
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as db:
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        with suppress(sqlite3.Error):
            saved.kept.update(db.execute("SELECT name, value FROM kept"))
        with suppress(sqlite3.Error):
            for edge, name, received, seq, row in db.execute("SELECT edge, journal, received, seq, row FROM heard"):
                saved.heard.append(Told(edge, name, received, ((seq, row),)))
        for order in ("ASC", "DESC"):
            with suppress(sqlite3.Error, WireError, TypeError):
                for seq, row in db.execute(f"SELECT seq, row FROM journal ORDER BY seq {order}"):  # noqa: S608
                    saved.rows[seq] = decode(row, str(seq))
        found = db.execute("SELECT value FROM meta WHERE name = 'acknowledged'").fetchone()
        return Saved(found[0] if found else None, saved.rows, saved.kept, saved.heard)
    return saved


def forget_aside(path: Path, now: Instant) -> None:
    """Delete what was set aside more than 30 days ago: it names people too. Files that cannot be deleted stay."""
    for aside in path.parent.glob(f"{path.name}{ASIDE}*"):
        with suppress(OSError):
            if aside.stat().st_mtime * 1000 < now - KEEP:
                aside.unlink()


def _unacknowledged(saved: Saved) -> Callable[[Row], bool]:
    """Where nobody can say what the server has, nothing goes over: the file that is set aside still holds it."""
    acknowledged = saved.acknowledged
    return lambda row: acknowledged is not None and row.seq > acknowledged


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}{ASIDE}{number}")).exists():
        number += 1
    try:
        for suffix in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                os.replace(f"{path}{suffix}", f"{aside}{suffix}")
        _sync_folder(path.parent)
    except OSError as error:
        raise JournalError(f"{path}: cannot be set aside as {aside.name} ({error.strerror}): see the disk") from error
    return aside


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
