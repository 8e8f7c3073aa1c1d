"""What does this edge know of the site? The server's snapshot, and over it what is newer: its own rows and rows heard.

Pure: edge/site_updates.py takes messages and keeps them on the disk. The snapshot rules up to the positions that it
names; what the server corrected is corrected here with the next one, because the state is then built afresh.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from policy.facts import Fact, Moved, apply
from policy.instants import instant
from policy.state import SiteState
from policy.terms import ClockState, Instant
from wire.facts import facts_for_others
from wire.row import Row
from wire.snapshot import Snapshot

MOST_HEARD = 5000
"""Rows of one other edge above the snapshot; of more than that the oldest are dropped, whoever sends so many."""

Positions = Mapping[str, Mapping[str, int]]
"""{edge: {journal: seq}}: this row and all before it."""


class Receipt(NamedTuple):
    """When something was heard. mono: the monotonic second, if this edge's clock was not trusted then; else None."""

    at: Instant
    mono: float | None = None


class HeardRow(NamedTuple):
    """A row of another edge."""

    row: Row
    receipt: Receipt

    @property
    def facts(self) -> Iterator[Fact]:
        """What it says: never later than its receipt, and at receipt where the sender's clock was unknown."""
        row, (received, doubt) = self
        if row.clock is ClockState.UNKNOWN:
            return facts_for_others(row, received)
        return facts_for_others(row, instant(row.at) if doubt is not None else min(instant(row.at), received))


@dataclass(slots=True)
class OwnRow:
    """What a row of this edge said. mono: of a row in doubt, the monotonic second at which it was written."""

    seq: int
    facts: tuple[Fact, ...]
    mono: float | None = None


class Knowledge:
    """state: what follows from all that is known. Belongs to one thread.

    version: of the snapshot, 0 for none. dropped: rows heard that were too many. revision: counts changes.
    """

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self.state = SiteState()
        self.version = 0
        self.dropped = 0
        self.revision = 0
        self._facts = tuple(facts)
        self._positions: Positions = {}
        self._own: list[OwnRow] = []
        self._heard: dict[str, dict[tuple[str, int], HeardRow]] = {}
        self.rebuild()

    def add_own(self, seq: int, facts: Iterable[Fact], mono: float | None = None) -> None:
        """A row of this edge was written; mono is given while the clock is in doubt."""
        own = OwnRow(seq, tuple(facts) if mono is None else tuple(map(self._not_before_what_is_known, facts)), mono)
        if own.facts:
            self._own.append(own)
            self._apply(own.facts)

    def add_heard(self, edge: str, journal: str, row: Row, receipt: Receipt) -> None:
        """Take a row of another edge; one that is known changes nothing.

        Raises ValueError or OverflowError for a row with an instant that is none.
        """
        key, rows = (journal, row.seq), self._heard.setdefault(edge, {})
        if key in rows or row.seq <= self._positions.get(edge, {}).get(journal, 0):
            return
        heard = HeardRow(row, receipt)
        self._apply(heard.facts)
        rows[key] = heard
        if len(rows) > MOST_HEARD:
            del rows[next(iter(rows))]
            self.dropped += 1

    def replace_snapshot(self, version: int, snapshot: Snapshot, own: int | None) -> None:
        """Let a newer snapshot take the place of the one before, and of all that it includes.

        own: the last row of this edge in it, by the controller's numbers; None where it knows nothing of this journal.
        """
        if version <= self.version:
            return
        self.version, self._facts, positions = version, snapshot.facts, snapshot.positions
        self.state.lockdown, self._positions = snapshot.lockdown, positions
        if own is not None:
            self._own = [did for did in self._own if did.seq > own]
        for edge, rows in self._heard.items():
            reached = positions.get(edge, {})
            self._heard[edge] = {key: row for key, row in rows.items() if key[1] > reached.get(key[0], 0)}
        self.rebuild()

    def keep_only(self, edges: Collection[str]) -> None:
        """Forget what was heard of edges that the rules do not name any more."""
        gone = [edge for edge, rows in self._heard.items() if rows and edge not in edges]
        for edge in gone:
            del self._heard[edge]
        if gone:
            self.rebuild()

    def clock_jumped(self, by: Instant, found: int) -> None:
        """A wrong clock is set: correct the times of whom this edge moved by it. found: its last row at the start."""
        for own in self._own:
            if own.mono is None and own.seq > found:
                own.facts = tuple(_moved_to(f, f.at + by) if isinstance(f, Moved) else f for f in own.facts)

    def clock_is_back(self, at: Instant, mono: float) -> None:
        """The clock is trusted again and reads `at`: correct the times of what was done and heard while it was not."""

        def dated(then: float) -> Instant:
            return at - round((mono - then) * 1000)

        for own in self._own:
            if own.mono is not None:
                own.facts, own.mono = tuple(_moved_to(fact, dated(own.mono)) for fact in own.facts), None
        for rows in self._heard.values():
            for key, (row, (_, then)) in rows.items():
                if then is not None:
                    rows[key] = HeardRow(row, Receipt(dated(then)))
        self.rebuild()

    def rebuild(self) -> None:
        """Build the state afresh, as far as it comes from facts."""
        state, new = self.state, SiteState()
        state.presence, state.units, state.adhoc = new.presence, new.units, new.adhoc
        state.sessions, state.busy, state.stopped = new.sessions, new.busy, new.stopped
        self._apply(self._facts)
        for own in self._own:
            self._apply(own.facts)
        for rows in self._heard.values():
            for heard in rows.values():
                self._apply(heard.facts)

    def _apply(self, facts: Iterable[Fact]) -> None:
        self.revision += 1
        for fact in facts:
            apply(self.state, fact)

    def _not_before_what_is_known(self, fact: Fact) -> Fact:
        """Without a clock one thing is certain: what is seen here now comes after what was heard of the same member."""
        if not isinstance(fact, Moved):
            return fact
        known = self.state.presence.moves.get(fact.member)
        return _moved_to(fact, known.at + 1) if known is not None and fact.at < known.at else fact


def _moved_to(fact: Fact, at: Instant) -> Fact:
    return replace(fact, at=at) if isinstance(fact, Moved) else fact
