"""Is the bank of hours right, to the minute, after each night? Booked by the server's bookkeeper, counted anew here.

Who came and went is what edges have told the server by the end of the site day, that it is what happened quiet.py sees,
and what the desk has written down (desk.py). Credits count with a second name (credits.py). What was minted is spent at
the doors, link or no link.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, func, select

from policy.instants import of
from policy.terms import DAY, Instant
from proofs.recount import Moved, Recount
from proofs.storm.casting import KEPT, MINT, ROUND
from proofs.storm.credits import Credits
from proofs.storm.desk import Desk
from proofs.storm.hours import day_start, instant_of, local_time, site_day
from proofs.storm.office import Office
from server.bank import Bookkeeper
from server.database.types import moment
from server.models import BankEntry, JournalRow
from server.publish.rules import SERVER
from server.queries.ledger import ledger

if TYPE_CHECKING:
    from proofs.storm.watch import Watch

_COUNTERED = select(func.count()).select_from(BankEntry).where(col(BankEntry.counters).is_not(None))


class Bank:
    """Looks at the ledger once a night."""

    def __init__(self, office: Office, watch: "Watch", desk: Desk) -> None:
        self._office, self._watch, self._desk = office, watch, desk
        self.credits = Credits(office, watch, self.pay)
        self._gardiens = [member.id for member in office.bundle.members if "gardien" in member.roles]
        self._recount = Recount(self._gardiens, MINT, ROUND)

    def night(self) -> None:
        """Book what is due, as the server does at the end of each site day, and count it anew."""
        now, exchange = self._watch.now(), self._office.exchange
        ends = day_start(now)
        first = site_day(local_time(ends)) - timedelta(KEPT - 2)
        kept = [shift for shift in self._office.bundle.shifts if shift.start >= first.isoformat()]
        since = instant_of(f"{first}T04:00")
        self._recount.settle(kept, [*self._heard(since, ends), *self._desk.heard(since, ends)], ends)
        self.pay(ends)
        if exchange is None:
            self._watch.broken("server", "nobody books: the server is off at night")
            return
        rules = exchange.publisher
        Bookkeeper(self._office.database, self._watch.now, lambda: rules.current, self._office.published, KEPT).tick()
        with self._office.database.reading() as session:
            wrong = self._recount.differs(session)
            self._watch.counts["counter-entries"] = session.exec(_COUNTERED).one()
            unsaid = ledger(session).units - {one.id for one in rules.current.bundle.passes}
        if unsaid:
            self._watch.broken("server", f"minted, and in no rules: {sorted(unsaid)}")
        if wrong is not None:
            self._watch.broken("server", f"the night after {site_day(local_time(ends - DAY))}: {wrong}")
        self._watch.counts["nights booked"] += 1
        self._watch.counts["minutes earned"] = sum(minutes for _, minutes in self._recount.earned.values())
        self._watch.counts["half-days minted"] = sum(self._recount.minted.values())

    def pay(self, at: Instant) -> None:
        """Credits that count by then, and half-days for all that is whole."""
        self._recount.given = self.credits.counting(at)
        self._recount.pay()

    def _heard(self, since: Instant, until: Instant) -> list[Moved]:
        row = JournalRow
        asked = select(row.member, row.moved_at, row.inside).where(
            col(row.member).in_(self._gardiens),
            col(row.inside).is_not(None),
            col(row.moved_at) >= moment(since),
            row.edge != SERVER,
            row.received < moment(until),
        )
        with self._office.database.reading() as session:
            return [Moved(f"{who}", of(at), bool(inside)) for who, at, inside in session.exec(asked) if at is not None]
