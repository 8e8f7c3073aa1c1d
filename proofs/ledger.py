"""Does what the edge said, what lies in its journal and what the server has agree? Looked at while both are dead.

Files are copied before they are opened: whoever starts next finds what the dead left.
"""

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.journal import Journal
from edge.journal_errors import JournalError
from policy.instants import text
from proofs.proof import LossError
from simulator.remote import Stages
from wire.row import Row

HISTORY = """\
SELECT id, edge, journal, seq, coalesce(said, at), boot, mono_ms, kind, reader, credential, member, granted, reason
FROM journal_row WHERE id > ? ORDER BY id"""
"""The history of one edge after so many rows, as it arrived; each with what the edge's clock said."""
Told = tuple[Any, ...]
"""What journal and history must agree on: at, boot, mono_ms, kind, reader, credential, member, granted, reason."""


class Ledger:
    """One edge's journal and its server's database. on_disk: rows of the journal. stored: as many of them are history.

    unrecorded: taps that were decided, and whose row was not on the disk yet when the edge was killed.
    """

    def __init__(self, journal: Path, database: Path, scratch: Path) -> None:
        self._journal, self._database, self._scratch = journal, database, scratch
        scratch.mkdir()
        self.on_disk: list[Told] = []
        self.stored: list[Told] = []
        self.unrecorded = 0
        self._id: str | None = None

    def edge_died(self, told: Mapping[int, Stages]) -> None:
        """Compare its journal with what it told since its start, and with what was there before. Raises LossError."""
        rows = self._rows()
        before = self.on_disk
        self.on_disk = [of_row(row) for row in rows]
        if self.on_disk[: len(before)] != before:
            raise LossError(f"of the {len(before)} rows that the journal had it has other ones now")
        if [row.seq for row in rows] != list(range(1, len(rows) + 1)):
            raise LossError("the journal has gaps, or rows twice")
        for seq, tap in told.items():
            row = rows[seq - 1] if seq <= len(rows) else None
            if row is not None and _is(tap, row):
                continue
            if tap.journal is not None:
                raise LossError(f"row {seq} was told to be on the disk and is not: {tap.at} {tap.reader} {tap.reason}")
            self.unrecorded += 1

    def server_died(self, acknowledged: int) -> None:
        """Compare its history with what the edge was answered. Raises LossError."""
        for number, edge, journal, seq, *rest in self._new_history():
            if self._id not in (None, journal) or seq != len(self.stored) + 1:
                raise LossError(f"history {number}: row {seq} of {edge}/{journal} after row {len(self.stored)}")
            self.stored.append(of_history(rest))
        if acknowledged > len(self.stored):
            raise LossError(f"row {acknowledged} was acknowledged, the server has {len(self.stored)}")
        self.compare()

    def compare(self) -> None:
        """Every row of the history is that of the journal. Raises LossError."""
        for seq, (here, there) in enumerate(zip(self.on_disk, self.stored, strict=False), 1):
            if here != there:
                raise LossError(f"row {seq} is {here} in the journal and {there} in the history")

    def settled(self) -> None:
        """Nothing is under way any more: both have the same rows. Raises LossError."""
        self.compare()
        if len(self.on_disk) != len(self.stored):
            raise LossError(f"{len(self.on_disk)} rows are in the journal, {len(self.stored)} in the history")

    def _rows(self) -> list[Row]:
        copy = self._copied(self._journal)
        if not copy.exists():
            return []
        try:
            with closing(Journal(copy)) as journal:
                rows = journal.rows()
                if rows and self._id not in (None, journal.id):
                    raise LossError(f"journal {self._id} is gone, {journal.id} is there")
                self._id = journal.id if rows else self._id
                return rows
        except JournalError as error:
            raise LossError(f"the journal does not open: {error}") from error

    def _new_history(self) -> list[Any]:
        copy = self._copied(self._database)
        with closing(sqlite3.connect(copy)) as database:
            if database.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise LossError("the server's database is corrupt")
            return database.execute(HISTORY, (len(self.stored),)).fetchall()

    def _copied(self, file: Path) -> Path:
        copy = self._scratch / file.name
        for suffix in ("", "-wal", "-shm"):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)
        for suffix in ("", "-wal"):
            if Path(f"{file}{suffix}").exists():
                shutil.copyfile(f"{file}{suffix}", f"{copy}{suffix}")
        return copy


def _is(tap: Stages, row: Row) -> bool:
    said = (tap.at, tap.reader, tap.granted, tap.reason, tap.member, tap.credential)
    return said == (row.at, row.reader, row.granted, row.reason, row.member, row.credential)


def of_row(row: Row) -> Told:
    """What must be the same in the history."""
    seen = (row.at, row.boot, row.mono_ms, row.kind, row.reader, row.credential, row.member, row.granted, row.reason)
    return tuple(None if value is None else str(value) for value in seen)


def of_history(columns: list[Any]) -> Told:
    """The same of a line of HISTORY, from `at` on."""
    at, *rest = columns
    rest[6] = None if rest[6] is None else bool(rest[6])
    at = text(round(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1000))
    return (at, *(None if value is None else str(value) for value in rest))
