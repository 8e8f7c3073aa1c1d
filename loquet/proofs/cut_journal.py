"""An edge's journal whose power is cut: what does it owe, and is it there?"""

from pathlib import Path
from random import Random

from edge.journal import Journal
from loquet.proofs.proof import LossError
from policy.instants import text
from policy.terms import DAY, ClockState, Instant
from simulator.disk import Disk
from wire import row as wire_row
from wire.row import Kind, Row

BEGIN: Instant = 1_772_524_800_000
NAMES = ("rules", "fresh", "state", "alive")
FULL = "x" * 700
"""So that some rows take more than a page."""


class CutJournal:
    """sure: the rows that are on the disk for certain, from row `first` on. coming: those of an append under way."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, bytes] = {}
        self._path = folder / "journal.db"
        self._id: str | None = None
        self._sure: list[bytes] = []
        self._coming: list[bytes] = []
        self._first = self._may_begin = 1
        self._acknowledged = 0
        self._kept: dict[str, bytes | None] = {}
        self._keeping: dict[str, bytes | None] = {}

    def live(self, luck: Random, disk: Disk) -> None:
        """As in loquet/proofs/power.py."""
        journal = self._opened()
        while not disk.dead:
            luck.choice((self._append, self._append, self._append, self._acknowledge, self._keep, self._prune))(
                journal, luck
            )
            if luck.random() < 0.05:
                journal.close()
                journal = self._opened()

    def check(self) -> None:
        """As in loquet/proofs/power.py."""
        self._opened().close()

    def _opened(self) -> Journal:
        """Open the journal, compare it with what it owes, and go on from there."""
        try:
            journal = Journal(self._path)
        except OSError as error:
            raise LossError(f"the journal does not open: {error}") from error
        wrong = self._wrong(journal)
        if wrong:
            raise LossError(wrong)
        self._adopt(journal)
        return journal

    def _wrong(self, journal: Journal) -> str | None:
        if self._id not in (None, journal.id):
            return f"journal {self._id} is gone, {journal.id} is there"
        rows = journal.after(0, 10**6)
        if [seq for seq, _ in rows] != list(range(journal.last_seq - len(rows) + 1, journal.last_seq + 1)):
            return f"the rows have gaps: {[seq for seq, _ in rows]}"
        allowed = [len(self._sure), len(self._sure) + len(self._coming)]
        if journal.last_seq not in allowed:
            return f"{journal.last_seq} rows are there, {len(self._sure)} were promised, {len(self._coming)} under way"
        known = self._sure + self._coming
        if any(row != known[seq - 1] for seq, row in rows):
            return "a row is not the one that was written"
        begins = rows[0][0] if rows else journal.last_seq + 1
        if begins > max(self._may_begin, self._first):
            return f"rows before {begins} are deleted, only those before {self._may_begin} may be"
        if journal.acknowledged > self._acknowledged:
            return f"row {journal.acknowledged} counts as acknowledged, the server said {self._acknowledged}"
        return self._wrongly_kept(journal.kept())

    def _wrongly_kept(self, kept: dict[str, bytes]) -> str | None:
        """All of what was being kept is there, or none of it."""
        before, after = _there(self._kept), _there(self._kept | self._keeping)
        return None if kept in (before, after) else f"kept is {sorted(kept)}, neither what it was nor what it was to be"

    def _adopt(self, journal: Journal) -> None:
        self._id = journal.id
        self._sure = (self._sure + self._coming)[: journal.last_seq]
        self._kept, self._keeping, self._coming = dict(journal.kept()), {}, []
        rows = journal.after(0, 1)
        self._first = self._may_begin = rows[0][0] if rows else journal.last_seq + 1

    # What a keeper does with it

    def _append(self, journal: Journal, luck: Random) -> None:
        rows = [_row(len(self._sure) + place, luck) for place in range(1, luck.randint(2, 20))]
        self._coming = [wire_row.encode(row) for row in rows]
        journal.append(rows)
        self._sure, self._coming = self._sure + self._coming, []

    def _acknowledge(self, journal: Journal, luck: Random) -> None:
        self._acknowledged = max(self._acknowledged, luck.randint(0, journal.last_seq))
        journal.acknowledge(self._acknowledged)

    def _keep(self, journal: Journal, luck: Random) -> None:
        chosen = luck.sample(NAMES, luck.randint(1, 3))
        self._keeping = {name: luck.choice((None, luck.randbytes(luck.choice((8, 300, 4000))))) for name in chosen}
        journal.keep(self._keeping)
        self._kept, self._keeping = self._kept | self._keeping, {}

    def _prune(self, journal: Journal, _: Random) -> None:
        """Rows are one day apart: those 30 days before the newest may go, once they are acknowledged."""
        old = min(self._acknowledged, len(self._sure) - 31)
        self._may_begin = max(self._may_begin, old + 1)
        journal.prune(BEGIN + len(self._sure) * DAY)


def _there(kept: dict[str, bytes | None]) -> dict[str, bytes]:
    return {name: value for name, value in kept.items() if value is not None}


def _row(seq: int, luck: Random) -> Row:
    detail = luck.choice((None, "short", FULL))
    return Row(seq, text(BEGIN + seq * DAY), seq, "boot", ClockState.SYNCED, Kind.READER_FAULT, detail=detail)
