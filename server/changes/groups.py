"""Who comes with a group? The badge of one adult stands for so many people: more or fewer of them, and gone."""

from sqlmodel import Session

from policy.terms import Instant
from server.audit import Change, Decided, record
from server.changes.evacuation import LONGEST, MOST, visitors_gone
from server.changes.people import known_member
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import Presence, Visitor
from server.queries.groups import group_of


def with_group(session: Session, decided: Decided, member: str, name: str, people: int, day_start: Instant) -> None:
    """So many are with this member from now on. Raises ChangeRefusedError for who is not inside: no badge would stand
    for them."""
    known = known_member(session, member)
    if len(name) > LONGEST or not 1 <= people <= MOST:
        raise ChangeRefusedError(Refused.GROUP_SIZE)
    here = session.get(Presence, member)
    if here is None or not here.inside or here.at < moment(day_start):
        raise ChangeRefusedError(Refused.BADGE_FIRST)
    row = group_of(session, day_start, member)
    before = None if row is None else {"people": row.people}
    row = row or Visitor(name=name, people=people, by=decided.by, since=moment(decided.at), member=member, more="")
    row.name, row.people, row.more = name or row.name, people, known.name
    session.add(row)
    session.flush()
    did, after = "added" if before is None else "changed", {"people": people}
    if before != after:
        record(session, decided, [Change(Visitor, (row.id,), did, before, after)])


def group_gone(session: Session, decided: Decided, member: str, day_start: Instant) -> None:
    """They have left, before the adult."""
    row = group_of(session, day_start, member)
    if row is not None:
        visitors_gone(session, decided, row.id or 0)
