"""Which rows waited for this version of the server? At its start those of a kind that it knows now are read again."""

from collections.abc import Iterator, Mapping

from msgspec import Raw
from msgspec.structs import replace
from sqlmodel import Session, col, select

from server.ingest.facts import ToldBy, store, store_moves
from server.ingest.rows import COLUMNS, LATER, Numbered, Record, number, record
from server.models import JournalRow
from server.queries.known_edges import KnownEdge
from wire.errors import WireError

AT_ONCE = 1000
"""Rows in memory at a time: an edge may have written as many as it liked."""


def read_waiting(session: Session, edges: Mapping[str, KnownEdge]) -> int:
    """Read the rows that waited, as if they came now but for when they came. Returns how many wait no more."""
    taken = 0
    for row in _waiting(session):
        found = _read(row, edges[row.edge]) if row.edge in edges else None
        if found is None:
            continue
        taken += 1
        for name in COLUMNS:
            setattr(row, name, getattr(found, name))
        if found.member is not None and found.moved_at is not None and found.inside is not None:
            store_moves(session, [(found.member, found.moved_at, found.inside)])
        store(session, found.facts, ToldBy(row.edge, row.received))
    return taken


def _waiting(session: Session) -> Iterator[JournalRow]:
    """In the order in which they came, which within a journal is its own."""
    rows, reached = select(JournalRow).where(col(JournalRow.kind) == LATER).order_by(col(JournalRow.id)), 0
    while found := session.exec(rows.where(col(JournalRow.id) > reached).limit(AT_ONCE)).all():
        reached = found[-1].id or 0
        yield from found
        session.flush()
        session.expunge_all()


def _read(row: JournalRow, edge: KnownEdge) -> Record | None:
    """None for one that has to wait for yet another version. One that no version will read by itself is refused."""
    raw = (row.raw or "").encode()
    try:
        [numbered] = number([Raw(raw)], f"a row of edge {row.edge!r} that waited", raw)
    except WireError as error:
        numbered = Numbered(row.seq, Raw(raw), None, str(error))
    found = record(edge, row.journal, replace(numbered, seq=row.seq), row.received, {})
    return None if found.kind == LATER else found
