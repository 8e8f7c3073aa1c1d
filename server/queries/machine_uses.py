"""When was a session at a machine over, and how many seconds of it lie in between? Asked in SQL, of thousands at once.

The same as policy/sessions.py says of one.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import ColumnElement, Executable, Table, and_, bindparam, case, func, literal, or_
from sqlmodel import Session

from policy.instants import LATEST
from policy.terms import SECOND, Instant
from server.database.types import Millis, Seconds, UtcDateTime, moment
from server.models import MachineSession

table: Table = MachineSession.__table__  # type: ignore[attr-defined]
NEVER = literal(moment(LATEST), UtcDateTime())
_row = table.c


class Between(NamedTuple):
    """Of a stretch of time: seconds, and different members."""

    seconds: int
    users: int


class Used(NamedTuple):
    """A session that went on after `until`. over: LATEST while it runs."""

    machine: str
    start: Instant
    until: Instant
    over: Instant


def over(now: ColumnElement[datetime] = NEVER) -> ColumnElement[datetime]:
    """When a session ended (policy/sessions.py:Session.over); one that runs now."""
    ended = func.coalesce(_row.ended, now, type_=UtcDateTime())
    return case((and_(_row.cuts, _row.until < ended), _row.until), else_=ended)


def ran_between(session: Session, at: Instant, start: Instant, end: Instant) -> dict[str, Between]:
    """How each machine was used from start until end. A session that runs counts until now."""
    span = {"at": moment(at), "start": moment(start), "end": moment(end)}
    return {machine: Between(int(ran), users) for machine, ran, users in session.connection().execute(_BETWEEN, span)}


def ran_by(session: Session, at: Instant, edges: Sequence[Instant]) -> dict[str, tuple[int, list[int | None]]]:
    """How many seconds each machine ran: in all sessions that are kept, and between each edge and the next; None where
    it did not. A session that runs counts until now.

    Each session is summed up where it began; those over an edge are then put right one by one.
    """
    told = {"at": moment(at)} | {f"edge{place}": moment(edge) for place, edge in enumerate(edges)}
    begun, across = _by(len(edges))
    found: dict[str, tuple[int, list[int | None]]] = {}
    for machine, *parts in session.connection().execute(begun, told):
        found[machine] = sum(int(part) for part in parts if part is not None), [*map(_whole, parts[1:-1])]
    for machine, start, over_ in session.connection().execute(across, told):
        _, parts = found[machine]
        first = bisect_right(edges, start) - 1
        for place, (begins, ends) in enumerate(pairwise(edges)):
            if start < ends and begins < over_:
                taken = (over_ // SECOND - start // SECOND) if place == first else 0
                within = min(over_, ends) // SECOND - max(start, begins) // SECOND
                parts[place] = (parts[place] or 0) - taken + within
    return found


def _whole(part: Any) -> int | None:
    return None if part is None else int(part)


def overran_since(session: Session, start: Instant) -> list[Used]:
    """The sessions that went on after they should have ended, and were not over before the instant."""
    return [Used(*row) for row in session.connection().execute(_OVERRAN, {"start": moment(start)})]


def _at(name: str) -> ColumnElement[datetime]:
    return bindparam(name, type_=UtcDateTime())


def _between() -> Executable:
    at, start, end = map(_at, ("at", "start", "end"))
    first, last = case((_row.started < start, start), else_=_row.started), case((over(at) > end, end), else_=over(at))
    asked = sqlalchemy.select(
        _row.machine, func.sum(Seconds(last) - Seconds(first)), func.count(_row.member.distinct())
    )
    kept = (_row.started < _at("end"), over(at) > start, over(at) != _row.started)
    return asked.where(*kept, or_(_row.ended.is_(None), _row.ended > start)).group_by(_row.machine)


@cache
def _by(edges: int) -> tuple[Executable, Executable]:
    """Between so many edges, and before and after them; and the sessions over one of them."""
    marks = [_at(f"edge{place}") for place in range(edges)]
    last, seconds = over(_at("at")), Seconds(over(_at("at"))) - Seconds(_row.started)
    spans = [
        _row.started < marks[0],
        *(and_(_row.started >= start, _row.started < end) for start, end in pairwise(marks)),
        _row.started >= marks[-1],
    ]
    sums = [func.sum(case((span, seconds))) for span in spans]
    next_mark = case(*((_row.started < mark, mark) for mark in marks))
    return (
        sqlalchemy.select(_row.machine, *sums).where(last != _row.started).group_by(_row.machine),
        sqlalchemy.select(_row.machine, Millis(_row.started), Millis(last)).where(
            last > next_mark, or_(_row.ended.is_(None), _row.ended > marks[0])
        ),
    )


def _overran() -> Executable:
    told = (_row.machine, Millis(_row.started), Millis(_row.until), Millis(over()))
    near = or_(_row.ended.is_(None), _row.ended >= _at("start"))
    return sqlalchemy.select(*told).where(near, over() > _row.until, over() != _row.started)


_BETWEEN = _between()
_OVERRAN = _overran()
"""Made once: to write them down takes longer than to answer them."""
