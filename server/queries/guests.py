"""Which guests may come by which agreement, who was here today, and how many days were had?"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement
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
    asked = select(row).where(row.day >= first, row.day <= last)
    counted = Counter((one.agreement, one.day.replace(day=1)) for one in session.exec(asked))
    return sorted((names[agreement], month, days) for (agreement, month), days in counted.items())


def _line(session: Session, one: Agreement, today: date) -> Line:
    row = GuestDay
    asked = select(row).where(row.agreement == one.id, *_in(today.year)).order_by(col(row.id))
    known: dict[str, list[GuestDay]] = defaultdict(list)
    for day in session.exec(asked):
        known[day.who].append(day)
    guests = tuple(sorted(_guests(one, known, today), key=lambda guest: (guest.name.casefold(), guest.name)))
    return Line(one.id or 0, one.name, one.days, sum(map(len, known.values())), len(known), guests)


def _guests(one: Agreement, known: dict[str, list[GuestDay]], today: date) -> Iterator[Guest]:
    for days in known.values():
        here = next((day.id for day in days if day.exact and day.day == today), None)
        yield Guest(one.id or 0, days[-1].name, len(days), max(0, one.days - len(days)), here)


def _in(year: int) -> tuple[ColumnElement[bool], ...]:
    return col(GuestDay.day) >= date(year, 1, 1), col(GuestDay.day) <= date(year, 12, 31)
