"""How do rows get to the disk when the disk is not always well? They wait in memory, and are tried again each second.

The controller's numbers and the journal's are the same until a new journal has to take the place of the old one; from
then on they differ by `shift`.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from edge.events import Event, Journalled, JournalTrouble
from edge.journal import PRUNED_AT_ONCE, Journal
from edge.journal_errors import JournalDamagedError, JournalError, JournalMistakeError
from edge.knowledge import Positions
from edge.observer import Observer
from edge.ports import Clock
from edge.rescue import forget_aside, open_journal, renew
from edge.spare import Copied, Spare
from edge.work_items import RowToWrite
from policy.terms import Instant
from wire.row import Row

log = logging.getLogger("loquet.edge")

RETRY = 1.0
"""Seconds from one try to the next."""
MOST_WAITING = 10_000
"""Rows in memory; from then on the controller records no more, and counts what it could not."""

COPIED = 5.0
"""Seconds until what is kept in the journal lies in the spare file, too."""

Result = TypeVar("Result")


class JournalWriter:
    """The journal of an edge that runs; made with a JournalMistakeError, or with whatever disk there is.

    tell: gives an event to the controller. retry_at: after a failure, when the disk is asked again (monotonic
    seconds). found: why this start found no journal that could go on, and what was done; damaged: the same of the last
    journal that was set aside. None: nothing.
    """

    def __init__(self, path: Path, boot: str, clock: Clock, tell: Callable[[Event], None], observer: Observer):
        self.path = path
        self.trouble: str | None = None
        self.found: str | None = None
        self.damaged: str | None = None
        self._journal: Journal | None = None
        self._spare = Spare(path)
        self._copy_at = inf
        self._checked = False
        self._boot = boot
        self._clock = clock
        self._tell = tell
        self._observer = observer
        self._waiting: list[RowToWrite] = []
        self._on_disk = 0
        self._full = False
        self.retry_at = 0.0
        self._spare.tighten()
        self._begin(lambda: open_journal(path))

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
        due = self.retry_at if self._waiting or self.trouble else inf
        return None if (soonest := min(due, self._copy_at)) == inf else soonest

    def add(self, recorded: RowToWrite) -> None:
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
        if self._clock.monotonic() >= self._copy_at:
            self._copy()

    def attempt(self, act: Callable[[Journal], Result]) -> Result | None:
        """Do something with the journal; None when its disk does not let us, which is noted and mended if it can be."""
        try:
            return act(self._journal or self._take(*open_journal(self.path)))
        except JournalDamagedError as error:
            self.renew(str(error))
        except JournalError as error:
            self._unwell(str(error))
        return None

    def keep(
        self, values: Mapping[str, bytes | None], included: Positions | None = None, copied_within: float = COPIED
    ) -> bool:
        """Keep bytes under their names, as Journal.keep; whether they are on the disk.

        copied_within: seconds until they are also in the spare file.
        """
        kept = False

        def keep(journal: Journal) -> None:
            nonlocal kept
            journal.keep(values, included)
            kept = True

        self.attempt(keep)
        if kept:
            self._copy_at = min(self._copy_at, self._clock.monotonic() + copied_within)
        return kept

    def outran(self, seq: int) -> None:
        """The server has a row that is not here: the card was restored from a copy. Rows of this start go over."""
        if self._journal is not None:
            why = f"row {seq} is acknowledged, the journal ends at {self._journal.last_seq}: restored from a copy?"
            self.renew(why, lambda row: row.boot == self._boot)

    def kept(self, journal: Journal) -> dict[str, bytes]:
        """All that is kept, by name: the better copy, which both are from now on. Raises JournalError."""
        copied, kept = self._spare.read(), journal.kept()
        better = copied.better(journal.id, journal.turn, kept)
        if better != kept:
            self.keep(better)
        elif copied.kept != kept:
            self._copy_at = min(self._copy_at, self._clock.monotonic() + COPIED)
        return better

    def renew(self, why: str, carry: Callable[[Row], bool] | None = None) -> None:
        """Set the journal aside and begin a new one."""
        self._let_go()
        try:
            self._take(*renew(self.path, why, carry))
        except JournalError as error:
            self._unwell(str(error))

    def replace_at_start(self, why: str) -> None:
        """Set the journal aside before this start has numbered a row."""
        self._let_go()
        self._begin(lambda: renew(self.path, why))

    def start_without(self, last_seq: int) -> None:
        """No journal can be opened at this start; last_seq: its last row, as far as could be seen."""
        self._on_disk = last_seq

    def unusable_at_start(self, why: str) -> None:
        """The journal cannot be read at this start: it is opened again later."""
        self._let_go()
        self._found(why)

    def prune(self, now: Instant) -> None:
        """Forget what is older than 30 days and acknowledged."""
        while self.attempt(lambda journal: journal.prune(now)) == PRUNED_AT_ONCE:
            pass
        forget_aside(self.path, now)

    def close(self) -> None:
        """Let go of the file; what is kept in it lies in the spare file then, too. Damage waits for the next start."""
        if self._copy_at < inf and self._journal is not None:
            with suppress(JournalError, OSError):
                self._spare.write(_copied(self._journal))
        self._let_go()

    def _begin(self, opened: Callable[[], tuple[Journal, str | None]]) -> None:
        """Start with a journal, or without one: the disk may keep no door from deciding."""
        try:
            self._take(*opened())
        except JournalMistakeError:
            raise
        except JournalError as error:
            self._found(str(error))
        if self._journal is not None:
            self._on_disk = self._journal.last_seq
            self.found = self.damaged

    def _found(self, why: str) -> None:
        self.found = f"{why}; rows wait in memory"
        self._unwell(why)

    def _take(self, journal: Journal, done: str | None) -> Journal:
        self._journal, self._checked = journal, False
        if done is not None:
            log.error("journal: %s", done)
            self.damaged = done
        return journal

    def _let_go(self) -> None:
        if self._journal is not None:
            self._journal.close()
        self._journal = None

    def _copy(self) -> None:
        """Write the spare file. While that fails, the journal's own copy is the only one."""
        self._copy_at = self._clock.monotonic() + COPIED
        copied = self.attempt(_copied)
        if copied is None:
            return
        try:
            self._spare.write(copied)
        except OSError as error:
            log.warning("%s: not written (%s); tried again", self._spare.path, error.strerror)
        else:
            self._copy_at = inf

    def _append(self, journal: Journal) -> None:
        if not self._checked:
            journal.check()
            self._checked = True
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


def _copied(journal: Journal) -> Copied:
    return Copied(journal.id, journal.turn, journal.kept())


def _shifted(row: Row, shift: int) -> Row:
    if not shift:
        return row
    settles = row.settles - shift if row.settles and row.settles > shift else None
    return replace(row, seq=row.seq - shift, settles=settles)
