"""What does the desk do with the badges of the house? Into the stock, lent for the day, given back, out of the stock.

A badge that is lent is its member's like any other until the site day ends: rules go by it, and are to be
published then.
"""

from datetime import date

from sqlmodel import Session, col, select

from policy.bundle import Credential
from server.audit import Change, Decided, record
from server.changes.bundle import end
from server.changes.outcomes import Wrong
from server.changes.people import Done, Outcome, free_number, hand_over, known_member
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import DayBadge
from server.queries.day_badges import InHouse, stock

HIGHEST = 9999
"""Number that may be written on a day badge."""


def add(session: Session, decided: Decided, number: int, written: str) -> Outcome:
    """A badge that is nobody's comes into the stock. written: its number as the chip has it, in any way."""
    if not 1 <= number <= HIGHEST or any(one.number == number for one in stock(session)):
        return Wrong(("number",))
    uid = free_number(session, written)
    if not isinstance(uid, str):
        return uid
    row = DayBadge(number=number, uid=uid)
    session.add(row)
    session.flush()
    record(session, decided, [Change(DayBadge, (row.id,), "added", None, {"number": number})])
    return Done("", number)


def lend(session: Session, decided: Decided, member: str, which: int, today: date) -> Outcome:
    """A member has it until the site day ends. Raises ChangeRefusedError where somebody has it, or it is blocked."""
    known_member(session, member)
    badge = _badge(session, which)
    if not badge.free(today):
        raise ChangeRefusedError(Refused.DAY_BADGE_LENT)
    _end_loan(session, decided, badge)
    return hand_over(session, decided, Credential(uid=badge.uid, member=member, valid_until=today))


def give_back(session: Session, decided: Decided, which: int) -> Done:
    """It is nobody's again. Of one that was lost, too: it has come back."""
    badge = _badge(session, which)
    _end_loan(session, decided, badge)
    return Done(badge.holder or "", badge.number)


def retire(session: Session, decided: Decided, which: int) -> Done:
    """It leaves the stock; whoever has it has it no more."""
    badge = _badge(session, which)
    _end_loan(session, decided, badge)
    row = session.exec(select(DayBadge).where(DayBadge.id == which, col(DayBadge.ended).is_(None))).one()
    row.ended = moment(decided.at)
    record(session, decided, [Change(DayBadge, (which,), "ended", {"number": badge.number}, None)])
    return Done("", badge.number)


def _badge(session: Session, which: int) -> InHouse:
    found = next((one for one in stock(session) if one.id == which), None)
    if found is None:
        raise ChangeRefusedError(Refused.BADGE_UNKNOWN)
    return found


def _end_loan(session: Session, decided: Decided, badge: InHouse) -> None:
    if badge.holder is not None:
        end(session, "credentials", [(badge.uid,)], decided)
