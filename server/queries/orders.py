"""What became of an order? As whoever gave it is told."""

from dataclasses import dataclass

from sqlmodel import Session

from policy.instants import of
from policy.terms import MINUTE, Instant
from server.models import GivenOrder
from wire.messages import COMMAND_LASTS

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


def outcome(session: Session, nonce: str, now: Instant) -> Outcome | None:
    """None for an order that was never given, or is told of no more."""
    row = session.get(GivenOrder, nonce)
    if row is None or row.place is None or now > of(row.at) + TOLD_FOR:
        return None
    until = None if row.until is None else of(row.until)
    return Outcome(row.order, row.place, row.done, now > of(row.at) + COMMAND_LASTS, row.why, until)
