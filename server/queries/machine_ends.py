"""Who used each machine, and how did their sessions end? Of the sessions that began in a month."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy
from sqlalchemy import ColumnElement, Select, bindparam, case, func, literal, or_
from sqlmodel import Session, col, select

from policy.instants import of
from policy.terms import MINUTE, SECOND, Instant
from server.database.types import Millis, UtcDateTime, moment
from server.models import JournalRow
from server.queries.machine_uses import over, table
from wire.row import Kind, Order

AT_ONCE: Instant = 5 * SECOND
"""So near to its end a stop or an order is what ended a session."""
OVER: Instant = MINUTE
"""A session that goes on for longer than that after its end overruns."""


class End(StrEnum):
    """How a session ended."""

    RUNS = "runs"
    HOUR = "hour"
    """At the hour at which it was to."""
    BEFORE = "before"
    """Earlier: its holder ended it, or went away."""
    STOP = "stop"
    """By the emergency stop."""
    ORDER = "order"
    """A fab manager ended it."""
    OVERRUN = "overrun"


def used_by(session: Session, start: Instant, end: Instant) -> dict[str, set[str]]:
    """The members whose sessions began then, by machine."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for machine, member in session.connection().execute(_USERS, _span(start, end)):
        found[machine].add(member)
    return found


def ends(session: Session, start: Instant, end: Instant, at: Instant) -> dict[str, Counter[End]]:
    """How many of the sessions that began then ended how, by machine."""
    found: defaultdict[str, Counter[End]] = defaultdict(Counter)
    connection, span = session.connection(), _span(start, end) | {"at": moment(at)}
    for machine, how, count in connection.execute(_ENDS, span):
        found[machine][End(how)] = count
    causes = _causes(session, start)
    over_ = connection.execute(_OVER, span | {"machines": list(causes)}).all() if causes else []
    for machine, how, when in over_:
        cause = next((end for at_, end in causes[machine] if abs(at_ - when) <= AT_ONCE), None)
        if cause is not None and how != End.RUNS:
            found[machine][End(how)] -= 1
            found[machine][cause] += 1
    return found


def _span(start: Instant, end: Instant) -> dict[str, Any]:
    return {"start": moment(start), "end": moment(end)}


def _causes(session: Session, since: Instant) -> dict[str, Sequence[tuple[Instant, End]]]:
    """The stops and orders, by machine."""
    row = JournalRow
    asked = select(row.access_point, row.at, row.kind).where(col(row.at) >= moment(since))
    stops = asked.where(row.kind == Kind.ESTOP)
    orders = asked.where(row.kind == Kind.COMMAND, col(row.order).in_([Order.END, Order.LOCK_OUT]))
    causes: defaultdict[str, list[tuple[Instant, End]]] = defaultdict(list)
    for machine, when, kind in [*session.exec(stops), *session.exec(orders)]:
        causes[machine or ""].append((of(when), End.STOP if kind == Kind.ESTOP else End.ORDER))
    return dict(causes)


def _asked(*told: ColumnElement[Any]) -> Select[Any]:
    """Of the sessions that began in a span."""
    row, (start, end) = table.c, (_at("start"), _at("end"))
    near = or_(row.ended.is_(None), row.ended >= start)
    return sqlalchemy.select(row.machine, *told).where(near, row.started >= start, row.started < end)


def _at(name: str) -> ColumnElement[datetime]:
    return bindparam(name, type_=UtcDateTime())


def _how() -> ColumnElement[str]:
    """How a session ended where nobody and nothing ended it."""
    last, until = over(), table.c.until
    return case(
        (last > _at("at"), literal(End.RUNS.value)),
        (or_(until.is_(None), Millis(last) < Millis(until) - AT_ONCE), literal(End.BEFORE.value)),
        (Millis(last) > Millis(until) + OVER, literal(End.OVERRUN.value)),
        else_=literal(End.HOUR.value),
    )


_USERS = _asked(table.c.member).distinct()
_ENDS = _asked(_how().label("how"), func.count()).group_by(table.c.machine, sqlalchemy.text("how"))
_OVER = _asked(_how(), Millis(over())).where(table.c.machine.in_(bindparam("machines", expanding=True)))
"""Made once: to write them down takes longer than to answer them."""
