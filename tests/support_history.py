"""What a server's database holds, as tests ask for it."""

from sqlmodel import select

from server.ingest.messages import Owed
from server.models import JournalRow, Presence
from tests.support_server import Desk
from wire.messages import Ack


def rows_of(desk: Desk) -> list[JournalRow]:
    with desk.database.reading() as session:
        return list(session.exec(select(JournalRow).order_by(JournalRow.journal, JournalRow.seq)))


def presence(desk: Desk) -> dict[str, tuple[int, bool]]:
    with desk.database.reading() as session:
        return {p.member: (round(p.at.timestamp() * 1000), p.inside) for p in session.exec(select(Presence))}


def kinds(desk: Desk) -> list[str]:
    return [row.kind for row in rows_of(desk)]


def owed(seq: int, journal: str = "j1") -> Owed:
    return Owed("front", Ack(journal, seq))
