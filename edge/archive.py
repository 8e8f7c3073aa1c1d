"""How do rows get to the disk when the disk is not always well? They wait in memory, and are tried again each second.

The controller's numbers and the journal's are the same until a new journal has to take the place of the old one; from
then on they differ by `shift`.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec.structs import replace

from edge.events import Event, Journalled, JournalTrouble
from edge.journal import PRUNED_AT_ONCE, Journal, JournalDamagedError, JournalError
from edge.knowledge import Positions
from edge.observer import Observer
from edge.ports import Clock
from edge.post import Recorded
from edge.rescue import forget_aside, open_journal, renew
from policy.terms import Instant
from wire.row import Row

log = logging.getLogger("loquet.edge")

RETRY = 1.0
"""Seconds from one try to the next."""
MOST_WAITING = 10_000
"""Rows in memory; from then on the controller records no more, and counts what it could not."""

Result = TypeVar("Result")


class Archive:
    """The journal of an edge that runs. tell: takes what the controller must know.

    retry_at: after a failure, when the disk is asked again (monotonic seconds).
    """

    def __init__(self, journal: Journal, boot: str, clock: Clock, tell: Callable[[Event], None], observer: Observer):
        self.path = journal.path
        self.trouble: str | None = None
        self._journal: Journal | None = journal
        self._boot = boot
        self._clock = clock
        self._tell = tell
        self._observer = observer
        self._waiting: list[Recorded] = []
        self._on_disk = journal.last_seq
        self._full = False
        self.retry_at = 0.0

    @property
    def journal(self) -> Journal | None:
        """The journal while it can be read."""
        return self._journal

    @property
    def shift(self) -> int:
        """The controller's number of a row, less the journal's."""
        return self._on_disk - self._journal.last_seq if self._journal else 0

    @property
    def deadline(self) -> float | None:
        """When to call `write` again, in monotonic seconds."""
        return self.retry_at if self._waiting or self.trouble else None

    def add(self, recorded: Recorded) -> None:
        """Take a row; it is on the disk after a `write` that went well."""
        self._waiting.append(recorded)

    def write(self) -> None:
        """Put all rows that wait on the disk in one transaction, unless that was tried less than a second ago."""
        if self._clock.monotonic() < self.retry_at:
            self._say_full()
        elif self._waiting:
            self.attempt(self._append)
        elif self.trouble:
            self.attempt(self._check)

    def attempt(self, act: Callable[[Journal], Result]) -> Result | None:
        """Do something with the journal; None when its disk does not let us, which is noted and mended if it can be."""
        try:
            if self._journal is None:
                self._journal, _ = open_journal(self.path)
            return act(self._journal)
        except JournalDamagedError as error:
            self.renew(str(error))
        except JournalError as error:
            self._unwell(str(error))
        return None

    def keep(self, values: Mapping[str, bytes | None], included: Positions | None = None) -> bool:
        """Keep bytes under their names, as Journal.keep; whether they are on the disk."""
        kept = False

        def keep(journal: Journal) -> None:
            nonlocal kept
            journal.keep(values, included)
            kept = True

        self.attempt(keep)
        return kept

    def outran(self, seq: int) -> None:
        """The server has a row that is not here: the card was restored from a copy. Rows of this start go over."""
        if self._journal is not None:
            why = f"row {seq} is acknowledged, the journal ends at {self._journal.last_seq}: restored from a copy?"
            self.renew(why, lambda row: row.boot == self._boot)

    def renew(self, why: str, carry: Callable[[Row], bool] | None = None) -> None:
        """Set the journal aside and begin a new one."""
        self.close()
        self._journal = None
        try:
            self._journal, done = renew(self.path, why, carry)
        except JournalError as error:
            self._unwell(str(error))
        else:
            log.error("journal: %s", done)

    def begin_anew(self, why: str) -> str:
        """Set the journal aside before this start has numbered a row; what was done, in words. Raises JournalError."""
        self.close()
        self._journal, done = renew(self.path, why)
        self._on_disk = self._journal.last_seq
        log.error("journal: %s", done)
        return done

    def prune(self, now: Instant) -> None:
        """Forget what is older than 30 days and acknowledged."""
        while self.attempt(lambda journal: journal.prune(now)) == PRUNED_AT_ONCE:
            pass
        forget_aside(self.path, now)

    def close(self) -> None:
        """Let go of the file."""
        if self._journal is not None:
            self._journal.close()

    def _append(self, journal: Journal) -> None:
        shift = self.shift
        journal.append([_shifted(recorded.row, shift) for recorded in self._waiting])
        written, self._waiting = self._waiting, []
        self._on_disk = written[-1].row.seq
        self._tell(Journalled(self._clock.now(), self._clock.monotonic(), self._on_disk))
        self._well()
        now = time.perf_counter()
        for recorded in written:
            self._observer.journalled(recorded.row.seq, now - recorded.handed_over)

    def _check(self, journal: Journal) -> None:
        journal.save()
        self._well()

    def _well(self) -> None:
        if self.trouble is not None or self._full:
            log.warning("journal: %s can be written again", self.path)
            self.trouble, self._full = None, False
            self._say()

    def _unwell(self, why: str) -> None:
        self.retry_at = self._clock.monotonic() + RETRY
        if why != self.trouble:
            log.error("journal: %s; the door goes on deciding, rows wait in memory", why)
            self.trouble = why
            self._say()
        self._say_full()

    def _say_full(self) -> None:
        if len(self._waiting) >= MOST_WAITING and not self._full:
            log.error("journal: %d rows wait for the disk; from now on events are only counted", len(self._waiting))
            self._full = True
            self._say()

    def _say(self) -> None:
        self._tell(JournalTrouble(self._clock.now(), self._clock.monotonic(), self.trouble, self._full))


def _shifted(row: Row, shift: int) -> Row:
    if not shift:
        return row
    settles = row.settles - shift if row.settles and row.settles > shift else None
    return replace(row, seq=row.seq - shift, settles=settles)
