"""Is the bank of hours right, to the minute, after each night? Booked by the server's bookkeeper, counted anew here.

Who came and went is what the server has heard by the end of the site day; that it is what happened, quiet.py sees. What
was minted is spent at the doors, link or no link.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, select

from policy.instants import of
from policy.terms import DAY, Instant
from proofs.recount import Moved, Recount
from proofs.storm.casting import MINT, ROUND
from proofs.storm.office import Office
from proofs.storm.reading import day_start, instant_of, local_time, site_day
from server.bank import Bookkeeper
from server.database.types import moment
from server.models import JournalRow
from server.queries.ledger import ledger

if TYPE_CHECKING:
    from proofs.storm.watch import Watch

KEPT = 20
"""Days for which the server keeps rows: an edge is cut off for no longer."""


class Bank:
    """Looks at the ledger once a night."""

    def __init__(self, office: Office, watch: "Watch") -> None:
        self._office, self._watch = office, watch
        self._gardiens = [member.id for member in office.bundle.members if "gardien" in member.roles]
        self._recount = Recount(self._gardiens, MINT, ROUND)

    def night(self) -> None:
        """Book what is due, as the server does at the end of each site day, and count it anew."""
        now, exchange = self._watch.now(), self._office.exchange
        ends = day_start(now)
        first = site_day(local_time(ends)) - timedelta(KEPT - 2)
        kept = [shift for shift in self._office.bundle.shifts if shift.start >= first.isoformat()]
        self._recount.settle(kept, self._heard(instant_of(f"{first}T04:00"), ends), ends)
        self._recount.pay()
        if exchange is None:
            self._watch.broken("server", "nobody books: the server is off at night")
            return
        rules = exchange.publisher
        Bookkeeper(self._office.database, self._watch.now, lambda: rules.current, self._office.published, KEPT).tick()
        with self._office.database.reading() as session:
            wrong = self._recount.differs(session)
            unsaid = ledger(session).units - {one.id for one in rules.current.bundle.passes}
        if unsaid:
            self._watch.broken("server", f"minted, and in no rules: {sorted(unsaid)}")
        if wrong is not None:
            self._watch.broken("server", f"the night after {site_day(local_time(ends - DAY))}: {wrong}")
        self._watch.counts["nights booked"] += 1
        self._watch.counts["minutes earned"] = sum(minutes for _, minutes in self._recount.earned.values())
        self._watch.counts["half-days minted"] = sum(self._recount.minted.values())

    def _heard(self, since: Instant, until: Instant) -> list[Moved]:
        row = JournalRow
        asked = select(row.member, row.moved_at, row.inside).where(
            col(row.member).in_(self._gardiens),
            col(row.inside).is_not(None),
            col(row.moved_at) >= moment(since),
            row.received < moment(until),
        )
        with self._office.database.reading() as session:
            return [Moved(f"{who}", of(at), bool(inside)) for who, at, inside in session.exec(asked) if at is not None]
