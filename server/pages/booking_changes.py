"""How do the pages and the API book? In one transaction; then the machines hear of it."""

import logging
from collections.abc import Callable
from typing import TypeVar

from sqlmodel import Session

from policy.booking_terms import Against
from server.audit import Decided
from server.changes.bookings import Booked, Cancelled, Taken
from server.errors import ServerError
from server.web.sessions import asked_by, context

log = logging.getLogger("loquet.server")

Outcome = TypeVar("Outcome", bound=Booked | Taken | Against | Cancelled)


def stored(change: Callable[[Session, Decided], Outcome], why: str = "") -> Outcome:
    """What came of it. Where something changed, the rules that the edges go by are made anew."""
    known = context()
    with known.database.transaction() as session:
        outcome = change(session, Decided(asked_by(), known.clock(), why))
    if isinstance(outcome, Booked | Cancelled):
        try:
            known.site_changed()
        except ServerError as error:
            log.error("stored, but the machines have not heard of it; tried again: %s", error)
    return outcome
