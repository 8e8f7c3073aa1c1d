"""What do the facts in journal rows leave behind? Presence, units paid, ad hoc shifts, sessions: a table for each.

Storing a fact again, or facts in another order, changes nothing; but emergency stops, which are stored in the order of
the journal that holds them. Each table but presence says which edge told, and when: what is known of a revoked edge can
leave again (server/revoked.py).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy
from msgspec.structs import replace
from sqlalchemy import String, Table, bindparam
from sqlmodel import Session, SQLModel, col, or_, select

from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, Stopped, apply
from policy.instants import of
from policy.sessions import Session as MachineUse
from policy.state import SiteState
from policy.terms import DAY, Instant
from server.bulk import upsert
from server.db import UtcDateTime, moment
from server.forms import names_of
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


class Teller(NamedTuple):
    """The edge that told, and when the server heard it, aware."""

    edge: str
    heard: datetime


def store(session: Session, facts: Iterable[Fact], by: Teller) -> None:
    """Take facts of one edge into the tables, each table in one go."""
    sorts: defaultdict[type[Fact], list[Any]] = defaultdict(list)
    for fact in facts:
        sorts[type(fact)].append(fact)
    for sort, found in sorts.items():
        _STORES[sort](session, found, by)


NEVER = (datetime.min.replace(tzinfo=UTC), False)
LATER = "excluded.at > presence.at OR (excluded.at = presence.at AND NOT excluded.inside)"
"""As policy.presence.later has it: the later move counts, of an `in` and an `out` at one instant the `out`."""


def _moved(session: Session, facts: list[Moved], _by: Teller) -> None:
    store_moves(session, ((fact.member, moment(fact.at), fact.inside) for fact in facts))


def store_moves(session: Session, moves: Iterable[tuple[str, datetime, bool]]) -> None:
    """Bring the presence of everybody who moved up to date: member, when, and whether inside then."""
    last: dict[str, tuple[datetime, bool]] = {}
    for member, at, inside in moves:
        last[member] = max(last.get(member, NEVER), (at, not inside))
    rows = [{"member": member, "at": at, "inside": not out} for member, (at, out) in last.items()]
    upsert(session.connection(), _table(Presence), rows, LATER)


def _paid(session: Session, facts: list[Paid], by: Teller) -> None:
    names = names_of(session, [(fact.member, fact.unit) for fact in facts])
    _put(session, PaidUnit, by, ({"member": member, "unit": name} for member, name in names), SHARED)


def _opened(session: Session, facts: list[Opened], by: Teller) -> None:
    shifts = ({"gardien": fact.member, "start": moment(fact.start), "end": moment(fact.end)} for fact in facts)
    _put(session, AdhocShift, by, shifts, SHARED)


def _busy(session: Session, facts: list[Busy], by: Teller) -> None:
    refused = ({"machine": fact.machine, "member": fact.member, "at": moment(fact.at)} for fact in facts)
    _put(session, MachineBusy, by, refused)


def _stopped(session: Session, facts: list[Stopped], by: Teller) -> None:
    """Those of one machine stand in the order of its journal: the last one counts."""
    _put(session, MachineStop, by, ({"machine": fact.machine, "stopped": fact.stopped} for fact in facts))


def _ran(session: Session, facts: list[Ran], by: Teller) -> None:
    """Of the ends of one session the earliest counts, whenever it is heard of."""
    uses: dict[tuple[str, Instant, str], MachineUse] = {}
    for fact in facts:
        use = fact.session
        known = uses.get(key := (use.machine, use.start, use.member)) or _known_use(session, use)
        ends = [end for end in (use.end, known.end if known else None) if end is not None]
        uses[key] = replace(use, end=min(ends, default=None))
    _put(session, MachineSession, by, (_columns(use) for use in uses.values()))


def _known_use(session: Session, use: MachineUse) -> MachineUse | None:
    key = (_session.c.machine == use.machine, _session.c.started == moment(use.start), _session.c.member == use.member)
    row = session.connection().execute(_SESSIONS.where(*key)).first()
    return _use_of(*row) if row is not None else None


def _columns(use: MachineUse) -> dict[str, Any]:
    return {
        "machine": use.machine,
        "started": moment(use.start),
        "member": use.member,
        "kind": use.kind,
        "until": _moment(use.until),
        "cuts": use.cuts,
        "ended": _moment(use.end),
    }


SHARED = "edge = CASE WHEN {table}.edge = excluded.edge THEN {table}.edge ELSE '' END"
"""What two edges told stands on both: it stays when one of them is revoked, as the first told it."""


def _put(
    session: Session, model: type[SQLModel], by: Teller, rows: Iterable[dict[str, Any]], new: str | None = None
) -> None:
    """One row for each key; of several the last. new: see `upsert`."""
    table = _table(model)
    keys = [column.name for column in table.primary_key]
    told = {tuple(row[key] for key in keys): row | {"edge": by.edge, "heard": by.heard} for row in rows}
    upsert(session.connection(), table, list(told.values()), new=new)


def _table(model: type[SQLModel]) -> Table:
    return model.__table__  # type: ignore[attr-defined, no-any-return]


_STORES: dict[type[Fact], Callable[[Session, list[Any], Teller], None]] = {
    Moved: _moved,
    Paid: _paid,
    Opened: _opened,
    Ran: _ran,
    Busy: _busy,
    Stopped: _stopped,
}


def facts_since(session: Session, at: Instant) -> list[Fact]:
    """The facts of `told_since`."""
    return [fact for _, fact in told_since(session, at)]


def told_since(session: Session, at: Instant) -> list[tuple[str, Fact]]:
    """All that still matters at the instant, in an order of its own: what an edge gets when it connects.

    Who moved, and what else counts for a site day, of the last days; sessions of the last month, and those that run;
    units paid in the last days, and all of members who have a pass. Each with the edge that told it, empty where it is
    of several or not known.
    """
    recent = at // DAY * DAY - DAYS_BACK * DAY
    connection, since = session.connection(), {"since": moment(recent), "day": moment(recent).date().isoformat()}
    lasting = {"since": moment(recent - REACH)}
    moves, units, shifts, busy = (_in_order(connection.execute(asked, since)) for asked in _RECENT)
    facts: list[tuple[str, Fact]] = [("", Moved(member, of(when), inside)) for member, when, inside in moves]
    facts += [(edge, Paid(member, unit)) for member, unit, edge in units]
    facts += [(edge, Opened(gardien, of(start), of(end))) for gardien, start, end, edge in shifts]
    uses = [(edge, _use_of(*row)) for *row, edge in _in_order(connection.execute(_USES, lasting))]
    facts += [(edge, Ran(use)) for edge, use in uses if not _past(use, recent - REACH)]
    return facts + [(edge, Busy(machine, member, of(when))) for machine, member, when, edge in busy]


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


_since = bindparam("since", type_=UtcDateTime())
_RECENT = (
    select(Presence.member, Presence.at, Presence.inside).where(
        col(Presence.at) >= _since, col(Presence.member).in_(select(Member.id))
    ),
    select(PaidUnit.member, PaidUnit.unit, PaidUnit.edge).where(
        # a pass is charged with all units that its member ever paid; else a paid day counts while it lasts
        or_(col(PaidUnit.member).in_(select(Pass.member)), col(PaidUnit.unit) >= bindparam("day", type_=String()))
    ),
    select(AdhocShift.gardien, AdhocShift.start, AdhocShift.end, AdhocShift.edge).where(col(AdhocShift.end) >= _since),
    select(MachineBusy.machine, MachineBusy.member, MachineBusy.at, MachineBusy.edge).where(
        col(MachineBusy.at) >= _since
    ),
)
_session: Table = MachineSession.__table__  # type: ignore[attr-defined]
_SESSIONS = sqlalchemy.select(
    _session.c.machine,
    _session.c.started,
    _session.c.member,
    _session.c.kind,
    _session.c.until,
    _session.c.cuts,
    _session.c.ended,
)
_KNOWN = (select(Member.id), select(Machine.kind).distinct(), select(Quota.kind))
_USES = _SESSIONS.add_columns(_session.c.edge).where(or_(_session.c.ended.is_(None), _session.c.ended >= _since))
_STOPPED = select(MachineStop.machine).where(col(MachineStop.stopped)).order_by(MachineStop.machine)
"""Built once, and read without objects: the state is composed several times a second. The primary key stands first."""


def _in_order(rows: Iterable[Any]) -> list[Any]:
    """By primary key: so that the same content is packed the same. The database would read the whole table for it."""
    return sorted(map(tuple, rows))


def _use_of(
    machine: str,
    started: datetime,
    member: str,
    kind: str,
    until: datetime | None,
    cuts: bool,
    ended: datetime | None,
) -> MachineUse:
    return MachineUse(machine, kind, member, of(started), _instant(until), cuts, _instant(ended))


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


def set_lockdown(session: Session, on: bool, at: Instant, by: str = "") -> None:
    """Declare a lockdown, or lift it. One that is on already stays the one that it is."""
    if is_locked_down(session) is not on:
        session.merge(Lockdown(id=1, on=on, since=moment(at), by=by))


def state_at(session: Session, at: Instant) -> SiteState:
    """The site as the server knows it."""
    state = SiteState(not_after=at, lockdown=is_locked_down(session))
    for fact in facts_since(session, at) + stops(session):
        apply(state, fact)
    return state


def _moment(at: Instant | None) -> datetime | None:
    return None if at is None else moment(at)


def _instant(at: datetime | None) -> Instant | None:
    return None if at is None else of(at)
