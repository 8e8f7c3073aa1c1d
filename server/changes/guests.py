"""Who is a guest today, and by which agreement? Noted by name, counted up to the days that each has in a year.

A guest counts inside until the site day ends, like everybody without a badge; when they came or left is kept nowhere.
Each function is one change, in the caller's transaction, audited without the guest's name.
"""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from server.audit import Change, Decided, record
from server.changes.evacuation import LONGEST, visitors_gone
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import Agreement, GuestDay, Visitor
from server.queries.guests import compared, had

MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Noted:
    """The how manyth day of the year it is. fresh: whether it was not noted before."""

    name: str
    agreement: str
    number: int
    days: int
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class UsedUp:
    """All days of the year have been had."""

    name: str
    agreement: str
    days: int


def agree(session: Session, decided: Decided, name: str, days: int) -> int:
    """A new agreement, or other days of the one of that name. Raises ChangeRefusedError."""
    if not 0 < len(name) <= LONGEST or not 1 <= days <= MOST_DAYS:
        raise ChangeRefusedError(Refused.AGREEMENT_WRONG)
    held = session.exec(select(Agreement).where(col(Agreement.ended).is_(None))).all()
    row = next((one for one in held if compared(one.name) == compared(name)), None)
    before = None if row is None else {"name": row.name, "days": row.days}
    row = row or Agreement(name=name, days=days)
    row.name, row.days = name, days
    session.add(row)
    session.flush()
    after = {"name": name, "days": days}
    if before != after:
        record(session, decided, [Change(Agreement, (row.id,), "changed" if before else "added", before, after)])
    return row.id or 0


def end_agreement(session: Session, decided: Decided, which: int) -> None:
    """Nobody comes by it any more; what was counted stays. Raises ChangeRefusedError."""
    row = _agreement(session, which)
    row.ended = moment(decided.at)
    session.add(row)
    record(session, decided, [Change(Agreement, (which,), "ended", {"name": row.name, "days": row.days}, None)])


def note_day(session: Session, decided: Decided, which: int, name: str, today: date) -> Noted | UsedUp:
    """The guest is here today. Noted twice it is one day. Raises ChangeRefusedError."""
    agreement, who = _agreement(session, which), compared(name)
    if not 0 < len(name) <= LONGEST:
        raise ChangeRefusedError(Refused.VISITOR_UNNAMED)
    row, before = GuestDay, had(session, which, who, today.year)
    same = select(row).where(row.agreement == which, row.who == who, row.day == today, col(row.exact))
    if session.exec(same).first() is not None:
        return Noted(name, agreement.name, before, agreement.days, fresh=False)
    if before >= agreement.days:
        return UsedUp(name, agreement.name, agreement.days)
    here = Visitor(name=name, people=1, more=agreement.name, by=decided.by, since=moment(decided.at))
    session.add(here)
    session.flush()
    day = GuestDay(agreement=which, who=who, name=name, day=today, by=decided.by, visitor=here.id)
    session.add(day)
    session.flush()
    record(session, decided, [Change(GuestDay, (day.id,), "added", None, {"agreement": which})])
    return Noted(name, agreement.name, before + 1, agreement.days)


def take_back(session: Session, decided: Decided, number: int, today: date) -> None:
    """A day of today was noted by mistake: it counts no more, and nobody is inside by it. Raises ChangeRefusedError."""
    row = session.get(GuestDay, number)
    if row is None or row.day != today:
        raise ChangeRefusedError(Refused.GUEST_DAY_OVER)
    if row.visitor is not None:
        visitors_gone(session, decided, row.visitor)
    record(session, decided, [Change(GuestDay, (number,), "removed", {"agreement": row.agreement}, None)])
    session.delete(row)


def _agreement(session: Session, which: int) -> Agreement:
    row = session.get(Agreement, which)
    if row is None or row.ended is not None:
        raise ChangeRefusedError(Refused.AGREEMENT_OVER)
    return row
