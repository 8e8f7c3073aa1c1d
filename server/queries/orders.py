"""What became of an order? As whoever gave it is told."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from policy.instants import of
from policy.terms import MINUTE, Instant
from server.database.types import moment
from server.models import GivenOrder, JournalRow
from wire.messages import COMMAND_LASTS
from wire.row import Kind

TOLD_FOR: Instant = 5 * MINUTE
"""So long a page goes on saying what became of an order."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """done: None while nobody said. late: nobody will any more, or not for what was ordered. why: of what was not done,
    in English."""

    order: str
    place: str
    done: bool | None
    late: bool
    why: str
    until: Instant | None


def is_told(session: Session, nonce: str, edge: str, now: Instant) -> bool:
    """Whether the edge's row of the order is here, and with it all that the order changed: the answer comes before."""
    row = JournalRow
    recent = moment(now - 2 * COMMAND_LASTS)
    asked = select(row.id).where(row.kind == Kind.COMMAND, col(row.at) >= recent, row.edge == edge, row.nonce == nonce)
    return session.exec(asked.limit(1)).first() is not None


def outcome(session: Session, nonce: str, now: Instant) -> Outcome | None:
    """None for an order that was never given, or is told of no more."""
    row = session.get(GivenOrder, nonce)
    if row is None or row.place is None or now > of(row.at) + TOLD_FOR:
        return None
    until = None if row.until is None else of(row.until)
    return Outcome(row.order, row.place, row.done, now > of(row.at) + COMMAND_LASTS, row.why, until)
