"""What is known of the site? Presence, units paid, shifts, sessions, stops and the lockdown, as the tables say.

Edges are told what is composed here (server/publish/state.py).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import String, Table, bindparam
from sqlmodel import Session, col, or_, select

from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, Stopped, apply
from policy.instants import of
from policy.sessions import Session as MachineUse
from policy.state import SiteState
from policy.terms import DAY, Instant
from server.database.types import Millis, UtcDateTime, moment
from server.models import (
    AdhocShift,
    Lockdown,
    Machine,
    MachineBusy,
    MachineSession,
    MachineStop,
    Member,
    PaidUnit,
    Pass,
    Presence,
    Quota,
)

DAYS_BACK = 3
"""Whole UTC days before today: they hold the site day before this one, wherever the site is."""
REACH: Instant = 32 * DAY
"""How far back sessions are read before that: a month's quota counts the sessions of 31 days."""


def facts_since(session: Session, at: Instant) -> list[Fact]:
    """The facts of `facts_by_edge`."""
    return [fact for _, fact in facts_by_edge(session, at)]


def facts_by_edge(session: Session, at: Instant) -> list[tuple[str, Fact]]:
    """All that still matters at the instant, in an order of its own: what an edge gets when it connects.

    Who moved, and what else counts for a site day, of the last days; sessions of the last month, and those that run;
    units paid in the last days, and all of members who have a pass. Each with the edge that told it, empty where it is
    of several or not known.
    """
    recent = _recent(at)
    connection, since = session.connection(), {"since": moment(recent), "day": moment(recent).date().isoformat()}
    moves, units, shifts = (_in_order(connection.execute(asked, since)) for asked in _RECENT)
    facts: list[tuple[str, Fact]] = [("", Moved(member, of(when), inside)) for member, when, inside in moves]
    facts += [(edge, Paid(member, unit)) for member, unit, edge in units]
    facts += [(edge, Opened(gardien, of(start), of(end))) for gardien, start, end, edge in shifts]
    return facts + _of_machines(session, recent, _USES)


def _of_machines(session: Session, recent: Instant, asked: Any, **whose: str) -> list[tuple[str, Fact]]:
    """Who ran a machine in the month before the instant and since, as asked, and who found it busy since."""
    facts: list[tuple[str, Fact]] = [(edge, Ran(use)) for edge, use in _uses_since(session, recent, asked, **whose)]
    busy = _in_order(session.connection().execute(_BUSY, {"since": moment(recent)}))
    return facts + [(edge, Busy(machine, member, of(when))) for machine, member, when, edge in busy]


def _uses_since(session: Session, recent: Instant, asked: Any, **whose: str) -> list[tuple[str, MachineUse]]:
    since = recent - REACH
    rows = _in_order(session.connection().execute(asked, {"since": moment(since), "recent": moment(recent), **whose}))
    uses = [(edge, _use_of(*row)) for *row, edge in rows]
    return [(edge, use) for edge, use in uses if not _past(use, since)]


def uses_since(session: Session, since: Instant) -> list[MachineUse]:
    """The sessions of everybody that run or ended since the instant."""
    uses = (_use_of(*row) for *row, _edge in session.connection().execute(_USES, {"since": moment(since)}))
    return [use for use in uses if not _past(use, since)]


def stops(session: Session) -> list[Fact]:
    """The machines under an emergency stop."""
    return [Stopped(machine, stopped=True) for (machine,) in session.connection().execute(_STOPPED)]


class Known(NamedTuple):
    """Whom and what the site has: of all else the state says nothing."""

    members: frozenset[str]
    kinds: frozenset[str]
    """Of machines, and those that a quota counts."""

    def names(self, fact: Fact) -> bool:
        """Whether a fact is about them alone."""
        if isinstance(fact, Stopped):
            return True
        if isinstance(fact, Ran):
            return fact.session.member in self.members and fact.session.kind in self.kinds
        return fact.member in self.members


def known(session: Session) -> Known:
    members, machines, quotas = (session.connection().execute(asked).scalars().all() for asked in _KNOWN)
    return Known(frozenset(members), frozenset((*machines, *quotas)))


def known_use(session: Session, use: MachineUse) -> MachineUse | None:
    """The session as it is known so far."""
    key = (_session.c.machine == use.machine, _session.c.started == moment(use.start), _session.c.member == use.member)
    row = session.connection().execute(_SESSIONS.where(*key)).first()
    return _use_of(*row) if row is not None else None


