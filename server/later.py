"""Which rows waited for this version of the server? At its start those of a kind that it knows now are read again."""

from collections.abc import Mapping

from msgspec import Raw
from msgspec.structs import replace
from sqlmodel import Session, col, select

from server.facts import Teller, store, store_moves
from server.models import JournalRow
from server.rows import COLUMNS, LATER, KnownEdge, Record, number, record


def take_up(session: Session, edges: Mapping[str, KnownEdge]) -> int:
    """Read the rows that waited, as if they came now but for when they came. Returns how many wait no more."""
    waiting = session.exec(
        select(JournalRow).where(col(JournalRow.kind) == LATER).order_by(col(JournalRow.at), col(JournalRow.id))
    ).all()
    taken = 0
    for row in waiting:
        found = _read(row, edges[row.edge]) if row.edge in edges else None
        if found is None:
            continue
        taken += 1
        for name in COLUMNS:
            setattr(row, name, getattr(found, name))
        if found.member is not None and found.moved_at is not None and found.inside is not None:
            store_moves(session, [(found.member, found.moved_at, found.inside)])
        store(session, found.facts, Teller(row.edge, row.received))
    return taken


def _read(row: JournalRow, edge: KnownEdge) -> Record | None:
    """None for one that has to wait for yet another version."""
    raw = (row.raw or "").encode()
    [numbered] = number([Raw(raw)], f"a row of edge {row.edge!r} that waited", raw)
    found = record(edge, row.journal, replace(numbered, seq=row.seq), row.received, {})
    return None if found.kind == LATER else found
