"""What does the database hold once rows have come? The rows of several edges are stored in one go.

So what a statement costs, and the disk's answer to a commit, is paid once for all of them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import astuple
from sqlalchemy import Table
from sqlmodel import Session, select

from policy.facts import Fact, Ran
from policy.terms import DAY
from server.ingest.budget import Good
from server.ingest.bulk import insert, upsert
from server.ingest.contacts import note_doors
from server.ingest.facts import ToldBy, store, store_moves
from server.ingest.rows import COLUMNS, LATER, UNREAD, Numbered, Record, record
from server.ingest.timestamps import CLOCK_KINDS, clocks_in, correct_timestamps, offsets_of
from server.models import Edge, JournalRow, Position
from server.queries.known_edges import KnownEdge
from server.queries.site_state import Known
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


class Stored(NamedTuple):
    """refused: from which edge something counts for nothing, although it is kept, and why. facts: of each edge."""

    refused: list[tuple[str, str]]
    facts: dict[str, int]


def store_batches(
    session: Session, batches: Sequence[Batch], received: datetime, site: Known, room: Callable[[str], int]
) -> Stored:
    """Store the rows and all that follows from them; at most one batch of each edge, none empty.

    received: when they came, aware. site: whom and what it has. room: how many facts more an edge may leave in the
    state.
    """
    refused: list[tuple[str, str]] = []
    records: list[Record] = []
    told: dict[str, list[Fact]] = {}
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
        facts = [fact for r in found for fact in r.facts]
        told[batch.edge.id] = facts[: max(0, room(batch.edge.id))]
        refused += [(batch.edge.id, why) for why in _left_out(batch.edge.id, found, facts, told[batch.edge.id], site)]
    insert(session.connection(), _journal_row, COLUMNS, (astuple(r)[:-1] for r in records))
    store_moves(session, _moves(records))
    for batch, clocks, offsets in dated:
        correct_timestamps(session, batch.edge.id, batch.journal, batch.rows, clocks, offsets)
        _follow_clock(session, batch.edge.id, clocks)
    for edge, facts in told.items():
        store(session, facts, ToldBy(edge, received))
    note_doors(session, records, {batch.edge.id: batch.edge.doors for batch in batches})
    upsert(session.connection(), _position, [_reached(batch, received) for batch in batches])
    refused += [(r.edge, _refusal(r)) for r in records if r.kind in UNREAD]
    return Stored(refused, {edge: len(facts) for edge, facts in told.items()})


def _left_out(
    edge: str, records: Sequence[Record], facts: Sequence[Fact], kept: Sequence[Fact], site: Known
) -> Iterator[str]:
    """What of these rows the state of the site does not tell."""
    strangers = sum(r.member is not None and r.member not in site.members for r in records)
    strangers += sum(isinstance(fact, Ran) and fact.session.kind not in site.kinds for fact in facts)
    if strangers:
        yield f"edge {edge!r}: {strangers} members or kinds of machines that the site has not: kept, and not told"
    if len(kept) < len(facts):
        limit = Good.FACTS.value
        yield (
            f"edge {edge!r}: {len(facts) - len(kept)} things beyond the {limit.most} in {limit.every // DAY} days that"
            " one edge may leave in the state of the site: its rows are kept, and not counted"
        )


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
