"""Journal rows as a door makes them, for tests of journal, outbox and memory."""

from typing import Any

from policy.instants import text
from policy.reasons import Reason
from policy.terms import ClockState
from tests.support_site import MIDNIGHT
from wire.row import Kind, Row

BOOT = "b001"


def row(seq: int, kind: Kind = Kind.REX, *, at: int | None = None, boot: str = BOOT, **fields: Any) -> Row:
    """A row; one second after the one before when `at` is left out. mono_ms: as if the boot was at midnight."""
    at = MIDNIGHT + seq * 1000 if at is None else at
    clock = fields.pop("clock", ClockState.SYNCED)
    mono_ms = fields.pop("mono_ms", at - MIDNIGHT)
    return Row(seq, text(at), mono_ms, boot, clock, kind, "front", **fields)


def rows(first: int, last: int, **fields: Any) -> list[Row]:
    return [row(seq, **fields) for seq in range(first, last + 1)]


def tap(seq: int, member: str | None, *, at: int | None = None, **fields: Any) -> Row:
    """A granted tap at the reader `in` that takes effect at once, unless the fields say otherwise."""
    told = {"reader": "front-in", "credential": "c0ffee", "granted": True, "reason": Reason.STAFFED_HOURS} | fields
    return row(seq, Kind.TAP, at=at, member=member, **told)
