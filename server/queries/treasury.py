"""What was sold, used and is still owed on all carnets? From the same lines as a member's page shows, added up.

Days are the site's. What was there at first and all that happened until a day add up to what is owed then.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from server.database.driver_rows import driver_rows
from server.models import CarnetEntry, PaidUnit, Pass
from server.queries.carnets import Account, Carnet, reckoned
from server.queries.current import Current
from server.queries.names import alphabetical
from server.queries.people import FEW, paid_units

Row = TypeVar("Row", Pass, CarnetEntry)

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
    for share in _shares(session, current, first, last):
        for unit, units in share.before.items():
            before[unit] += units
        for unit, counted in share.flows.items():
            for did, units in counted.items():
                flows[unit][did] += units
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


def _shares(session: Session, current: Current, first: date, last: date) -> Iterator[Share]:
    """Of everybody who has or had a carnet; of whom nothing has changed it is what it was."""
    held = current.memory.get("accounts", {})
    grounds = {member: (first, last, *ground) for member, ground in _grounds(session).items()}
    fresh = [member for member, ground in grounds.items() if member not in held or held[member][0] != ground]
    accounts = _accounts(session, current.zone, fresh, {member: grounds[member][-1] for member in fresh})
    known = current.memory["accounts"] = {}
    for member, ground in grounds.items():
        if member in accounts:
            _, _, name, tier, *_ = ground
            share = _share(accounts[member], member, (name, tier), current.zone, first, last)
            known[member] = ground, share
        else:
            known[member] = held[member]
        yield known[member][1]


def _grounds(session: Session) -> dict[str, tuple[Any, ...]]:
    """What the account of each member follows from: name, tier, carnets and entries as the database has them, and the
    days and half-days paid."""
    passes: defaultdict[str, list[Any]] = defaultdict(list)
    for row in driver_rows(session, "SELECT member, pass.* FROM pass ORDER BY ended IS NOT NULL, position"):
        passes[row[0]].append(row)
    entries: defaultdict[str, list[int]] = defaultdict(list)
    for number, member in driver_rows(session, "SELECT id, member FROM carnet_entry ORDER BY id"):
        entries[member].append(number)
    names = driver_rows(session, "SELECT id, name, tier FROM member WHERE id IN (SELECT member FROM pass)")
    named, told = {who: (name, tier) for who, name, tier in names}, paid_units(session)
    return {who: (*named[who], rows, entries[who], told.get(who, "")) for who, rows in passes.items()}


def _accounts(session: Session, zone: ZoneInfo, members: Sequence[str], told: Mapping[str, str]) -> dict[str, Account]:
    """told: what each of them paid. What has ended pays what no other can, as it did while it held."""
    passes: defaultdict[str, list[Pass]] = defaultdict(list)
    of_passes = select(Pass).order_by(col(Pass.ended).is_not(None), col(Pass.position))
    for held in session.exec(_of(members, of_passes, col(Pass.member))):
        passes[held.member].append(held)
    entries: defaultdict[str, list[CarnetEntry]] = defaultdict(list)
    for entry in session.exec(_of(members, select(CarnetEntry).order_by(col(CarnetEntry.id)), col(CarnetEntry.member))):
        entries[entry.member].append(entry)
    return {who: _account(passes[who], told[who].split(), entries[who], zone) for who in members}


def _of(members: Sequence[str], asked: SelectOfScalar[Row], member: Mapped[str]) -> SelectOfScalar[Row]:
    """Only theirs, where that is quicker."""
    return asked.where(member.in_(members)) if len(members) <= FEW else asked


def _account(rows: Sequence[Pass], told: Sequence[str], entries: list[CarnetEntry], zone: ZoneInfo) -> Account:
    carnets, unpaid = reckoned([row.said() for row in rows], told)
    ended = [None if row.ended is None else row.ended.astimezone(zone).date() for row in rows]
    return Account([replace(one, ended=day) for one, day in zip(carnets, ended, strict=True)], unpaid, entries)
