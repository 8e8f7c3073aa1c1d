"""How do the pages and the API book? In one transaction; then the machines hear of it."""

from collections.abc import Callable
from typing import TypeVar

from sqlmodel import Session

from policy.booking_terms import Against
from server.audit import Decided
from server.changes.bookings import Booked, Cancelled, Taken
from server.queries.booking_waits import Wait
from server.web.deciding import rules_changed
from server.web.sessions import asked_by, context

Outcome = TypeVar("Outcome", bound=Booked | Taken | Against | Cancelled | Wait | bool)


def stored(change: Callable[[Session, Decided], Outcome], why: str = "") -> Outcome:
    """What came of it. Where something changed, the rules that the edges go by are made anew."""
    known = context()
    with known.database.transaction() as session:
        outcome = change(session, Decided(asked_by(), known.clock(), why))
    if isinstance(outcome, Booked | Cancelled):
        rules_changed()
    elif not isinstance(outcome, Against):
        known.live.changed()
    return outcome
