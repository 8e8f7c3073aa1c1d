"""When is the bank of hours booked? At the end of each site day, and whenever a credit or its terms change."""

import logging
from collections.abc import Callable

from policy.bundle import Credit, TimeBank
from policy.terms import MINUTE, Instant
from server.changes.bank import book
from server.database.engine import Database
from server.queries.current import Current
from server.queries.ledger import last_count

Due = tuple[Instant, tuple[Credit, ...], TimeBank | None]
log = logging.getLogger("loquet.server")


class Bookkeeper:
    """`tick` now and then, from one thread. days: how long rows are kept. site_changed: publishes what was minted."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], Instant],
        current: Callable[[], Current],
        site_changed: Callable[[], None],
        days: int,
    ) -> None:
        self._database, self._clock, self._current = database, clock, current
        self._site_changed, self._days = site_changed, days
        self._done: Due | None = None
        self._tried: tuple[Due | None, Instant] = None, 0

    def tick(self) -> None:
        """Raises ServerError: then it is tried again a minute later, and nothing is booked twice."""
        now, current = self._clock(), self._current()
        due = current.rules.day_start(now), current.bundle.credits, current.bundle.site.time_bank
        if due == self._done or (due == self._tried[0] and abs(now - self._tried[1]) < MINUTE):
            return
        self._tried = due, now
        with self._database.transaction() as session:
            minted = book(session, now, self._days)
            count = last_count(session)
        if minted:
            log.info("bank of hours: %d minted", minted)
            self._site_changed()
        if count is not None and count.off:
            log.error("bank of hours: the ledger differs from its recount by %d minutes", count.off)
        self._done = due