def uses_of(session: Session, machine: str, member: str, since: Instant) -> list[MachineUse]:
    """The member's sessions on the machine that run or ended after the instant."""
    over = or_(_session.c.ended.is_(None), _session.c.ended > moment(since))
    asked = _SESSIONS.where(_session.c.machine == machine, _session.c.member == member, over)
    uses = [_use_of(*row) for row in session.connection().execute(asked)]
    return sorted((use for use in uses if not _past(use, since)), key=lambda use: use.start)


_since = bindparam("since", type_=UtcDateTime())
_RECENT = (
    select(Presence.member, Presence.at, Presence.inside).where(
        col(Presence.at) >= _since, col(Presence.member).in_(select(Member.id).where(col(Member.ended).is_(None)))
    ),
    select(PaidUnit.member, PaidUnit.unit, PaidUnit.edge).where(
        # a pass is charged with all units that its member ever paid; else a paid day counts while it lasts
        or_(
            col(PaidUnit.member).in_(select(Pass.member).where(col(Pass.ended).is_(None))),
            col(PaidUnit.unit) >= bindparam("day", type_=String()),
        )
    ),
    select(AdhocShift.gardien, AdhocShift.start, AdhocShift.end, AdhocShift.edge).where(col(AdhocShift.end) >= _since),
)
_BUSY = select(MachineBusy.machine, MachineBusy.member, MachineBusy.at, MachineBusy.edge).where(
    col(MachineBusy.at) >= _since
)
_session: Table = MachineSession.__table__  # type: ignore[attr-defined]
_SESSIONS = sqlalchemy.select(
    _session.c.machine,
    Millis(_session.c.started),
    _session.c.member,
    _session.c.kind,
    Millis(_session.c.until),
    _session.c.cuts,
    Millis(_session.c.ended),
)
_KNOWN = (
    select(Member.id).where(col(Member.ended).is_(None)),
    select(Machine.kind).where(col(Machine.ended).is_(None)).distinct(),
    select(Quota.kind).where(col(Quota.ended).is_(None)),
)
_USES = _SESSIONS.add_columns(_session.c.edge).where(or_(_session.c.ended.is_(None), _session.c.ended >= _since))
_USES_FOR = _USES.where(
    or_(
        _session.c.ended.is_(None),
        _session.c.ended >= bindparam("recent", type_=UtcDateTime()),
        _session.c.member == bindparam("member", type_=String()),
    )
)
_STOPPED = select(MachineStop.machine).where(col(MachineStop.stopped)).order_by(MachineStop.machine)
"""Built once, and read without objects: the state is composed several times a second. The primary key stands first."""


def _in_order(rows: Iterable[Any]) -> list[Any]:
    """By primary key: so that the same content is packed the same. The database would read the whole table for it."""
    return sorted(map(tuple, rows))


def _use_of(
    machine: str, start: Instant, member: str, kind: str, until: Instant | None, cuts: bool, ended: Instant | None
) -> MachineUse:
    return MachineUse(machine, kind, member, start, until, cuts, ended)


def _past(use: MachineUse, before: Instant) -> bool:
    """Whether it was over before the instant, although its end was never heard of."""
    return use.over is not None and use.over < before


def is_locked_down(session: Session) -> bool:
    """Whether the site is locked down."""
    row = session.get(Lockdown, 1)
    return row is not None and row.on


def locked_down_since(session: Session) -> datetime | None:
    """Since when the site is locked down; None when it is not."""
    row = session.get(Lockdown, 1)
    return row.since if row is not None and row.on else None


def lockdown_lifted_at(session: Session) -> datetime | None:
    """When the last lockdown was lifted; None during one, and where there was none."""
    row = session.get(Lockdown, 1)
    return row.since if row is not None and not row.on else None


def state_at(session: Session, at: Instant) -> SiteState:
    """The site as the server knows it."""
    state = SiteState(not_after=at, lockdown=is_locked_down(session))
    for fact in facts_since(session, at) + stops(session):
        apply(state, fact)
    return state


def machines_at(session: Session, at: Instant, member: str = "") -> SiteState:
    """The machines alone, as the server knows them: sessions, who found one busy, stops.

    member: whose quotas it shall tell. What everybody else ran, but in the last days, nothing but theirs counts.
    """
    state = SiteState(not_after=at)
    for fact in [fact for _, fact in _of_machines(session, _recent(at), _USES_FOR, member=member)] + stops(session):
        apply(state, fact)
    return state


def _recent(at: Instant) -> Instant:
    """The midnight, UTC, that begins DAYS_BACK."""
    return at // DAY * DAY - DAYS_BACK * DAY
