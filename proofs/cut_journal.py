"""An edge's journal whose power is cut: what does it owe, and is it there?"""

from pathlib import Path
from random import Random

from edge.journal import Journal, Told
from edge.rescue import open_journal
from policy.instants import text
from policy.terms import DAY, ClockState, Instant
from proofs.proof import LossError
from simulator.disk import Disk
from wire import row as wire_row
from wire.row import Kind, Row

BEGIN: Instant = 1_772_524_800_000
NAMES = ("rules", "fresh", "state", "alive")
FULL = "x" * 700
"""So that some rows take more than a page."""
OTHER, ITS_JOURNAL = "garage", "g"
"""Another edge that is heard, and its journal."""
LATER = BEGIN + 100_000 * DAY
"""What was heard then is never too old."""


class CutJournal:
    """sure: the rows that are on the disk for certain, from row `first` on. coming: those of an append under way.

    kept, heard: what else is there. keeping, hearing: what that is to be once the transaction under way is done.
    """

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, bytes] = {}
        self._path = folder / "journal.db"
        self._id: str | None = None
        self._sure: list[bytes] = []
        self._coming: list[bytes] = []
        self._first = self._may_begin = 1
        self._acknowledged = 0
        self._kept: dict[str, bytes] = {}
        self._keeping: dict[str, bytes] = {}
        self._heard: dict[int, bytes] = {}
        self._hearing: dict[int, bytes] = {}

    def live(self, luck: Random, disk: Disk) -> None:
        """As in proofs/power.py."""
        journal = self._opened()
        try:
            while not disk.dead:
                works = (*[self._append] * 3, self._acknowledge, self._keep, self._hear, self._prune)
                luck.choice(works)(journal, luck)
                if luck.random() < 0.05:
                    journal.close()
                    journal = self._opened()
        finally:
            journal.close()

    def check(self) -> None:
        """As in proofs/power.py."""
        self._opened().close()

    def _opened(self) -> Journal:
        """Open the journal as an edge does that starts, compare it with what it owes, and go on from there."""
        journal, found = open_journal(self._path)
        wrong = found or self._wrong(journal)
        if wrong:
            journal.close()
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
        return self._wrongly_kept(journal)

    def _wrongly_kept(self, journal: Journal) -> str | None:
        """All of what was being kept or heard is there, or none of it."""
        kept, heard = journal.kept(), _rows_of(journal)
        if (kept, heard) in ((self._kept, self._heard), (self._keeping, self._hearing)):
            return None
        return f"kept is {sorted(kept)}, heard {sorted(heard)}: neither what it was nor what it was to be"

    def _adopt(self, journal: Journal) -> None:
        self._id = journal.id
        self._sure = (self._sure + self._coming)[: journal.last_seq]
        self._coming = []
        self._kept = self._keeping = journal.kept()
        self._heard = self._hearing = _rows_of(journal)
        rows = journal.after(0, 1)
        self._first = self._may_begin = rows[0][0] if rows else journal.last_seq + 1

    # What a storage worker does with it

    def _append(self, journal: Journal, luck: Random) -> None:
        rows = [_row(len(self._sure) + place, luck) for place in range(1, luck.randint(2, 20))]
        self._coming = [wire_row.encode(row) for row in rows]
        journal.append(rows)
        self._sure, self._coming = self._sure + self._coming, []

    def _acknowledge(self, journal: Journal, luck: Random) -> None:
        self._acknowledged = max(self._acknowledged, luck.randint(0, journal.last_seq))
        journal.acknowledge(self._acknowledged)

    def _keep(self, journal: Journal, luck: Random) -> None:
        """At times a state of the server, which includes what was heard up to a row."""
        chosen = luck.sample(NAMES, luck.randint(1, 3))
        values = {name: luck.choice((None, luck.randbytes(luck.choice((8, 300, 4000))))) for name in chosen}
        included = luck.choice((0, luck.randint(0, max(self._heard, default=0))))
        self._keeping = {name: value for name, value in (self._kept | values).items() if value is not None}
        self._hearing = {seq: row for seq, row in self._heard.items() if seq > included}
        journal.keep(values, {OTHER: {ITS_JOURNAL: included}})
        self._kept, self._heard = self._keeping, self._hearing

    def _hear(self, journal: Journal, luck: Random) -> None:
        """Something new of another edge, and its last row once more."""
        last = max(self._heard, default=0)
        new = {seq: wire_row.encode(_row(seq, luck)) for seq in range(last + 1, last + luck.randint(2, 8))}
        rows = {seq: row for seq, row in self._heard.items() if seq == last} | new
        self._hearing = self._heard | new
        journal.hear([Told(OTHER, ITS_JOURNAL, LATER, tuple(rows.items()))])
        self._heard = self._hearing

    def _prune(self, journal: Journal, _: Random) -> None:
        """Rows are one day apart: those 30 days before the newest may go, once they are acknowledged."""
        old = min(self._acknowledged, len(self._sure) - 31)
        self._may_begin = max(self._may_begin, old + 1)
        journal.prune(BEGIN + len(self._sure) * DAY)


def _rows_of(journal: Journal) -> dict[int, bytes]:
    """What was heard of the other edge, by row."""
    return {seq: row for told in journal.heard() for seq, row in told.rows}


def _row(seq: int, luck: Random) -> Row:
    detail = luck.choice((None, "short", FULL))
    return Row(seq, text(BEGIN + seq * DAY), seq, "boot", ClockState.SYNCED, Kind.READER_FAULT, detail=detail)
