"""What was sold, used and is still owed on all carnets? From the same lines as a member's page shows, added up.

Days are the site's. What was there at first and all that happened until a day add up to what is owed then.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Table, func, select
from sqlalchemy.sql.functions import aggregate_strings
from sqlmodel import Session, col

from server.models import CarnetEntry, Member, PaidUnit, Pass
from server.queries.carnets import Account, Carnet, reckoned
from server.queries.current import Current
from server.queries.names import alphabetical

ENDING: timedelta = timedelta(60)
"""How far ahead it is said which carnets end with something left."""
FLOWS = ("opening", "sold", "given_back", "used", "expired")
"""What changes how much is owed; what was moved from one carnet to another does not."""
MINTED = "minted"
"""So does what the bank of hours minted, where there is one."""

KEPT = 8
"""Reports that are not reckoned again as long as nothing changes."""


@dataclass(frozen=True, slots=True)
class Held:
    """A carnet of somebody. left: units owed on the last day of the report."""

    member: str
    name: str
    tier: str
    carnet: Carnet
    left: int


@dataclass(frozen=True, slots=True)
class Sale:
    """unit: of the carnet."""

    day: date
    name: str
    unit: str
    units: int
    price: str
    by: str


@dataclass(frozen=True, slots=True)
class Totals:
    """Units of one kind: owed before the first day, what came and went until the last one, owed then."""

    before: int
    flows: Mapping[str, int]
    after: int


@dataclass(frozen=True, slots=True)
class Report:
    """totals: by unit. owed: carnets with something left on the last day. ending: of these, those that end soon."""

    first: date
    last: date
    totals: Mapping[str, Totals]
    owed: tuple[Held, ...]
    ending: tuple[Held, ...]
    sales: tuple[Sale, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """What one member adds to a report."""

    before: Mapping[str, int]
    flows: Mapping[str, Mapping[str, int]]
    owed: Sequence[Held]
    sales: Sequence[Sale]


def report(session: Session, current: Current, first: date, last: date) -> Report:
    """All carnets from the first day to the last, both included; reckoned anew when something was paid or written."""
    paid = session.scalar(select(func.count()).select_from(PaidUnit))
    written = session.scalar(select(func.max(col(CarnetEntry.id))))
    asked = (first, last, paid, written)
    found: Report | None = current.reports.get(asked)
    if found is None:
        if len(current.reports) >= KEPT:
            current.reports.clear()
        found = current.reports[asked] = _report(session, current, first, last)
    return found


def _report(session: Session, current: Current, first: date, last: date) -> Report:
    before: Counter[str] = Counter()
    flows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    owed: list[Held] = []
    sales: list[Sale] = []
    names = {who: (name, tier) for who, name, tier in session.connection().execute(_NAMES).all()}
    known = current.memory.setdefault("accounts", {})
    for member, ground, account in _accounts(session, current.zone):
        name, tier = names[member]
        ground = (first, last, name, tier, ground)
        held = known.get(member)
        if held is None or held[0] != ground:
            held = known[member] = ground, _share(account(), member, (name, tier), current.zone, first, last)
        share: Share = held[1]
        before.update(share.before)
        for unit, counted in share.flows.items():
            flows[unit].update(counted)
        owed += share.owed
        sales += share.sales
    owed.sort(key=lambda one: (one.carnet.held.valid_until or date.max, alphabetical(one.name), one.carnet.held.id))
    return Report(
        first=first,
        last=last,
        totals={unit: _totals(before[unit], flows[unit]) for unit in sorted({*before, *flows})},
        owed=tuple(owed),
        ending=tuple(one for one in owed if (one.carnet.held.valid_until or date.max) - last <= ENDING),
        sales=tuple(
            sorted(
                (one for one in sales if first <= one.day <= last), key=lambda one: (one.day, alphabetical(one.name))
            )
        ),
    )


_NAMES = select(Member.id, Member.name, Member.tier).where(  # type: ignore[call-overload]
    col(Member.id).in_(select(Pass.member))  # type: ignore[call-overload]
)


def _totals(before: int, flows: Counter[str]) -> Totals:
    return Totals(
        before,
        {did: flows[did] for did in (*FLOWS, MINTED) if did != MINTED or flows[did]},
        before + sum(flows.values()),
    )


def _sales(account: Account, name: str, zone: ZoneInfo) -> Iterator[Sale]:
    units = {carnet.held.id: carnet.held.unit for carnet in account.carnets}
    for entry in account.entries:
        if entry.did == "sold" and entry.carnet is not None:
            day = entry.at.astimezone(zone).date()
            yield Sale(day, name, units.get(entry.carnet, ""), entry.units, entry.price, entry.by)


def _share(account: Account, member: str, named: tuple[str, str], zone: ZoneInfo, first: date, last: date) -> Share:
    """named: name and tier."""
    before: Counter[str] = Counter()
    flows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    owed: list[Held] = []
    for carnet in account.carnets:
        left, unit = 0, carnet.held.unit
        for line in account.lines(carnet, last, zone):
            if line.day <= last:
                left += line.units
                (flows[unit] if line.day >= first else before)[line.did if line.day >= first else unit] += line.units
        if left:
            owed.append(Held(member, *named, carnet, left))
    return Share(before, flows, owed, list(_sales(account, named[0], zone)))


def _accounts(session: Session, zone: ZoneInfo) -> Iterator[tuple[str, object, Callable[[], Account]]]:
    """Of everybody who has or had a carnet: what their account follows from, and the account.

    What has ended pays what no other can, as it did while it held.
    """
    table: Table = Pass.__table__  # type: ignore[attr-defined]
    passes: defaultdict[str, list[Any]] = defaultdict(list)
    asked = select(*table.c).order_by(table.c.ended.is_not(None), table.c.position)
    for row in session.connection().execute(asked):
        passes[row.member].append(row)
    of_passes = col(PaidUnit.member).in_(select(Pass.member))  # type: ignore[call-overload]
    units = aggregate_strings(col(PaidUnit.unit), " ")
    paid = select(col(PaidUnit.member), units).where(of_passes).group_by(col(PaidUnit.member))
    told = {row[0]: row[1] for row in session.connection().execute(paid)}
    entries: defaultdict[str, list[CarnetEntry]] = defaultdict(list)
    for entry in session.scalars(select(CarnetEntry).order_by(col(CarnetEntry.id))):
        entries[entry.member].append(entry)
    for member, rows in passes.items():
        ground = ([tuple(row) for row in rows], told.get(member, ""), [entry.id for entry in entries[member]])
        yield member, ground, partial(_account, rows, ground[1].split(), entries[member], zone)


def _account(rows: Sequence[Any], told: Sequence[str], entries: list[CarnetEntry], zone: ZoneInfo) -> Account:
    carnets, unpaid = reckoned([Pass(**row._mapping).said() for row in rows], told)
    ended = [None if row.ended is None else row.ended.astimezone(zone).date() for row in rows]
    return Account([replace(one, ended=day) for one, day in zip(carnets, ended, strict=True)], unpaid, entries)
