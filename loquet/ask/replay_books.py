"""The bank of hours of a story: what it knows is what the server has at each end of a site day."""

from msgspec.structs import replace
from sqlmodel import Session, col, select

from policy.bank import Bank
from policy.bank_site import SiteThen
from policy.bundle import Bundle
from policy.instants import of
from policy.presence import Move
from policy.terms import Instant
from server.database.engine import Database
from server.models import AdhocShift, JournalRow


class Books:
    """The bank, and what it was told of the rows."""

    def __init__(self, database: Database, first: SiteThen) -> None:
        self.bank = Bank(first)
        self._database = database
        self._moves: set[tuple[int, str, Move]] = set()
        self._opened: set[tuple[str, Instant, Instant]] = set()

    def settle(self, at: Instant) -> None:
        """Take in what the rows say now, and settle."""
        with self._database.reading() as session:
            self._hear(session)
        self.bank.settle(at)

    def _hear(self, session: Session) -> None:
        rows = session.exec(
            select(JournalRow.id, JournalRow.member, JournalRow.moved_at, JournalRow.inside).where(
                col(JournalRow.inside).is_not(None)
            )
        )
        moves = {
            (number, member, Move(of(at), inside))
            for number, member, at, inside in rows
            if number is not None and member is not None and at is not None and inside is not None
        }
        for _, member, move in self._moves - moves:
            self.bank.unhear(member, move)
        for _, member, move in moves - self._moves:
            self.bank.hear(member, move)
        shifts = session.exec(select(AdhocShift.gardien, AdhocShift.start, AdhocShift.end))
        opened = {(gardien, of(start), of(end)) for gardien, start, end in shifts}
        for gardien, start, _ in self._opened - opened:
            self.bank.unopened(gardien, start)
        for gardien, start, end in opened - self._opened:
            self.bank.opened(gardien, start, end)
        self._moves, self._opened = moves, opened

    @property
    def bundle(self) -> Bundle:
        """What the site says, with the units of the bank among the carnets."""
        return replace(self.bank.now.bundle, passes=self.bank.passes)
