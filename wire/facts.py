"""What does a journal row change of the site's state? The same reading at the edge that wrote it and on the server."""

from collections.abc import Iterator

from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, Stopped
from policy.instants import instant
from policy.reasons import Reason
from policy.sessions import Session
from policy.terms import HOUR, Instant
from policy.units import told
from wire.row import Kind, Order, Row

SESSION_KINDS = (Kind.SESSION_STARTED, Kind.SESSION_EXTENDED, Kind.SESSION_ENDED)
MACHINE_KINDS = frozenset({*SESSION_KINDS, Kind.ESTOP, Kind.MACHINE_RESET, Kind.COMMAND})
"""Rows that say something of a machine: a command may be a lock-out."""


def facts_of(row: Row, at: Instant) -> Iterator[Fact]:
    """The facts in a row. at: when it happened, as far as is known: its own instant where its clock can be believed.

    Raises ValueError for an instant that is none.
    """
    if row.kind in SESSION_KINDS:
        yield from _session(row)
    elif row.access_point is not None and (_stops(row) or row.kind is Kind.MACHINE_RESET):
        yield Stopped(row.access_point, row.kind is not Kind.MACHINE_RESET)
    elif row.member is not None and row.kind in (Kind.TAP, Kind.DOOR_OPENED):
        yield from _passage(row, row.member, at)
    elif row.member is not None and row.kind is Kind.CHECKED_OUT:
        yield Moved(row.member, at, inside=False)


def _stops(row: Row) -> bool:
    """Whether it puts a machine out of service: its emergency stop, or the server's lock-out."""
    return row.kind is Kind.ESTOP or (row.order is Order.LOCK_OUT and row.granted is True)


LONGEST_SHIFT = 24 * HOUR
"""Without a rota; policy/bundle.py has the same limit."""
TOLD = (Moved, Paid, Opened, Ran)
"""What the other edges must know at once: refusals and emergency stops are nobody else's business."""


PASSAGES = (Moved, Paid, Opened)
"""What happens at doors alone: whoever has a machine's key must let nobody in by it."""


def facts_for_others(row: Row, at: Instant) -> Iterator[Fact]:
    """The facts in a row that the other edges must know at once. Raises ValueError as `facts_of` does."""
    return (fact for fact in facts_of(row, at) if isinstance(fact, TOLD))


def _passage(row: Row, member: str, at: Instant) -> Iterator[Fact]:
    """A tap says at once what waits for no door; what waits is said by the door_opened row that settles it."""
    if row.adhoc_until is not None:
        yield Opened(member, at, at + _lasts(row.at, row.adhoc_until))
    if row.reason is Reason.MACHINE_BUSY and row.access_point is not None:
        yield Busy(row.access_point, member, at)
    if row.kind is Kind.DOOR_OPENED:
        yield Moved(member, at, inside=True)
    elif row.granted and row.reason in DOOR_GRANTS and not row.pending:
        yield Moved(member, at, inside=row.reason is not Reason.EGRESS)
    if row.pays is not None and not row.pending:
        yield Paid(member, told(row.pays))


def _lasts(made: str, until: str) -> Instant:
    """How long a shift lasts, whenever it turns out to have begun: both ends were written by the same clock.

    Raises ValueError for one that is over at once, or longer than a site may allow.
    """
    length = instant(until) - instant(made)
    if not 0 < length <= LONGEST_SHIFT:
        longest = LONGEST_SHIFT // HOUR
        raise ValueError(f"a shift from {made} until {until}: it must last, and no longer than {longest} h")
    return length


def says_more(row: Row) -> bool:
    """Whether the row may say anything but who moved: most rows do not, and need not be asked."""
    return (
        row.pays is not None
        or row.adhoc_until is not None
        or row.reason is Reason.MACHINE_BUSY
        or row.kind in MACHINE_KINDS
    )


DOOR_GRANTS = {
    Reason.EGRESS,
    Reason.STAFF,
    Reason.OWN_SHIFT,
    Reason.ALWAYS,
    Reason.TIER_HOURS,
    Reason.STAFFED_HOURS,
    Reason.GARDIEN_PRESENT,
    Reason.INVITED,
    Reason.EVENT,
    Reason.GARDIEN_GRACE,
}


def _session(row: Row) -> Iterator[Fact]:
    if None in (row.access_point, row.member, row.started, row.machine_kind):
        raise ValueError(f"{row.kind} row {row.seq}: needs access_point, member, started and machine_kind")
    until = None if row.until is None else instant(row.until)
    end = None if row.ended is None else instant(row.ended)
    yield Ran(
        Session(
            machine=str(row.access_point),
            kind=str(row.machine_kind),
            member=str(row.member),
            start=instant(str(row.started)),
            until=until,
            cuts=row.cuts,
            end=end,
        )
    )
