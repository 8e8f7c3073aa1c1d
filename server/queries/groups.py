"""Who is inside without a badge of their own? Visitors, and groups for which the badge of an adult stands."""

from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, exists, func, or_, select

from policy.instants import of
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


class Stay(NamedTuple):
    """People without badges of their own were inside; until: when they left, None for not yet, or nobody knows."""

    since: Instant
    until: Instant | None
    people: int


def stays(session: Session, start: Instant, end: Instant) -> list[Stay]:
    """Those that began from start until end, in order. Whoever is still there when a site day ends no longer is."""
    row = Visitor
    asked = select(row).where(col(row.since) >= moment(start), col(row.since) < moment(end))
    found = []
    for one in session.exec(asked.order_by(col(row.since), col(row.id))):
        over = [one.gone, None if one.member is None else _left(session, one.member, one.since)]
        until = min((of(when) for when in over if when is not None), default=None)
        found.append(Stay(of(one.since), until, one.people))
    return found


def _left(session: Session, member: str, since: datetime) -> datetime | None:
    """When they next went out."""
    row = JournalRow
    out = (row.member == member, col(row.inside).is_(False), col(row.moved_at) > since)
    return session.exec(select(func.min(row.moved_at)).where(*out)).one()


def group_of(session: Session, day_start: Instant, member: str) -> Visitor | None:
    """The group that this member's badge stands for now."""
    return next((one for one in visitors(session, day_start) if one.member == member), None)
