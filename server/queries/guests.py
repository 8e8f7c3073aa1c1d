"""Which guests may come by which agreement, who was here today, and how many days were had?"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, extract
from sqlmodel import Session, col, func, select

from server.models import Agreement, GuestDay


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who had days by an agreement this year. left: of those that each person has."""

    agreement: int
    name: str
    had: int
    left: int
    today: int | None
    """The row of today, None where they are not noted."""


@dataclass(frozen=True, slots=True)
class Line:
    """An agreement. days: that each person has in a year. had: days of this year; people: of how many persons."""

    id: int
    name: str
    days: int
    had: int
    people: int
    guests: tuple[Guest, ...]


def compared(name: str) -> str:
    """Two ways of writing one name are one person."""
    return " ".join(name.casefold().split())


def agreements(session: Session, today: date) -> list[Line]:
    """Those that hold, A to Z, each with its guests of this year."""
    rows = session.exec(select(Agreement).where(col(Agreement.ended).is_(None))).all()
    return sorted((_line(session, one, today) for one in rows), key=lambda one: (one.name.casefold(), one.id))


def had(session: Session, agreement: int, who: str, year: int) -> int:
    """Days of the year that this person had."""
    row = GuestDay
    asked = select(func.count()).select_from(row).where(row.agreement == agreement, row.who == who, *_in(year))
    return session.exec(asked).one()


def by_month(session: Session, first: date, last: date) -> list[tuple[str, date, int]]:
    """Agreement, first day of the month and days had, of the months between two dates; those that ended, too."""
    names = {one.id: one.name for one in session.exec(select(Agreement))}
    row = GuestDay
    year, month = extract("year", col(row.day)), extract("month", col(row.day))
    asked = (
        select(row.agreement, year, month, func.count())
        .where(row.day >= first, row.day <= last)
        .group_by(col(row.agreement), year, month)
    )
    counted = [(names[which], date(int(y), int(m), 1), days) for which, y, m, days in session.exec(asked)]
    return sorted(counted)


def _line(session: Session, one: Agreement, today: date) -> Line:
    row = GuestDay
    of_year = (col(row.agreement) == one.id, *_in(today.year))
    people = session.exec(select(row.who, func.count(), func.max(row.id)).where(*of_year).group_by(col(row.who))).all()
    latest = select(func.max(row.id)).where(*of_year).group_by(col(row.who))
    names = dict(session.exec(select(row.id, row.name).where(col(row.id).in_(latest))).all())
    exact = select(row.who, func.min(row.id)).where(*of_year, row.day == today, col(row.exact)).group_by(col(row.who))
    here = dict(session.exec(exact).all())
    guests = [
        Guest(one.id or 0, names[last], days, max(0, one.days - days), here.get(who)) for who, days, last in people
    ]
    guests.sort(key=lambda guest: (guest.name.casefold(), guest.name))
    return Line(one.id or 0, one.name, one.days, sum(guest.had for guest in guests), len(people), tuple(guests))


def _in(year: int) -> tuple[ColumnElement[bool], ...]:
    return col(GuestDay.day) >= date(year, 1, 1), col(GuestDay.day) <= date(year, 12, 31)
