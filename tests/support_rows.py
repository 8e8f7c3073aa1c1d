"""Journal rows as a door makes them, for tests of journal, outbox and memory."""

from typing import Any, assert_never

from msgspec.structs import replace

from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, Stopped
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


def telling(fact: Fact, seq: int) -> Row:
    """The row by which an edge tells of a fact."""
    match fact:
        case Moved(member, when, True):
            return tap(seq, member, at=when)
        case Moved(member, when, False):
            return tap(seq, member, at=when, reader="front-out", reason=Reason.EGRESS)
        case Paid(member, unit):
            return tap(seq, member, granted=False, pays=unit if isinstance(unit, str) else text(unit))
        case Opened(member, start, end):
            return tap(seq, member, at=start, granted=False, adhoc_until=text(end))
        case Busy(machine, member, when):
            busy = {"granted": False, "reason": Reason.MACHINE_BUSY, "reader": f"{machine}-tap"}
            return replace(tap(seq, member, at=when, **busy), access_point=machine)
        case Stopped(machine, stopped):
            return replace(row(seq, Kind.ESTOP if stopped else Kind.MACHINE_RESET), access_point=machine)
        case Ran(session):
            return replace(
                row(seq, Kind.SESSION_STARTED if session.end is None else Kind.SESSION_ENDED, at=session.start),
                access_point=session.machine,
                member=session.member,
                started=text(session.start),
                until=None if session.until is None else text(session.until),
                ended=None if session.end is None else text(session.end),
                machine_kind=session.kind,
                cuts=session.cuts,
            )
        case _:
            assert_never(fact)
