"""What did the version before say, and what must still be said as it did? Days paid by their starts: form 1.

An edge says in its status which form it reads (policy/ruleset.py, SPEAKS). The server reads both, keeps the new one,
and says the old one until every edge that it ever heard of reads the new.
"""

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from sqlmodel import Session, col, func, select

from policy.calendar import Calendar
from policy.carnets import start_of
from policy.facts import Fact, Paid
from policy.ruleset import SPEAKS, Unit
from policy.ruleset import Paid as Named
from policy.units import nearest
from server.models import Edge, Member, Site, Tier


def spoken(session: Session) -> int:
    """The form that every edge of the site reads. One that was never heard of does not count: if it turns out to read
    the old form only, it says so when it first connects."""
    least = session.connection().execute(_LEAST).scalar()
    return SPEAKS if least is None else max(1, min(least, SPEAKS))


_LEAST = select(func.min(Edge.speaks)).where(col(Edge.last_seen).is_not(None))
"""Built once: it is asked each time that the state is composed."""


def names_of(session: Session, paid: Sequence[tuple[str, Named]]) -> list[tuple[str, str]]:
    """Of each (member, day or half-day) the name, whichever form it is in."""
    if all(isinstance(unit, str) for _, unit in paid):
        return [(member, str(unit)) for member, unit in paid]
    calendar, split = _calendar(session)
    days = set(session.exec(select(Member.id).join(Tier).where(Tier.pass_ == Unit.DAY)))
    return [
        (member, unit if isinstance(unit, str) else name_of(calendar, split, member in days, unit))
        for member, unit in paid
    ]


def name_of(calendar: Calendar, split: str, by_day: bool, start: int) -> str:
    """The name of the day or half-day that starts at an instant. by_day: whether its member pays for whole days."""
    unit = Unit.DAY if by_day else Unit.HALF_DAY
    return nearest(start, unit, calendar.site_day(calendar.day_at(start), split))


def in_form_1(session: Session, facts: Iterable[Fact]) -> list[Fact]:
    """The facts as the version before told them."""
    calendar, split = _calendar(session)
    return [
        replace(fact, unit=start_of(calendar, split, fact.unit))
        if isinstance(fact, Paid) and isinstance(fact.unit, str)
        else fact
        for fact in facts
    ]


def _calendar(session: Session) -> tuple[Calendar, str]:
    """The site's calendar, and the hour at which its afternoons begin."""
    zone, cutoff, split = session.exec(select(Site.timezone, Site.day_cutoff, Site.half_day_split)).one()
    return Calendar(ZoneInfo(zone), cutoff), split
