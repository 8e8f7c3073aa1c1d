"""Who stands at the door? Hands that lay the next badge once one was decided, and note what the edge said of each."""

import threading
import time
from collections.abc import Callable
from itertools import cycle

from proofs.attacked import crowd
from simulator.remote import Command, Event, Lay, Stages, Take

READERS = ("front-in", "front-out")
NOBODYS = "CAFEF00D"
"""A badge that nobody has."""


class Tapping:
    """send: gives the edge a command. `hear` is called in the thread of the edge's events, all else in one other.

    told: what was said of each tap since the edge's start, by row. acknowledged: the highest row of which it was said
    that the server has it. decided, journalled, answered: how many taps have come so far.
    """

    def __init__(self, send: Callable[[Command], object]) -> None:
        self.told: dict[int, Stages] = {}
        self.decided = self.journalled = self.answered = self.acknowledged = 0
        self._send = send
        self._changed = threading.Condition()
        self._badges = {reader: cycle(crowd(reader)) for reader in READERS}
        self._lying: dict[str, str] = {}
        self._finishing = False

    def begin(self) -> None:
        """The edge was started: there is nothing on its readers yet."""
        with self._changed:
            self.told.clear()
            self._lying.clear()
            self._finishing = False
            for reader in READERS:
                self._lay(reader)

    def hear(self, event: Event) -> None:
        """Note it, and lay the next badge."""
        with self._changed:
            if isinstance(event, Stages):
                self._note(event)
            self._changed.notify_all()

    def knows_people(self) -> bool:
        """Whether the edge told whose badge one was: it has rules."""
        return any(tap.member is not None for tap in self.told.values())

    def wait(self, until: Callable[[], bool], patience: float) -> bool:
        """Whether it came true within so many seconds."""
        with self._changed:
            return self._changed.wait_for(until, patience)

    def come(self, count: int, what: str, patience: float) -> bool:
        """Wait until so many more taps were `decided`, `journalled` or `answered`."""
        enough = getattr(self, what) + count
        return self.wait(lambda: getattr(self, what) >= enough, patience)

    def finish(self, patience: float) -> bool:
        """Lay a last badge, which nobody has, and no more; whether its row, the last of all, reaches the server."""
        with self._changed:
            self._finishing = True
            for reader, lying in self._lying.items():
                self._send(Take(reader, lying))
            self._send(Lay(READERS[0], NOBODYS))
            return self._changed.wait_for(self._finished, patience)

    def _finished(self) -> bool:
        return any(tap.member is None and tap.server is not None for tap in self.told.values())

    def linger(self, seconds: float) -> None:
        """Go on tapping for so long."""
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() >= end, seconds)

    def _note(self, tap: Stages) -> None:
        self.told[tap.seq] = tap
        if tap.server is not None:
            self.answered += 1
            self.acknowledged = max(self.acknowledged, tap.seq)
        elif tap.journal is not None:
            self.journalled += 1
        else:
            self.decided += 1
            if not self._finishing:
                self._lay(tap.reader)

    def _lay(self, reader: str) -> None:
        """Take away what lies there and lay the next one."""
        old, new = self._lying.get(reader), next(self._badges[reader])
        if old is not None:
            self._send(Take(reader, old))
        self._lying[reader] = new
        self._send(Lay(reader, new))
