"""What is decided at an evacuation, and about people without badges? Who is there, who left, and that it is over."""

from sqlmodel import Session

from policy.presence import Move
from policy.terms import Instant
from server.audit import Change, Decided, record
from server.changes.corrections import correct
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import Site, Visitor
from server.queries import history
from server.queries.groups import visitors

LONGEST, MOST = 200, 500
"""Characters of a name, people of a group."""


def add_visitors(session: Session, decided: Decided, name: str, people: int, more: str) -> None:
    """Somebody without a badge is inside, or a group is. Raises ChangeRefusedError."""
    if not 0 < len(name) <= LONGEST or not 1 <= people <= MOST:
        raise ChangeRefusedError(Refused.VISITOR_UNNAMED)
    row = Visitor(name=name, people=people, more=more[:LONGEST], by=decided.by, since=moment(decided.at))
    session.add(row)
    session.flush()
    record(session, decided, [Change(Visitor, (row.id,), "added", None, {"people": people})])


def visitors_gone(session: Session, decided: Decided, number: int) -> None:
    """They have left; of those who are unknown, or gone, nothing changes."""
    row = session.get(Visitor, number)
    if row is not None and row.gone is None:
        row.gone = moment(decided.at)
        session.add(row)
        record(session, decided, [Change(Visitor, (number,), "gone", None, {"people": row.people})])


def everybody_is_out(session: Session, decided: Decided, day_start: Instant, people: int, missing: int) -> None:
    """The evacuation is over: nobody is inside any more, and whoever comes back is not refused as inside already."""
    inside = history.moves_since(session, day_start).inside(day_start)
    for member in sorted(inside):
        correct(session, decided, member, [Move(decided.at, inside=False)])
    for group in visitors(session, day_start):
        visitors_gone(session, decided, group.id or 0)
    said = {"people": people, "missing": missing}
    record(session, decided, [Change(Site, ("evacuation",), "evacuated", None, said)])
