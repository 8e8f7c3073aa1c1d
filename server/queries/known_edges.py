"""Which edges does the site have, and what may each of them speak of? Its doors, its machines, and their readers."""

from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from policy.terms import Direction
from server.models import AccessPoint, Edge, Machine


@dataclass(frozen=True)
class KnownEdge:
    """public_key: Ed25519, hex. doors: of its access points. readers: those that it owns, and which way they lead."""

    id: str
    public_key: str
    access_points: frozenset[str]
    doors: frozenset[str]
    readers: dict[str, Direction | None]


def known_edges(session: Session) -> dict[str, KnownEdge]:
    """The edges with a key, by id, with the readers of their access points and machines."""
    readers: dict[str, dict[str, Direction | None]] = {
        machine: {reader: None}
        for machine, reader in session.exec(select(Machine.id, Machine.reader).where(col(Machine.ended).is_(None)))
    }
    points = session.exec(
        select(AccessPoint.id, AccessPoint.reader_in, AccessPoint.reader_out).where(col(AccessPoint.ended).is_(None))
    ).all()
    for point, reader_in, reader_out in points:
        readers[point] = {reader_in: Direction.IN}
        if reader_out is not None:
            readers[point][reader_out] = Direction.OUT
    doors = {point for point, _, _ in points}
    return {
        edge: KnownEdge(
            edge,
            public_key,
            frozenset(places),
            frozenset(doors.intersection(places)),
            {reader: way for place in places for reader, way in readers.get(place, {}).items()},
        )
        for edge, public_key, places in session.exec(select(Edge.id, Edge.public_key, Edge.access_points))
    }


def edges_online(session: Session) -> tuple[int, int]:
    """How many edges are there, and how many are known."""
    online = session.exec(select(func.count()).select_from(Edge).where(col(Edge.online).is_(True))).one()
    return online, session.exec(select(func.count()).select_from(Edge)).one()
