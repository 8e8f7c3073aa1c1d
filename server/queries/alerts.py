"""What wants somebody now? Boxes that are silent or ill, doors forced or held open, readers at fault, unknown badges.

Each alert has a key that names this occurrence: whoever takes it takes no later one of its kind.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, col, func, select

from policy.instants import of
from policy.terms import DAY, ClockState, Instant
from server.models import AlertTaken, DoorState, JournalRow
from server.queries.closing import left_inside
from server.queries.corrections import waiting
from server.queries.current import Current
from server.queries.enrolment import unknown
from server.queries.ledger import last_count
from server.queries.now import SILENT, EdgeLine
from wire.row import Kind


class Sort(StrEnum):
    """In the order in which they are told."""

    FORCED = "forced"
    LEFT = "left"
    SILENT = "silent"
    TWINS = "twins"
    READER = "reader"
    JOURNAL = "journal"
    BACKUP = "backup"
    BANK = "bank"
    CLOCK = "clock"
    HELD = "held"
    CONTESTED = "contested"
    UNKNOWN = "unknown"


BAD = frozenset({Sort.FORCED, Sort.SILENT, Sort.TWINS, Sort.READER, Sort.JOURNAL, Sort.BACKUP, Sort.BANK})
"""What is broken; the others want somebody."""
PERSONAL = frozenset({Sort.CONTESTED, Sort.BANK, Sort.BACKUP})
MONTH = 31 * DAY
"""How long what a member says to a correction waits for an answer."""


@dataclass(frozen=True, slots=True)
class Alert:
    """place: an access point, a reader, an edge's id, or of a contested correction the member; `badges` for unknown
    ones, of which there are `count`; `site` for `count` people whom the last gardien left inside; `copies` where the
    newest of the database is too old; `bank` for a ledger that is `count` minutes off. For the team alone: PERSONAL.

    since: None where nobody knows. taken: who looks after it, and since when.
    """

    sort: Sort
    place: str
    since: Instant | None
    taken: AlertTaken | None = None
    count: int = 1

    @property
    def key(self) -> str:
        return f"{self.sort}/{self.place}/{self.since or 0}"


def alerts(
    session: Session, current: Current, edges: Sequence[EdgeLine], at: Instant, copies_late: Sequence[Instant | None]
) -> list[Alert]:
    """The worst first, and of one sort the newest. copies_late: where copies are late, when the newest was made."""
    taken = {one.key: one for one in session.exec(select(AlertTaken))}
    found = [*_of_edges(session, edges, at), *_of_doors(edges, at), *_badges(session, current, at)]
    found += [
        Alert(Sort.CONTESTED, one.member, one.contested.at) for one in waiting(session, at - MONTH) if one.contested
    ]
    found += _bank(session)
    found += _left(session, current, at)
    if copies_late:
        found.append(Alert(Sort.BACKUP, "copies", min((each for each in copies_late if each), default=None)))
    order = list(Sort)
    found.sort(key=lambda one: (order.index(one.sort), -(one.since or 0), one.place))
    return [Alert(one.sort, one.place, one.since, taken.get(one.key), one.count) for one in found]


def _of_edges(session: Session, edges: Sequence[EdgeLine], at: Instant) -> Iterator[Alert]:
    for edge in edges:
        if edge.online is None:
            continue  # one that is being built
        heard = of(edge.last_seen) if edge.last_seen else None
        if not edge.online:
            yield Alert(Sort.SILENT, edge.id, of(edge.since) if edge.since else None)
        elif heard is not None and heard < at - SILENT:
            yield Alert(Sort.SILENT, edge.id, heard)
        if edge.twins:
            yield Alert(Sort.TWINS, edge.id, None)
        if edge.journal_fault is not None:
            yield Alert(Sort.JOURNAL, edge.id, None)
        if edge.clock == ClockState.UNKNOWN:
            yield Alert(Sort.CLOCK, edge.id, None)
        for reader in edge.faults:
            yield Alert(Sort.READER, reader, _fault_since(session, reader))


def _fault_since(session: Session, reader: str) -> Instant | None:
    row = JournalRow
    asked = select(func.max(row.at)).where(col(row.kind) == Kind.READER_FAULT, col(row.reader) == reader)
    last: datetime | None = session.exec(asked).one()
    return None if last is None else of(last)


def _of_doors(edges: Sequence[EdgeLine], at: Instant) -> Iterator[Alert]:
    for door in (door for edge in edges for door in edge.doors):
        if door.forced_at is not None and of(door.forced_at) > at - DAY:
            yield Alert(Sort.FORCED, door.access_point, of(door.forced_at))
        if door.kind == Kind.DOOR_HELD:
            yield Alert(Sort.HELD, door.access_point, _at(door))


def _at(door: DoorState) -> Instant | None:
    return None if door.at is None else of(door.at)


def _left(session: Session, current: Current, at: Instant) -> Iterator[Alert]:
    since, count = left_inside(session, current, at)
    if count:
        yield Alert(Sort.LEFT, "site", since, count=count)


def _bank(session: Session) -> Iterator[Alert]:
    count = last_count(session)
    if count is not None and count.off:
        yield Alert(Sort.BANK, "bank", of(count.at), count=count.off)


def _badges(session: Session, current: Current, at: Instant) -> Iterator[Alert]:
    seen = unknown(session, current, at)
    if seen:
        yield Alert(Sort.UNKNOWN, "badges", max(one.at for one in seen), count=len(seen))
