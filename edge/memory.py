"""What does an edge know when it starts? Who is inside and when it last trusted its clock, from its own journal."""

from collections.abc import Iterable

from edge.door import HeldRules, Memory
from policy.instants import instant
from policy.presence import Move, later
from policy.reasons import Reason
from policy.terms import DAY, ClockState, Instant
from wire.row import Kind, Row

REACH: Instant = 2 * DAY
"""How far back rows are read: everybody is checked out once a site day."""


def recall(newest_first: Iterable[Row], last_seq: int, boot: str, held: HeldRules | None) -> Memory:
    """What the controller starts from. boot: the id of this start."""
    rows = recent(newest_first)
    teller = _Teller()
    moves: dict[str, Move] = {}
    for row in rows:
        at = teller.instant(row)
        move = _move(row, at)
        if row.member is not None and move is not None:
            moves[row.member] = later(moves.get(row.member), move)
    return Memory(boot, last_seq, moves, held, teller.trusted_at)


def recent(newest_first: Iterable[Row]) -> list[Row]:
    """The rows of the two days before the newest trusted one, oldest first."""
    rows: list[Row] = []
    newest: Instant | None = None
    for row in newest_first:
        if row.clock is not ClockState.UNKNOWN:
            at = instant(row.at)
            newest = at if newest is None else newest
            if at < newest - REACH:
                break
        rows.append(row)
    return rows[::-1]


def _move(row: Row, at: Instant) -> Move | None:
    """What the row says of its member: a grant that waits for the door counts with the row that settles it."""
    if row.kind is Kind.DOOR_OPENED:
        return Move(at, inside=True)
    if row.kind is Kind.TAP and row.granted and not row.pending:
        return Move(at, inside=row.reason is not Reason.EGRESS)
    return None


class _Teller:
    """When was a row written, as the controller counted it then: from the last trusted instant on while in doubt."""

    def __init__(self) -> None:
        self.trusted_at: Instant = 0
        self._mono_ms = 0
        self._boot = ""

    def instant(self, row: Row) -> Instant:
        if row.clock is not ClockState.UNKNOWN:
            self.trusted_at, self._mono_ms, self._boot = instant(row.at), row.mono_ms, row.boot
            return self.trusted_at
        return self.trusted_at + row.mono_ms - (self._mono_ms if row.boot == self._boot else 0)
