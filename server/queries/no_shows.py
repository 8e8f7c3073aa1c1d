"""Who reserved a machine and did not come? Asked of bookings, sessions and lock-outs; nothing follows by itself."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import sqlalchemy
from sqlalchemy import Table
from sqlmodel import Session, and_, col, or_, select

from policy.bookings import RELEASE_AFTER
from policy.instants import of
from policy.sessions import Session as Use
from policy.terms import Instant
from server.database.types import moment
from server.models import Booking, MachineBusy, MachineOut

Spans: TypeAlias = Mapping[tuple[str, str], list[tuple[Instant, Instant]]]
"""By machine and member."""
_table: Table = Booking.__table__  # type: ignore[attr-defined]
_BOOKED = sqlalchemy.select(*(_table.c[name] for name in ("machine", "member", "start_at", "end_at", "late")))


class NoShow(NamedTuple):
    """Whose booking of which machine, and when it began."""

    machine: str
    member: str
    start: Instant


def no_shows(
    session: Session, uses: Iterable[Use], spans: Sequence[tuple[Instant, Instant]], at: Instant
) -> list[NoShow]:
    """Bookings that began in one of the spans: nobody came to them, by no fault of the machine, or cancelled them too
    late.

    uses: the sessions since the first span begins. Whoever found the machine busy did come.
    """
    there, row = _there(session, uses, min(start for start, _ in spans), at), Booking
    outs = [
        (one.machine, of(one.since), None if one.back is None else of(one.back))
        for one in session.exec(select(MachineOut))
    ]
    asked = _BOOKED.where(
        or_(*(and_(col(row.start_at) >= moment(start), col(row.start_at) < moment(end)) for start, end in spans)),
        col(row.start_at) <= moment(at - RELEASE_AFTER),
        or_(col(row.ended).is_(None), col(row.late)),
    )
    found = []
    rows: Iterable[Any] = session.connection().execute(asked.order_by(col(row.start_at)))
    for machine, member, start, end, late in rows:
        one = NoShow(machine, member, of(start))
        if late or not (_came(one, of(end), there) or _was_out(one, of(end), outs)):
            found.append(one)
    return found


def _there(session: Session, uses: Iterable[Use], since: Instant, at: Instant) -> Spans:
    found: defaultdict[tuple[str, str], list[tuple[Instant, Instant]]] = defaultdict(list)
    for use in uses:
        found[use.machine, use.member].append((use.start, at if use.over is None else use.over))
    for one in session.exec(select(MachineBusy).where(col(MachineBusy.at) >= moment(since))):
        found[one.machine, one.member].append((of(one.at), of(one.at) + 1))
    return found


def _came(booked: NoShow, end: Instant, there: Spans) -> bool:
    return any(begun < end and over > booked.start for begun, over in there.get((booked.machine, booked.member), ()))


def _was_out(booked: NoShow, end: Instant, outs: Iterable[tuple[str, Instant, Instant | None]]) -> bool:
    return any(
        machine == booked.machine and since < end and (back is None or back > booked.start)
        for machine, since, back in outs
    )
