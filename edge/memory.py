"""What does an edge know when it starts? The state of the site and when it last trusted its clock, from its journal."""

from collections.abc import Iterable

from edge.core import HeldRules, Memory
from policy.facts import apply
from policy.instants import instant
from policy.state import SiteState
from policy.terms import DAY, ClockState, Instant
from wire.facts import facts_of
from wire.row import Row

REACH: Instant = 32 * DAY
"""How far back rows are read: a month's quota counts the sessions of 31 days."""


def recall(
    newest_first: Iterable[Row],
    last_seq: int,
    boot: str,
    held: HeldRules | None,
    alive_at: Instant | None = None,
) -> Memory:
    """What the controller starts from. boot: the id of this start. alive_at: when it last had power for a session."""
    teller = _Teller()
    state = SiteState()
    rows = recent(newest_first)
    for row, known in zip(rows, _dated_anew(rows), strict=True):
        at = teller.instant(row) if known is None else known
        for fact in facts_of(row, at):
            apply(state, fact)
    return Memory(boot, last_seq, state, held, teller.trusted_at, alive_at)


def recent(newest_first: Iterable[Row]) -> list[Row]:
    """The rows of the last days before the newest trusted one, oldest first."""
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


def _dated_anew(rows: list[Row]) -> list[Instant | None]:
    """Of each row in doubt whose clock was set later in the same boot: when it was."""
    offsets: dict[str, Instant] = {}
    found: list[Instant | None] = []
    for row in reversed(rows):
        if row.clock is not ClockState.UNKNOWN:
            offsets[row.boot] = instant(row.at) - row.mono_ms
            found.append(None)
        else:
            found.append(offsets[row.boot] + row.mono_ms if row.boot in offsets else None)
    return found[::-1]


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
