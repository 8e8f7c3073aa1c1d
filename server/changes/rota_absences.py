"""Who is away? All their shifts of those days are offered while it stands, and theirs again when it is taken back.

What somebody has taken meanwhile stays with whoever took it. Nothing is written for each shift: an evening that comes
to be theirs later is offered, too.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session

from server.audit import Decided
from server.changes.outcomes import Wrong
from server.changes.rota import close, ground, note
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import RotaOffer
from server.queries.rota import Kind, Outcome, Turn, turns

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Away:
    """turns: those that are offered by it; with the instant the ones that are over left out. fresh: it is new."""

    first: date
    last: date
    turns: tuple[Turn, ...]
    fresh: bool = True


def be_away(session: Session, decided: Decided, member: str, first: date, last: date) -> Away | Wrong:
    """From the first day to the last, both included. The same twice is one."""
    here = ground(session, decided)
    if not any(one.id == member for one in here.bundle.members):
        raise ChangeRefusedError(Refused.MEMBER_UNKNOWN)
    if last < first:
        return Wrong(("last",))
    if last - first > LONGEST:
        return Wrong(("first", "last"))
    theirs = tuple(one for one in turns(here.bundle, first, last) if one.gardien == member and one.end > decided.at)
    known = [(one.member, one.first, one.last) for one in here.asked.absences]
    if (member, first, last) in known:
        return Away(first, last, theirs, fresh=False)
    at = moment(decided.at)
    note(here, RotaOffer(kind=Kind.ABSENCE, member=member, first=first, last=last, at=at, by=decided.by))
    return Away(first, last, theirs)


def be_back(session: Session, decided: Decided, which: int, member: str) -> Away:
    """The absence stands no more: what nobody has taken is theirs as before."""
    here = ground(session, decided)
    row = next((one for one in here.asked.absences if one.id == which and one.member == member), None)
    if row is None or row.first is None or row.last is None:
        raise ChangeRefusedError(Refused.TURN_GONE)
    close(here, [row], Outcome.WITHDRAWN)
    theirs = [one for one in turns(here.bundle, row.first, row.last) if one.gardien == member]
    return Away(row.first, row.last, tuple(one for one in theirs if one.end > decided.at))
