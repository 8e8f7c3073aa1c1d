"""What if the journal cannot go on in its file? It is set aside, and a new journal with a new id takes its place.

Two cases. The file is damaged: what can be read of it is owed to the server under the id and the numbers that it had,
so that the server stores it once. Or the server has rows that the file does not hold (a restored SD card): those
numbers are taken, and what was written since goes over, numbered from 1.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec.structs import replace

from edge.journal import KEEP, Journal
from edge.journal_errors import JournalDamagedError, JournalError
from edge.private import SUFFIXES, sync_folder, tighten
from edge.salvage import Saved, beyond, rows_in, salvage
from policy.terms import Instant
from wire.row import Row, encode

ASIDE = ".aside-"


def open_journal(path: Path) -> tuple[Journal, str | None]:
    """The journal of an edge that starts, and what had to be done for it, None for nothing. Raises JournalError."""
    _finish(path)
    newer = beyond(path)
    logged = rows_in(newer)
    try:
        journal = Journal(path, may_be_new=not logged)
    except JournalDamagedError as error:
        return renew(path, str(error), newer=newer)
    _tighten_aside(path)
    rows = [row for seq, row in logged.items() if seq > journal.last_seq]
    try:
        if rows and rows[-1].seq == journal.last_seq + len(rows):
            journal.append(rows)
            rows = []
    except BaseException:
        journal.close()
        raise
    if not rows:
        return journal, None
    journal.close()
    return renew(path, f"{path}: damaged (the log beside it breaks off at row {journal.last_seq})", newer=newer)


def renew(path: Path, why: str, carry: Callable[[Row], bool] | None = None, newer: bytes = b"") -> tuple[Journal, str]:
    """Set the file aside and open a new journal; what was done, in words. The old one must be closed.

    carry: of a restored card, which rows go over; None for damage. newer: as of salvage. Raises JournalError.
    """
    with _explained(path):
        saved = salvage(path, newer)
        done = _write_new(_new(path), saved, carry)
        aside = _set_aside(path)
    _finish(path)
    return Journal(path), f"{why}; set aside as {aside.name}, {done}"


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _write_new(path: Path, saved: Saved, carry: Callable[[Row], bool] | None) -> str:
    """A whole new journal beside the old one, so that a power cut leaves the one or the other; what goes over."""
    _remove(path)
    journal, lacking = Journal(path), saved.unacknowledged
    if carry is not None:
        chosen = [row for _, row in sorted(saved.rows.items()) if carry(row)]
    else:  # nobody can say what the server has, nor under which id: the file that is set aside still holds it
        chosen = [] if saved.acknowledged is None else [*lacking.values()]
    try:
        for other, rows in saved.owed.items():
            journal.owe(other, rows)
        if carry is None and saved.id is not None:
            journal.owe(saved.id, {seq: encode(row) for seq, row in lacking.items()})
            done = f"{len(lacking)} rows are told again from what could be read; the new journal is {journal.id}"
        else:
            journal.append(renumbered(chosen))
            done = f"{len(chosen)} rows carried over into journal {journal.id}"
        journal.keep(saved.kept)
        journal.hear(saved.heard)
        journal.fold()
    except BaseException:
        journal.close()
        _remove(path)
        raise
    journal.close()
    return done


def _remove(path: Path) -> None:
    for suffix in SUFFIXES:
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _finish(path: Path) -> None:
    """Put a new journal that waits beside an empty place into it; a power cut may have come while files moved."""
    with _explained(path):
        if _new(path).exists() and path.exists():
            _take_back(path)
        if _new(path).exists() and not path.exists():
            os.replace(_new(path), path)
            sync_folder(path.parent)


def _take_back(path: Path) -> None:
    """The log of a file that was about to be set aside belongs to the file again."""
    for log in path.parent.glob(f"{path.name}{ASIDE}*-wal"):
        if not Path(str(log).removesuffix("-wal")).exists() and not Path(f"{path}-wal").exists():
            os.replace(log, f"{path}-wal")


def renumbered(rows: Iterable[Row]) -> list[Row]:
    """The rows numbered from 1; one that settles a row which is not among them settles none."""
    new: dict[int, int] = {}
    result: list[Row] = []
    for seq, row in enumerate(rows, 1):
        new[row.seq] = seq
        result.append(replace(row, seq=seq, settles=new.get(row.settles) if row.settles else None))
    return result


def forget_aside(path: Path, now: Instant) -> None:
    """Delete what was set aside more than 30 days ago: it names people too. Files that cannot be deleted stay."""
    for aside in _files_aside(path):
        with suppress(OSError):
            if aside.stat().st_mtime * 1000 < now - KEEP:
                for suffix in reversed(SUFFIXES):
                    Path(f"{aside}{suffix}").unlink(missing_ok=True)


def _files_aside(path: Path) -> Iterable[Path]:
    return (file for file in path.parent.glob(f"{path.name}{ASIDE}*") if not file.name.endswith(SUFFIXES[1:]))


def _tighten_aside(path: Path) -> None:
    for aside in _files_aside(path):
        tighten(aside)


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}{ASIDE}{number}")).exists():
        number += 1
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            os.replace(f"{path}{suffix}", f"{aside}{suffix}")
    sync_folder(path.parent)
    return aside


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JournalError(f"{path}: no new journal can take its place ({error.strerror}): see the disk") from error
