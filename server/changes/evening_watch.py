"""Who is told if this evening changes? Wished for one site day, and forgotten with it: no audit keeps that somebody
thought of coming."""

from datetime import timedelta

from sqlmodel import Session, col, delete, select

from policy.terms import Instant
from server.changes.people import known_member
from server.database.types import moment
from server.models import EveningWatch
from server.queries.evening import Evening, left, read, stepped_out, written

BACK_SOON = timedelta(minutes=10)
"""So long whoever holds the place may be out before that is told."""


def watch(session: Session, member: str, day_start: Instant, known: Evening) -> None:
    """known: what they read on the page at this moment. Raises ChangeRefusedError for nobody's account."""
    known_member(session, member)
    row = session.get(EveningWatch, member) or EveningWatch(member=member, day=moment(day_start))
    row.day, row.told, row.stepped_out = moment(day_start), written(known), None
    session.add(row)


def unwatch(session: Session, member: str) -> None:
    session.exec(delete(EveningWatch).where(col(EveningWatch.member) == member))


def forget(session: Session, day_start: Instant) -> None:
    """All of site days that are over."""
    session.exec(delete(EveningWatch).where(col(EveningWatch.day) < moment(day_start)))


def to_tell(session: Session, now: Evening, at: Instant) -> list[tuple[str, Evening]]:
    """Whom to tell what is new to them, and what they knew before; from now on they know."""
    found = []
    for row in session.exec(select(EveningWatch).order_by(EveningWatch.member)).all():
        before = left(read(row.told), at)
        if before == now:
            row.stepped_out = None
        elif stepped_out(before, now) and moment(at) < (row.stepped_out or moment(at)) + BACK_SOON:
            row.stepped_out = row.stepped_out or moment(at)
        else:
            row.told, row.stepped_out = written(now), None
            found.append((row.member, before))
        session.add(row)
    return found
