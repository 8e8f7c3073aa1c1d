"""What is reckoned before anybody asks? The days that *Chiffres* and *Chiffres des gardes* count, after a start.

So it is nobody's page that waits for ten million moves to be read. One day at a time: a session that stays open for
long keeps the write-ahead log from being folded back.
"""

from collections.abc import Callable
from datetime import date, timedelta

from policy.terms import Instant
from server.database.engine import Database
from server.queries.counts import Days, first_uncounted, month_of, number
from server.queries.current import Current


class Ahead:
    """`tick` from one thread. stopping: whether to leave the rest for the pages."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], Instant],
        current: Callable[[], Current],
        stopping: Callable[[], bool],
    ) -> None:
        self._database = database
        self._clock = clock
        self._current = current
        self._stopping = stopping
        self._done: tuple[int, date] | None = None
        """Of which state of the stored rows, and before which day, all is reckoned."""

    def tick(self) -> None:
        """What is known already costs a few short questions; rows that were changed since make all of it unknown."""
        current, now = self._current(), self._clock()
        today = current.calendar.day_at(now)
        with self._database.reading() as session:
            state = session.info["rewritten"], today
            first = None if state == self._done else first_uncounted(session, current.calendar)
        day = today if first is None else month_of(first)  # of which it is counted how many different people came
        while day < today:
            if self._stopping():
                return
            with self._database.reading() as session:
                number(Days(session, current.bundle, current.calendar, day, day, now), {})
            day += timedelta(1)
        self._done = state
