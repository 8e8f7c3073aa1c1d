"""Who is inside without a badge of their own? Visitors, and groups for which the badge of an adult stands."""

from sqlmodel import Session, col, exists, or_, select

from policy.terms import Instant
from server.database.types import moment
from server.models import JournalRow, Presence, Visitor


def visitors(session: Session, day_start: Instant) -> list[Visitor]:
    """Those of this site day who are not gone; a group goes with the adult, and does not come back with them."""
    row, move = Visitor, JournalRow
    left = exists().where(
        col(move.member) == col(row.member), col(move.inside).is_(False), col(move.moved_at) > col(row.since)
    )
    inside = select(Presence.member).where(col(Presence.inside), col(Presence.at) >= moment(day_start))
    asked = select(row).where(col(row.since) >= moment(day_start), col(row.gone).is_(None))
    with_adult = col(row.member).in_(inside) & ~left
    return list(
        session.exec(asked.where(or_(col(row.member).is_(None), with_adult)).order_by(col(row.since), col(row.id)))
    )


def group_of(session: Session, day_start: Instant, member: str) -> Visitor | None:
    """The group that this member's badge stands for now."""
    return next((one for one in visitors(session, day_start) if one.member == member), None)
