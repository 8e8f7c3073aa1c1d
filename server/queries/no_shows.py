"""Who reserved a machine and did not come? Asked of bookings, sessions and lock-outs; nothing follows by itself."""

from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy
from sqlalchemy import Executable, Table, bindparam, exists
from sqlmodel import Session, col, or_, select

from policy.bookings import RELEASE_AFTER
from policy.instants import of
from policy.spans import Spans, pairs
from policy.terms import Instant
from server.database.types import Millis, UtcDateTime, moment
from server.models import Booking, MachineBusy, MachineOut
from server.queries.machine_uses import over
from server.queries.machine_uses import table as sessions

_table: Table = Booking.__table__  # type: ignore[attr-defined]


class NoShow(NamedTuple):
    """Whose booking of which machine, and when it began."""

    machine: str
    member: str
    start: Instant


def no_shows(session: Session, within: Spans, at: Instant) -> list[NoShow]:
    """Bookings that began then: nobody came to them, by no fault of the machine, or cancelled them too late.

    Whoever found the machine busy did come.
    """
    row = MachineBusy
    busy = [
        (one.machine, one.member, of(one.at))
        for one in session.exec(select(row).where(col(row.at) >= moment(within[0])))
    ]
    outs = [
        (one.machine, of(one.since), None if one.back is None else of(one.back))
        for one in session.exec(select(MachineOut))
    ]
    found, last = [], at - RELEASE_AFTER
    for begins, ends in pairs(within):
        span = {"start": moment(begins), "end": moment(min(ends, last + 1))}
        for machine, member, start, end, late in session.connection().execute(_NOBODY, span):
            one = NoShow(machine, member, start)
            if late or not (_found_busy(one, end, busy) or _was_out(one, end, outs)):
                found.append(one)
    return found


def _nobody() -> Executable:
    """The bookings during which their member ran the machine at no time, and those that were cancelled too late."""
    row = _table.c
    start, end = (bindparam(name, type_=UtcDateTime()) for name in ("start", "end"))
    theirs = (sessions.c.machine == row.machine, sessions.c.member == row.member)
    came = exists().where(*theirs, sessions.c.started < row.end_at, over() > row.start_at)
    return (
        sqlalchemy.select(row.machine, row.member, Millis(row.start_at), Millis(row.end_at), row.late)
        .where(row.start_at >= start, row.start_at < end, or_(row.ended.is_(None), row.late), or_(row.late, ~came))
        .order_by(row.start_at)
    )


_NOBODY = _nobody()


def _found_busy(booked: NoShow, end: Instant, busy: Iterable[tuple[str, str, Instant]]) -> bool:
    return any(
        (machine, member) == (booked.machine, booked.member) and booked.start <= when < end
        for machine, member, when in busy
    )


def _was_out(booked: NoShow, end: Instant, outs: Iterable[tuple[str, Instant, Instant | None]]) -> bool:
    return any(
        machine == booked.machine and since < end and (back is None or back > booked.start)
        for machine, since, back in outs
    )
