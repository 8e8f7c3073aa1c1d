"""When does a machine want its maintenance? By hours of running, or by days, since somebody said that it was done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import sqlalchemy
from sqlalchemy import ColumnElement, Executable, Table, and_, bindparam, case, extract, func, literal
from sqlmodel import Session, col, or_, select

from policy.calendar import Calendar
from policy.instants import of
from policy.terms import HOUR, SECOND, Instant
from server.database.types import UtcDateTime, moment
from server.models import MachineSession, MachineSheet

HOUR_SECONDS = HOUR // SECOND
NEAR = 4
"""Once less than this part of it is left, what is due is announced."""


@dataclass(frozen=True, slots=True)
class Ran:
    """Seconds: in all, and since the last maintenance."""

    whole: int = 0
    since: int = 0


class Between(NamedTuple):
    """Of a stretch of time: seconds, and different members."""

    seconds: int
    users: int


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


def services(
    session: Session, calendar: Calendar, at: Instant, machine: str | None = None, *, planned: bool = False
) -> Mapping[str, Service]:
    """Of those about which something is written or kept, or of one machine. planned: only where maintenance is."""
    asked, today = select(MachineSheet), calendar.date_at(at)
    if machine is not None:
        asked = asked.where(MachineSheet.machine == machine)
    if planned:
        asked = asked.where(
            or_(col(MachineSheet.service_hours).is_not(None), col(MachineSheet.service_days).is_not(None))
        )
    sheets = {one.machine: one for one in session.exec(asked)}
    if not sheets and planned:
        return {}
    known = ran(session, at, *([] if machine is None and not planned else [_of(machine, sheets)]))
    names = {*sheets, *known} if machine is None else {machine}
    return {
        one: _service(sheets.get(one) or MachineSheet(machine=one), known.get(one, Ran()), calendar, today)
        for one in sorted(names)
    }


def _of(machine: str | None, sheets: Mapping[str, MachineSheet]) -> ColumnElement[bool]:
    return col(MachineSession.machine).in_([*sheets] if machine is None else [machine])


def _service(sheet: MachineSheet, kept: Ran, calendar: Calendar, today: date) -> Service:
    whole = Ran(kept.whole + sheet.seconds_gone, kept.since + sheet.seconds_since)
    left = None if sheet.service_hours is None else sheet.service_hours * HOUR_SECONDS - whole.since
    due = None
    if sheet.service_days is not None and sheet.serviced is not None:
        due = calendar.date_at(of(sheet.serviced)) + timedelta(sheet.service_days)
    return Service(sheet, whole, left, due, today)


def ran_between(session: Session, at: Instant, start: Instant, end: Instant) -> dict[str, Between]:
    """How each machine was used from start until end. A session that runs counts until now."""
    span = {"at": moment(at), "start": moment(start), "end": moment(end)}
    return {machine: Between(int(ran), users) for machine, ran, users in session.connection().execute(_BETWEEN, span)}


def ran(session: Session, at: Instant, *where: ColumnElement[bool]) -> dict[str, Ran]:
    """How long each machine ran in the sessions that are kept. One that runs counts until now."""
    over = _over(literal(moment(at), UtcDateTime()))
    whole = _epoch(over) - _epoch(_row.started)
    since = case((over <= _serviced, 0), (_row.started < _serviced, _epoch(over) - _epoch(_serviced)), else_=whole)
    asked = sqlalchemy.select(_row.machine, func.sum(whole), func.sum(since)).where(*where).group_by(_row.machine)
    found = session.connection().execute(asked.outerjoin_from(_sessions, _sheets, _sheets.c.machine == _row.machine))
    return {machine: Ran(int(all_), int(part)) for machine, all_, part in found}


_sessions: Table = MachineSession.__table__  # type: ignore[attr-defined]
_sheets: Table = MachineSheet.__table__  # type: ignore[attr-defined]
_row, _serviced = _sessions.c, _sheets.c.serviced


def _over(now: ColumnElement[datetime]) -> ColumnElement[datetime]:
    """When a session ended (policy/sessions.py:Session.over); one that runs now."""
    ended = func.coalesce(_row.ended, now, type_=UtcDateTime())
    return case((and_(_row.cuts, _row.until < ended), _row.until), else_=ended)


def _epoch(column: ColumnElement[datetime]) -> ColumnElement[int]:
    """Seconds since 1970."""
    return extract("epoch", column)


def _between() -> Executable:
    at, start, end = (bindparam(name, type_=UtcDateTime()) for name in ("at", "start", "end"))
    over = _over(at)
    first, last = case((_row.started < start, start), else_=_row.started), case((over > end, end), else_=over)
    asked = sqlalchemy.select(_row.machine, func.sum(_epoch(last) - _epoch(first)), func.count(_row.member.distinct()))
    near = or_(_row.ended.is_(None), _row.ended > start)
    return asked.where(_row.started < end, near, over > start, over != _row.started).group_by(_row.machine)


_BETWEEN = _between()
"""Made once: to write it down takes longer than to answer it."""
