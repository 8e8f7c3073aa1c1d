"""What became of a member's carnets? What each paid, gave back and has left: reckoned as the doors do, in one place.

What a carnet pays is derived from all days and half-days paid (policy/passes.py:charged); what people did to it is in
the entries of server/models/ledger.py.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from policy.bundle import Pass
from policy.carnets import compiled
from policy.instants import BELIEVED, of
from policy.passes import charged, is_valid
from policy.reasons import Reason
from policy.ruleset import Unit
from policy.terms import Direction, Instant
from policy.units import DATE, name_at
from server import models
from server.models import CarnetEntry, JournalRow, PaidUnit
from server.queries.current import Current
from wire.row import Kind

PAYING = (Reason.ALWAYS, Reason.TIER_HOURS, Reason.STAFFED_HOURS, Reason.GARDIEN_PRESENT)
"""The reasons of an entry that may cost a unit (policy/door.py:to_pay)."""


@dataclass(frozen=True)
class Carnet:
    """paid: the days and half-days that it pays, in order; given back ones are not among them.

    ended: since when it is none any more, as its member is none; no door knows it.
    """

    held: Pass
    paid: tuple[str, ...]
    ended: date | None = None

    @property
    def rest(self) -> int:
        """Units that it has not paid, whether it is still valid or not."""
        return max(0, self.held.total - len(self.paid))

    def left(self, today: date) -> int:
        """Units with which it can pay today."""
        return self.rest if self.valid(today) else 0

    def valid(self, today: date) -> bool:
        return is_valid(compiled(self.held), today.isoformat())

    def over(self, today: date) -> bool:
        return self.held.valid_until is not None and self.held.valid_until < today


def reckoned(passes: Sequence[Pass], told: Iterable[str]) -> tuple[list[Carnet], list[str]]:
    """The carnets of one member, and the days and half-days told that none of them pays. told: by the doors."""
    names, found = set(told), {}
    for unit in Unit:
        alike = [one for one in passes if one.unit == unit]
        for one, paid in zip(alike, charged([compiled(one) for one in alike], unit, names), strict=True):
            found[one.id] = Carnet(one, tuple(sorted(paid - {*one.given_back})))
    settled = set(chain(*(one.paid for one in found.values()), *(one.given_back for one in passes)))
    return [found[one.id] for one in passes], sorted(names - settled)


class Line(NamedTuple):
    """One line of a carnet's account. did: see server/changes/carnets.py; `opening`, `used`, `expired` beside these."""

    day: date
    did: str
    units: int
    unit: str | None = None


@dataclass(frozen=True)
class Stamp:
    """A day or half-day of a carnet. before: paid before Loquet counted. tap: the entry that paid it, if it is known.

    entry: who noted that it is paid, where no badge did. back: who gave it back.
    """

    name: str
    before: bool = False
    tap: Instant | None = None
    entry: CarnetEntry | None = None
    back: CarnetEntry | None = None
    given_back: bool = False

    @property
    def day(self) -> date:
        return date.fromisoformat(self.name[:DATE])


