"""What is sent to the server next, and what does its answer mean? Pure: the journal is the outbox, here is the timing.

One message is under way at a time: the rows after the last acknowledged one. No answer in time, or a new connection:
they are sent again, with those that came since. No answer for long: the broker may have lost what we subscribed to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from msgspec import Raw
from msgspec.structs import replace

from wire.facts import facts_for_others
from wire.messages import MAX_ROWS, Ack, Events, Facts
from wire.row import Row, encode

MAX_BYTES = 200_000
"""Of rows in one message."""
FIRST_WAIT = 5.0
LAST_WAIT = 60.0
"""Seconds to wait for an answer; twice as long each time that none came."""
FIRST_PATIENCE = 60.0
LAST_PATIENCE = 3600.0
"""Seconds without any answer after which to reconnect; twice as long each time that it did not help."""


class Answer(Enum):
    """What an acknowledgement means to the journal it is compared with."""

    NEW = "rows that were not acknowledged before"
    REPEATED = "nothing new"
    FOREIGN = "another journal, set aside long ago"
    BELOW = "rows that were acknowledged before are lost to the server: its database was restored from an older copy"
    ABOVE = "rows that this journal does not hold: it was restored from an older copy"


def judge(ack: Ack, journal: str, acknowledged: int, last: int) -> Answer:
    """Compare an acknowledgement with the journal: its id, its last acknowledged row and its last row."""
    if ack.journal != journal:
        return Answer.FOREIGN
    if ack.seq > last:
        return Answer.ABOVE
    if ack.seq < acknowledged:
        return Answer.BELOW
    return Answer.NEW if ack.seq > acknowledged else Answer.REPEATED


def message(journal: str, rows: Iterable[tuple[int, bytes]]) -> tuple[Events, int]:
    """One message of the first rows given, and the number of the last in it. At least one row must be given."""
    chosen: list[Raw] = []
    size, last = 0, 0
    for seq, row in rows:
        size += len(row) + 1
        if chosen and (size > MAX_BYTES or len(chosen) == MAX_ROWS):
            break
        chosen.append(Raw(row))
        last = seq
    return Events(journal, tuple(chosen)), last


def facts(journal: str, rows: Iterable[Row]) -> Facts | None:
    """What the other edges must know of these rows, None for nothing. A credential is nobody else's business."""
    told = [replace(row, credential=None) for row in rows if any(facts_for_others(row, 0))]
    return Facts(journal, tuple(Raw(encode(row)) for row in told)) if told else None


@dataclass(slots=True)
class Outbox:
    """When to send. Times are monotonic seconds."""

    connected: bool = False
    under_way: int = 0
    """The last row of the message that waits for an answer, 0 for none."""
    sent_at: float = 0.0
    wait: float = FIRST_WAIT
    unheard_since: float | None = None
    """When the first message went after which no acknowledgement came; None for none."""
    patience: float = FIRST_PATIENCE

    def reset(self, connected: bool) -> None:
        """A connection came up or broke, or another journal began: nothing is under way any more."""
        self.connected, self.under_way, self.wait = connected, 0, FIRST_WAIT
        self.unheard_since = None

    def due(self, acknowledged: int, last: int, now: float) -> bool:
        """Whether to send now."""
        moment = self.deadline(acknowledged, last)
        return moment is not None and now >= moment

    def deadline(self, acknowledged: int, last: int) -> float | None:
        """When to send next if nothing happens before: at once is 0, None for not before something happens."""
        if not self.connected or acknowledged >= last:
            return None
        return self.sent_at + self.wait if self.under_way else 0.0

    def sent(self, last: int, now: float) -> None:
        """A message up to row `last` has gone."""
        if self.under_way:
            self.wait = min(2 * self.wait, LAST_WAIT)
        self.under_way, self.sent_at = last, now
        if self.unheard_since is None:
            self.unheard_since = now

    def heard(self) -> None:
        """An acknowledgement came, be it an old one that the broker kept: what we subscribed to is delivered."""
        self.unheard_since = None

    def given_up(self, now: float) -> float | None:
        """For how many seconds no answer came, once that is too long: then reconnect, and wait longer the next time."""
        if self.unheard_since is None or now - self.unheard_since < self.patience:
            return None
        unheard = now - self.unheard_since
        self.unheard_since, self.sent_at = None, now
        self.patience = min(2 * self.patience, LAST_PATIENCE)
        return unheard

    def answered(self, seq: int) -> None:
        """Row `seq` and all before it are acknowledged."""
        self.wait, self.patience = FIRST_WAIT, FIRST_PATIENCE
        if seq >= self.under_way:
            self.under_way = 0
