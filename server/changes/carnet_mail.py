"""Whose carnet has so little left, or ends so soon, that the door's lamp says it, and who is told by mail?

Once for each carnet that few units are left of, and once for each last day.
"""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from policy.bundle import Pass
from policy.passes import Low
from policy.terms import Instant
from server.audit import Change, Decided, record
from server.changes.people import known_member
from server.models import CarnetMail
from server.queries.current import Current
from server.queries.people import day_of

ENDS = "ends:"
"""Before a last day, among the ids of carnets."""


@dataclass(frozen=True, slots=True)
class Due:
    """units: left. until: the last day, if it is near. marks: as models/carnet_mail.py notes them."""

    member: str
    units: int
    until: date | None
    marks: frozenset[str]


def due(session: Session, current: Current, at: Instant) -> list[Due]:
    """Who has few units left, or not long to use them, by the door's own reckoning (policy/passes.py:low_of), has not
    been told of one of these carnets or of this last day, and did not choose to hear nothing."""
    today = day_of(current, at)
    watch = current.people.watch(session, current, at)
    low = {who: left for who, left in watch.carnets.items() if left.units and left.low != Low()}
    known = {row.member: row for row in session.exec(select(CarnetMail).where(col(CarnetMail.member).in_(low)))}
    found = []
    for who, left in sorted(low.items()):
        row, few, until = known.get(who), left.low.units is not None, left.low.until
        marks = {one.id for one in current.people.people[who].carnets if few and _valid(one, today)}
        marks |= {f"{ENDS}{until}"} if until is not None else set()
        if (row is None or row.wanted) and not marks <= set(row.told if row is not None else ()):
            found.append(Due(who, left.units, until, frozenset(marks)))
    return found


def note(session: Session, one: Due) -> None:
    """They were told, or have no address: of these carnets and this last day nobody is told again."""
    row = session.get(CarnetMail, one.member) or CarnetMail(member=one.member, told=[])
    row.told = sorted({*row.told, *one.marks})
    session.add(row)


def choose(session: Session, decided: Decided, member: str, *, wanted: bool) -> None:
    """Raises ChangeRefusedError for nobody's account."""
    known_member(session, member)
    row = session.get(CarnetMail, member) or CarnetMail(member=member, told=[])
    if row.wanted is not wanted:
        row.wanted = wanted
        record(session, decided, [Change(CarnetMail, (member,), "changed", {"wanted": not wanted}, {"wanted": wanted})])
    session.add(row)


def is_wanted(session: Session, member: str) -> bool:
    """Whether they are written to; whoever never chose is."""
    row = session.get(CarnetMail, member)
    return row is None or row.wanted


def _valid(one: Pass, today: date) -> bool:
    begun = one.valid_from is None or one.valid_from <= today
    return begun and (one.valid_until is None or today <= one.valid_until)
