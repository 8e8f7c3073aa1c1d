"""What does an edge know of itself when it starts? What its own rows say, and when its clock was last trusted."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from msgspec import structs

from edge.core import JUMP, Memory
from edge.journal import Journal
from edge.salvage import Saved
from policy.instants import instant
from policy.terms import DAY, ClockState, Instant
from wire.facts import SESSION_KINDS, facts_of
from wire.row import Kind, Row, decode

REACH: Instant = 32 * DAY
"""How far back rows are read without a state of the server: a month's quota counts the sessions of 31 days."""


@dataclass(frozen=True, slots=True)
class OwnRows:
    """The rows of this edge: of its journal, and before them those of journals set aside that the server lacks.

    owed: of such a journal its rows by number.
    """

    journal: str
    last_seq: int
    of_journal: Callable[[], Iterator[Row]]
    owed: Mapping[str, Mapping[int, bytes]]

    @classmethod
    def of(cls, journal: Journal) -> "OwnRows":
        return cls(journal.id, journal.last_seq, journal.newest_first, journal.owed())

    @classmethod
    def seen(cls, saved: Saved) -> "OwnRows":
        """Of a journal that could not be opened."""
        newest_first = [row for _, row in sorted(saved.rows.items(), reverse=True)]
        return cls(saved.id or "", max(saved.rows, default=0), lambda: iter(newest_first), saved.owed)

    def newest_first(self) -> Iterator[Row]:
        """All of them; those owed have the numbers from 0 down."""
        return chain(self.of_journal(), self._owed())

    def reached(self, positions: Mapping[str, int]) -> int:
        """The last of them in a state that reaches so far in each journal."""
        own = positions.get(self.journal, 0)
        lacking = sum(seq > positions.get(journal, 0) for journal, rows in self.owed.items() for seq in rows)
        return own or -lacking

    def _owed(self) -> Iterator[Row]:
        rows = [decode(row, f"row {seq}") for of_one in self.owed.values() for seq, row in of_one.items()]
        rows.sort(key=lambda row: row.at)
        for number, row in enumerate(reversed(rows)):
            yield structs.replace(row, seq=-number)


def recall(newest_first: Iterable[Row], found: Memory, reached: int | None = None) -> Memory:
    """What the controller starts from: what else was found on the disk, and what this edge's own rows add.

    reached: the last of them in what the server said, None when it said nothing yet.
    """
    counted_clock = _CountedClock()
    rows = recent(newest_first, reached)
    for row, known in zip(rows, _corrected(rows), strict=True):
        counted = counted_clock.instant(row)
        at = counted if known is None else known
        if reached is None or row.seq > reached:
            found.knowledge.add_own(row.seq, facts_of(row, at))
    return replace(found, last_at=counted_clock.trusted_at)


def unended(newest_first: Iterable[Row], machines: Collection[str], alive_at: Instant) -> Iterator[Row]:
    """The last word of this edge on each machine, where it is that a session runs: the state may leave that out.

    alive_at: when a session last ran here; what is so much older has its end elsewhere.
    """
    open_still = set(machines)
    for row in newest_first:
        if not open_still or (row.clock is not ClockState.UNKNOWN and instant(row.at) < alive_at - REACH):
            return
        if row.kind in SESSION_KINDS and row.access_point in open_still:
            open_still.discard(row.access_point)
            if row.kind is not Kind.SESSION_ENDED:
                yield row


def recent(newest_first: Iterable[Row], reached: int | None = None) -> list[Row]:
    """The rows that matter, oldest first: those above `reached` and back to a trusted one; else those of REACH."""
    rows: list[Row] = []
    newest: Instant | None = None
    offsets: dict[str, Instant] = {}
    for row in newest_first:
        rows.append(row)
        if row.clock is not ClockState.UNKNOWN:
            at = offsets.setdefault(row.boot, instant(row.at) - row.mono_ms) + row.mono_ms
            newest = at if newest is None else newest
            if reached is None and at < newest - REACH:
                rows.pop()
                break
            if reached is not None and row.seq <= reached:
                break
    return rows[::-1]


def _corrected(rows: list[Row]) -> list[Instant | None]:
    """The true time of each row that an untrusted or wrong clock dated, once that boot's true time is known."""
    offsets: dict[str, Instant] = {}
    found: list[Instant | None] = []
    for row in reversed(rows):
        doubted = row.clock is ClockState.UNKNOWN
        if not doubted:
            offsets.setdefault(row.boot, instant(row.at) - row.mono_ms)
        true = offsets[row.boot] + row.mono_ms if row.boot in offsets else None
        wrong = true is not None and (doubted or abs(true - instant(row.at)) > JUMP)
        found.append(true if wrong else None)
    return found[::-1]


class _CountedClock:
    """When a row was written, as the controller counted: on from the last trusted instant while the clock is not."""

    def __init__(self) -> None:
        self.trusted_at: Instant = 0
        self._mono_ms = 0
        self._boot = ""

    def instant(self, row: Row) -> Instant:
        if row.clock is not ClockState.UNKNOWN:
            self.trusted_at, self._mono_ms, self._boot = instant(row.at), row.mono_ms, row.boot
            return self.trusted_at
        return self.trusted_at + row.mono_ms - (self._mono_ms if row.boot == self._boot else 0)
