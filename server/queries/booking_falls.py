"""Which of a member's bookings hold no more although their time is not over, and who ended them?"""

from typing import NamedTuple

from sqlmodel import Session, col, select

from policy.instants import of
from policy.terms import Instant
from server.database.types import moment
from server.models import AuditRow, Booking
from server.queries.bookings import Slot
from server.queries.former_logins import member_of

BY_RULE = "server"
"""In the audit: nobody came for it, or nobody was there any more, and somebody else wanted it."""


class Fallen(NamedTuple):
    """by: the member who ended it; empty for the rule, None for an account that is no member's."""

    slot: Slot
    by: str | None


def fallen(session: Session, member: str, at: Instant) -> list[Fallen]:
    """The first ones first."""
    row = Booking
    asked = select(row).where(row.member == member, col(row.ended).is_not(None), col(row.end_at) > moment(at))
    found = [Slot(of(one.start_at), of(one.end_at), one.machine, member, one.id) for one in session.exec(asked)]
    said = (
        select(AuditRow.subject, AuditRow.account)
        .where(col(AuditRow.subject).in_([one.id for one in found]))
        .where(AuditRow.noun == "booking", AuditRow.did == "ended")
    )
    by = {which: "" if login == BY_RULE else _who(session, login) for which, login in session.exec(said)}
    return [Fallen(slot, by.get(slot.id)) for slot in sorted(found)]


def _who(session: Session, login: str) -> str | None:
    member = member_of(session, login)
    return None if member is None else member.id
