"""When does a machine want its maintenance? By hours of running, or by days, since somebody said that it was done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy
from sqlalchemy import ColumnElement, Table, case, func, literal
from sqlmodel import Session, col, or_, select

from policy.calendar import Calendar
from policy.instants import of
from policy.terms import HOUR, SECOND, Instant
from server.database.types import Seconds, UtcDateTime, moment
from server.models import MachineSheet
from server.queries.machine_uses import over, table

HOUR_SECONDS = HOUR // SECOND
NEAR = 4
"""Once less than this part of it is left, what is due is announced."""


@dataclass(frozen=True, slots=True)
class Ran:
    """Seconds: in all, and since the last maintenance."""

    whole: int = 0
    since: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """sheet: what is planned, and the last one. left: seconds of running, below 0 when overdue; None for not by hours.

    due: the day; None for not by days, or while none was ever noted.
    """

    sheet: MachineSheet
    ran: Ran
    left: int | None
    due: date | None
    today: date

    @property
    def planned(self) -> bool:
        return self.sheet.service_hours is not None or self.sheet.service_days is not None

    @property
    def overdue(self) -> bool:
        return (self.left is not None and self.left <= 0) or (self.due is not None and self.due < self.today)

    @property
    def near(self) -> bool:
        """Whether it is to be announced."""
        hours, days = self.sheet.service_hours or 0, self.sheet.service_days or 0
        soon = self.left is not None and self.left * NEAR <= hours * HOUR_SECONDS
        return soon or (self.due is not None and (self.due - self.today).days * NEAR <= days)


def services(session: Session, calendar: Calendar, at: Instant, machine: str | None = None) -> Mapping[str, Service]:
    """Of those of which maintenance is planned, or of one machine."""
    asked, today = select(MachineSheet), calendar.date_at(at)
    if machine is not None:
        asked = asked.where(MachineSheet.machine == machine)
    else:
        hours, days = col(MachineSheet.service_hours), col(MachineSheet.service_days)
        asked = asked.where(or_(hours.is_not(None), days.is_not(None)))
    sheets = {one.machine: one for one in session.exec(asked)}
    names = sorted(sheets) if machine is None else [machine]
    known = ran(session, at, _row.machine.in_(names)) if names else {}
    return {
        one: _service(sheets.get(one) or MachineSheet(machine=one), known.get(one, Ran()), calendar, today)
        for one in names
    }


def _service(sheet: MachineSheet, kept: Ran, calendar: Calendar, today: date) -> Service:
    whole = Ran(kept.whole + sheet.seconds_gone, kept.since + sheet.seconds_since)
    left = None if sheet.service_hours is None else sheet.service_hours * HOUR_SECONDS - whole.since
    due = None
    if sheet.service_days is not None and sheet.serviced is not None:
        due = calendar.date_at(of(sheet.serviced)) + timedelta(sheet.service_days)
    return Service(sheet, whole, left, due, today)


def ran(session: Session, at: Instant, *where: ColumnElement[bool]) -> dict[str, Ran]:
    """How long each machine ran in the sessions that are kept. One that runs counts until now."""
    last = over(literal(moment(at), UtcDateTime()))
    whole = Seconds(last) - Seconds(_row.started)
    since = case((last <= _serviced, 0), (_row.started < _serviced, Seconds(last) - Seconds(_serviced)), else_=whole)
    asked = sqlalchemy.select(_row.machine, func.sum(whole), func.sum(since)).group_by(_row.machine)
    asked = asked.where(*where)
    found = session.connection().execute(asked.outerjoin_from(table, _sheets, _sheets.c.machine == _row.machine))
    return {machine: Ran(int(all_), int(part)) for machine, all_, part in found}


_sheets: Table = MachineSheet.__table__  # type: ignore[attr-defined]
_row, _serviced = table.c, _sheets.c.serviced
