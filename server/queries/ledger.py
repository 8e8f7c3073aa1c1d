"""What stands in the ledger of the bank of hours? Read, never stored: balances, and what counts of each source."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, func, select

from policy.bank import UNIT
from policy.bank_accounts import Account
from policy.held import Source
from policy.instants import of
from policy.terms import Instant
from server.models import BankCount, BankEntry


class Ledger:
    """The entries in the order in which they were booked. minutes: of each member what is not minted.

    live: of each source the entry that no other undoes. sums: of each source what all its entries come to.
    """

    def __init__(self, entries: Iterable[BankEntry], last: datetime | None = None) -> None:
        self.minutes: defaultdict[str, int] = defaultdict(int)
        self.sums: defaultdict[Source, int] = defaultdict(int)
        self.live: dict[Source, BankEntry] = {}
        self.last: Instant | None = None if last is None else of(last)
        """Up to when all is booked."""
        for entry in entries:
            self.take(entry)

    def take(self, entry: BankEntry) -> None:
        """One more, that is in the table already."""
        source, minutes = tuple(entry.source), signed(entry)
        self.minutes[entry.member] += minutes
        self.sums[source] += minutes
        self.last = max(of(entry.at), self.last or 0)
        if entry.counters is None:
            self.live[source] = entry
        elif (undone := self.live.get(source)) is not None and undone.id == entry.counters:
            del self.live[source]

    @property
    def units(self) -> frozenset[str]:
        """The ids of all passes that were minted."""
        return frozenset(source[1] for source in self.live if source[0] == UNIT)


def signed(entry: BankEntry) -> int:
    """The minutes as they come to the member, below 0 for those that leave."""
    return entry.minutes if entry.to_account == Account.MEMBER else -entry.minutes


def ledger(session: Session) -> Ledger:
    entries = session.exec(select(BankEntry).order_by(col(BankEntry.id)))
    return Ledger(entries, session.exec(select(func.max(BankCount.at))).one())


def last_count(session: Session) -> BankCount | None:
    """The last comparison of the ledger with a recount; None before the first."""
    return session.exec(select(BankCount).order_by(col(BankCount.at).desc()).limit(1)).first()
