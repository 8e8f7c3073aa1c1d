"""What do the facts in journal rows leave behind? Presence, units paid, ad hoc shifts, sessions: a table for each.

Storing a fact again, or facts in another order, changes nothing; but emergency stops, which are stored in the order of
the journal that holds them. Each table but presence says which edge told, and when: what is known of a revoked edge can
leave again (server/changes/revoked.py).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Table
from sqlmodel import Session, SQLModel

from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, Stopped
from policy.sessions import Session as MachineUse
from policy.sessions import merged
from policy.terms import Instant
from server.database.types import moment
from server.ingest.bulk import upsert
from server.models import (
    AdhocShift,
    MachineBusy,
    MachineSession,
    MachineStop,
    PaidUnit,
    Presence,
)
from server.queries.forms import names_of
from server.queries.site_state import known_use


class ToldBy(NamedTuple):
    """The edge that told, and when the server heard it, aware."""

    edge: str
    heard: datetime


def store(session: Session, facts: Iterable[Fact], by: ToldBy) -> None:
    """Take facts of one edge into the tables, each table in one go."""
    sorts: defaultdict[type[Fact], list[Any]] = defaultdict(list)
    for fact in facts:
        sorts[type(fact)].append(fact)
    for sort, found in sorts.items():
        _STORES[sort](session, found, by)


NEVER = (datetime.min.replace(tzinfo=UTC), False)
LATER = "excluded.at > presence.at OR (excluded.at = presence.at AND NOT excluded.inside)"
"""As policy.presence.later has it: the later move counts, of an `in` and an `out` at one instant the `out`."""


def _moved(session: Session, facts: list[Moved], _by: ToldBy) -> None:
    store_moves(session, ((fact.member, moment(fact.at), fact.inside) for fact in facts))


def store_moves(session: Session, moves: Iterable[tuple[str, datetime, bool]]) -> None:
    """Bring the presence of everybody who moved up to date: member, when, and whether inside then."""
    last: dict[str, tuple[datetime, bool]] = {}
    for member, at, inside in moves:
        last[member] = max(last.get(member, NEVER), (at, not inside))
    rows = [{"member": member, "at": at, "inside": not out} for member, (at, out) in last.items()]
    upsert(session.connection(), _table(Presence), rows, LATER)


def _paid(session: Session, facts: list[Paid], by: ToldBy) -> None:
    names = names_of(session, [(fact.member, fact.unit) for fact in facts])
    _put(session, PaidUnit, by, ({"member": member, "unit": name} for member, name in names), SHARED)


def _opened(session: Session, facts: list[Opened], by: ToldBy) -> None:
    shifts = ({"gardien": fact.member, "start": moment(fact.start), "end": moment(fact.end)} for fact in facts)
    _put(session, AdhocShift, by, shifts, SHARED)


def _busy(session: Session, facts: list[Busy], by: ToldBy) -> None:
    refused = ({"machine": fact.machine, "member": fact.member, "at": moment(fact.at)} for fact in facts)
    _put(session, MachineBusy, by, refused)


def _stopped(session: Session, facts: list[Stopped], by: ToldBy) -> None:
    """Those of one machine stand in the order of its journal: the last one counts."""
    _put(session, MachineStop, by, ({"machine": fact.machine, "stopped": fact.stopped} for fact in facts))


def _ran(session: Session, facts: list[Ran], by: ToldBy) -> None:
    """Of the ends of one session the earliest counts, of its `until`s the latest, whenever they are heard of."""
    uses: dict[tuple[str, Instant, str], MachineUse] = {}
    for fact in facts:
        use = fact.session
        known = uses.get(key := (use.machine, use.start, use.member)) or known_use(session, use)
        uses[key] = merged(known, use) if known else use
    _put(session, MachineSession, by, (_columns(use) for use in uses.values()))


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
    session: Session, model: type[SQLModel], by: ToldBy, rows: Iterable[dict[str, Any]], new: str | None = None
) -> None:
    """One row for each key; of several the last. new: see `upsert`."""
    table = _table(model)
    keys = [column.name for column in table.primary_key]
    told = {tuple(row[key] for key in keys): row | {"edge": by.edge, "heard": by.heard} for row in rows}
    upsert(session.connection(), table, list(told.values()), new=new)


def _table(model: type[SQLModel]) -> Table:
    return model.__table__  # type: ignore[attr-defined, no-any-return]


_STORES: dict[type[Fact], Callable[[Session, list[Any], ToldBy], None]] = {
    Moved: _moved,
    Paid: _paid,
    Opened: _opened,
    Ran: _ran,
    Busy: _busy,
    Stopped: _stopped,
}


def _moment(at: Instant | None) -> datetime | None:
    return None if at is None else moment(at)
