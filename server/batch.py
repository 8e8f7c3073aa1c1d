"""What does the database hold once rows have come? The rows of several edges are stored in one go.

So what a statement costs, and the disk's answer to a commit, is paid once for all of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec.structs import astuple
from sqlalchemy import Table
from sqlmodel import Session, select

from server.bulk import insert, upsert
from server.contacts import note_doors
from server.facts import store, store_moves
from server.models import Edge, JournalRow, Position
from server.redate import CLOCK_KINDS, clocks_in, date_anew, offsets_of
from server.rows import COLUMNS, LATER, UNREAD, KnownEdge, Numbered, Record, record
from wire.row import Kind, Row

_journal_row: Table = JournalRow.__table__  # type: ignore[attr-defined]
_position: Table = Position.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Batch:
    """New rows of one edge's journal, in their order and without a gap. on_disk: the last row that is there already."""

    edge: KnownEdge
    journal: str
    on_disk: int
    rows: list[Numbered]

    @property
    def reached(self) -> int:
        """The last row that is on the disk once these are."""
        return self.rows[-1].seq if self.rows else self.on_disk


def store_batches(session: Session, batches: Sequence[Batch], received: datetime) -> list[tuple[str, str]]:
    """Store the rows and all that follows from them; at most one batch of each edge, none empty.

    received: when they came, aware. Returns what could not be believed: from which edge, and why. It is kept, and
    counts for nothing.
    """
    records: list[Record] = []
    dated = [
        (
            batch,
            clocks := clocks_in(batch.rows),
            offsets_of(session, batch.edge.id, batch.journal, batch.rows, clocks, received),
        )
        for batch in batches
    ]
    for batch, _, offsets in dated:
        found = [record(batch.edge, batch.journal, row, received, offsets) for row in batch.rows]
        _name_the_settled(session, found)
        records += found
    insert(session.connection(), _journal_row, COLUMNS, (astuple(r)[:-1] for r in records))
    store_moves(session, _moves(records))
    for batch, clocks, offsets in dated:
        date_anew(session, batch.edge.id, batch.journal, batch.rows, clocks, offsets)
        _follow_clock(session, batch.edge.id, clocks)
    store(session, [fact for r in records for fact in r.facts])
    note_doors(session, records)
    upsert(session.connection(), _position, [_reached(batch, received) for batch in batches])
    return [(r.edge, _refusal(r)) for r in records if r.kind in UNREAD]


def _moves(records: Iterable[Record]) -> Iterator[tuple[str, datetime, bool]]:
    """Who moved when, and whether they are inside then."""
    for r in records:
        if r.member is not None and r.moved_at is not None and r.inside is not None:
            yield r.member, r.moved_at, r.inside


def _reached(batch: Batch, received: datetime) -> dict[str, Any]:
    return {"edge": batch.edge.id, "journal": batch.journal, "seq": batch.reached, "updated": received}


def _refusal(refused: Record) -> str:
    where = f"edge {refused.edge!r}, row {refused.seq} of journal {refused.journal!r}"
    return f"{where}: {refused.detail}" + ("" if refused.kind == LATER else "; kept, not counted")


def _name_the_settled(session: Session, records: list[Record]) -> None:
    """Give each door_opened row the member of the tap that it settles, where the edge left it out."""
    nameless = [r for r in records if r.inside and r.member is None]
    taps = {r.seq: r.member for r in records if r.kind == Kind.TAP} if nameless else {}
    for r in nameless:
        r.member = taps.get(r.settles or 0) or _tapper(session, r)
        if r.member is None:
            r.inside = r.moved_at = None


def _tapper(session: Session, opened: Record) -> str | None:
    return session.exec(
        select(JournalRow.member).where(
            JournalRow.edge == opened.edge,
            JournalRow.journal == opened.journal,
            JournalRow.seq == opened.settles,
        )
    ).first()


def _follow_clock(session: Session, edge: str, clocks: Sequence[Row]) -> None:
    """Where the journal says that an edge's clock is another, its next status may bear an older instant."""
    known = session.get(Edge, edge) if any(row.kind in CLOCK_KINDS for row in clocks) else None
    if known is not None:
        known.said = None
