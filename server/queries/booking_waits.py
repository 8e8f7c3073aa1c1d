"""Who waits for a machine that is booked, and whose turn is it?"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session, col, select

from policy.bookings import RELEASE_AFTER
from policy.instants import of
from policy.terms import Instant
from server.models import BookingWait

ANSWER = RELEASE_AFTER
"""How long an offer stands, as a booking that nobody comes for."""


class Outcome(StrEnum):
    """How waiting ended."""

    TAKEN = "taken"
    """It is booked."""
    LEFT = "left"
    """They wait no more, or did not want it."""
    LAPSED = "lapsed"
    """They did not answer in time."""
    OVER = "over"
    """The time itself is over."""


@dataclass(frozen=True, slots=True)
class Wait:
    """before: how many came first for a time that overlaps. until: until when it is theirs to take; None while it is
    not."""

    id: int
    machine: str
    member: str
    start: Instant
    end: Instant
    before: int
    until: Instant | None


def open_rows(session: Session) -> list[BookingWait]:
    """All that did not end, those who came first before others."""
    row = BookingWait
    return list(session.exec(select(row).where(col(row.ended).is_(None)).order_by(col(row.id))))


def is_over(row: BookingWait, at: Instant) -> Outcome | None:
    """How it has ended by the time itself; None while it goes on."""
    if of(row.end_at) <= at:
        return Outcome.OVER
    return Outcome.LAPSED if row.offered is not None and of(row.offered) + ANSWER <= at else None


def waits(
    session: Session, at: Instant, *, member: str | None = None, machines: Collection[str] | None = None
) -> list[Wait]:
    """What is waited for at the instant `at`: first what is offered, then the first times."""
    live = [one for one in open_rows(session) if is_over(one, at) is None]
    found = [
        _wait(one, live)
        for one in live
        if member in (None, one.member) and (machines is None or one.machine in machines)
    ]
    return sorted(found, key=lambda one: (one.until is None, one.start, one.id))


def waiting_for(session: Session, machine: str, start: Instant, end: Instant, at: Instant) -> int:
    """How many wait for that time."""
    found = waits(session, at, machines=[machine])
    return sum(one.start < end and start < one.end for one in found)


def _wait(row: BookingWait, live: list[BookingWait]) -> Wait:
    start, end, number = of(row.start_at), of(row.end_at), row.id or 0
    earlier = [one for one in live if one.machine == row.machine and (one.id or 0) < number]
    before = sum(one.start_at < row.end_at and row.start_at < one.end_at for one in earlier)
    until = None if row.offered is None else min(of(row.offered) + ANSWER, end)
    return Wait(number, row.machine, row.member, start, end, before, until)