@dataclass(frozen=True)
class Account:
    """The carnets of one member, in the order in which they pay. told: what doors and desk say was paid."""

    carnets: list[Carnet]
    unpaid: list[str]
    entries: Sequence[CarnetEntry] = ()
    taps: Mapping[str, Instant] = field(default_factory=dict)

    def stamps(self, carnet: Carnet) -> list[Stamp]:
        """What it pays and what it gave back, in order."""
        used, back = {*carnet.held.used}, {*carnet.held.given_back}
        return [
            Stamp(
                name,
                before=name in used,
                tap=self.taps.get(name),
                entry=self._last.get(("paid", name)),
                back=self._last.get(("given_back", name)) if name in back else None,
                given_back=name in back,
            )
            for name in sorted({*carnet.paid, *back})
        ]

    @cached_property
    def _last(self) -> dict[tuple[str, str], CarnetEntry]:
        return {(entry.did, entry.unit): entry for entry in self.entries if entry.unit is not None}

    def of(self, carnet: Carnet) -> list[CarnetEntry]:
        """What people did to this one, oldest first."""
        return [entry for entry in self.entries if entry.carnet == carnet.held.id]

    def lines(self, carnet: Carnet, today: date, zone: ZoneInfo) -> list[Line]:
        """Its account: the sum of the units is what it can pay with today, once it has begun."""
        found = list(self._written(carnet, zone))
        ends = [carnet.ended] if carnet.ended is not None else []
        if carnet.held.valid_until is not None and carnet.over(today):
            ends.append(carnet.held.valid_until + timedelta(1))
        if not ends:
            return found
        end = min(ends)
        rest = sum(line.units for line in found if line.day <= end)
        after = [Line(line.day, "expired", -line.units) for line in found if line.day > end]
        return [*found, *([Line(end, "expired", -rest)] if rest else []), *after]

    def _written(self, carnet: Carnet, zone: ZoneInfo) -> Iterator[Line]:
        """All lines but that of its end."""
        moved = [entry for entry in self.of(carnet) if entry.unit is None]
        opening = carnet.held.total - sum(entry.units for entry in moved)
        if opening:
            yield Line(carnet.held.valid_from or date.min, "opening", opening)
        for entry in moved:
            yield Line(_day(entry, zone), entry.did, entry.units)
        for stamp in self.stamps(carnet):
            yield Line(stamp.day, "used", -1, stamp.name)
            if stamp.given_back:
                yield Line(_day(stamp.back, zone) if stamp.back is not None else stamp.day, "given_back", 1, stamp.name)


def paid_by_hand(session: Session, member: str, unit: str) -> bool:
    """Whether the desk noted that this day or half-day is paid, and has not given it back since."""
    entry = CarnetEntry
    asked = select(entry.did).where(entry.member == member, entry.unit == unit).order_by(col(entry.id))
    did = session.exec(asked).all()
    return "paid" in did and did[-1] != "given_back"


def account_of(session: Session, member: str) -> Account:
    """The carnets of a member as they are now, without the taps that paid."""
    passes = session.exec(
        select(models.Pass)
        .where(models.Pass.member == member, col(models.Pass.ended).is_(None))
        .order_by(col(models.Pass.position))
    )
    carnets, unpaid = reckoned([one.said() for one in passes], _told(session, member))
    entries = session.exec(select(CarnetEntry).where(CarnetEntry.member == member).order_by(col(CarnetEntry.id)))
    return Account(carnets, unpaid, entries.all())


def left_on(session: Session, passes: Iterable[Pass]) -> dict[str, int]:
    """Units left on each of these carnets, by id. passes: all that their members hold, in the order of payment."""
    held: defaultdict[str, list[Pass]] = defaultdict(list)
    for one in passes:
        held[one.member].append(one)
    told: defaultdict[str, list[str]] = defaultdict(list)
    for member, unit in session.exec(select(PaidUnit.member, PaidUnit.unit).where(col(PaidUnit.member).in_(held))):
        told[member].append(unit)
    return {carnet.held.id: carnet.rest for member, own in held.items() for carnet in reckoned(own, told[member])[0]}


def _told(session: Session, member: str) -> Sequence[str]:
    return session.exec(select(PaidUnit.unit).where(PaidUnit.member == member)).all()


def with_taps(session: Session, current: Current, account: Account, member: str) -> Account:
    """The same with the entry that paid each day or half-day, as long as the journal has it."""
    names = {name for carnet in account.carnets for name in (*carnet.paid, *carnet.held.given_back)}
    if not names:
        return account
    since = max(date.fromisoformat(min(names)[:DATE]), date(BELIEVED[0], 1, 1))
    row = JournalRow
    asked = select(row.at).where(
        row.member == member,
        col(row.at) >= datetime.combine(since, time(), current.zone).astimezone(UTC),
        col(row.kind) == Kind.TAP,
        col(row.direction) == Direction.IN,
        col(row.granted).is_(True),
        col(row.reason).in_(PAYING),
    )
    taps: dict[str, Instant] = {}
    for at in session.exec(asked.order_by(col(row.at).desc())):
        for unit in Unit:
            taps[name_at(current.rules, unit, of(at))] = of(at)
    return Account(account.carnets, account.unpaid, account.entries, taps)


def _day(entry: CarnetEntry, zone: ZoneInfo) -> date:
    return entry.at.astimezone(zone).date()
