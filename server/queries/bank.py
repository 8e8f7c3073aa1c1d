"""What does the coop owe a member, and how did it come to that? The ledger month by month, entry by entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlmodel import Session, col, func, select

from policy.bank import CREDIT, UNIT
from policy.calendar import Calendar
from policy.held import Source
from policy.instants import of
from policy.units import DATE
from server.models import BankDispute, BankEntry, PaidUnit
from server.queries import carnets
from server.queries.current import Current
from server.queries.ledger import signed


class Sort(StrEnum):
    """HELD: a shift. CREDIT: written down by people. USED, EXPIRED: a half-day that was minted."""

    HELD = "held"
    CREDIT = "credit"
    USED = "used"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Line:
    """One source in one month. day: of the shift, the credit, the half-day. minutes: by which the debt changes then.

    counts: what it counts now, None for nothing any more. entry: the last one booked. wrong: minutes that were booked
    and undone. unit: the name of the half-day. disputes: newest last.
    """

    sort: Sort
    day: date
    minutes: int
    source: Source
    entry: BankEntry | None = None
    counts: int | None = None
    wrong: tuple[int, ...] = ()
    unit: str = ""
    disputes: tuple[BankDispute, ...] = ()

    @property
    def disputed(self) -> BankDispute | None:
        """What waits for an answer."""
        return next((one for one in self.disputes if one.closed is None), None)


@dataclass(frozen=True, slots=True)
class Balance:
    """Minutes: in all; of it those that are not minted yet. units: minted and not used."""

    owed: int
    kept: int
    units: int


@dataclass(frozen=True)
class Statement:
    """lines: all of a member, the newest first."""

    lines: Sequence[Line]
    balance: Balance

    def before(self, day: date) -> int:
        """What was owed when the day began."""
        return sum(line.minutes for line in self.lines if line.day < day)

    def between(self, first: date, last: date) -> list[Line]:
        return [line for line in self.lines if first <= line.day <= last]


def statement(session: Session, calendar: Calendar, member: str, today: date) -> Statement:
    """All that was booked of a member, and the half-days that they spent."""
    entries = session.exec(select(BankEntry).where(BankEntry.member == member).order_by(col(BankEntry.id))).all()
    disputes = _disputes(session, [entry.id for entry in entries if entry.id is not None])
    lines = [*_booked(entries, calendar, disputes), *_spent(session, entries, member, today)]
    kept = sum(signed(entry) for entry in entries)
    owed = sum(line.minutes for line in lines)
    units = sum(entry.source[0] == UNIT for entry in entries) - sum(bool(line.unit) for line in lines)
    lines.sort(key=lambda line: (line.day, line.source, line.unit), reverse=True)
    return Statement(lines, Balance(owed, kept, units))


def balances(session: Session, current: Current, today: date) -> dict[str, Balance]:
    """Of whoever has an entry. Of twenty gardiens and five years it takes half a second, so it is kept while nobody
    books, pays or changes a carnet."""
    booked, paid = (session.exec(select(func.count()).select_from(table)).one() for table in (BankEntry, PaidUnit))
    key = "bank"
    known, found = current.reports.get(key, (None, {}))
    if known != (booked, paid, today):
        found = {who: statement(session, current.calendar, who, today).balance for who in with_bank(session)}
        current.reports[key] = (booked, paid, today), found
    return dict(found)


def with_bank(session: Session) -> list[str]:
    """Whoever has an entry."""
    return sorted(session.exec(select(BankEntry.member).distinct()))


def has_entries(session: Session, member: str) -> bool:
    return session.exec(select(BankEntry.id).where(BankEntry.member == member).limit(1)).first() is not None


def booked_on(entry: BankEntry, calendar: Calendar) -> date:
    """The site day of an entry: of a shift the one that ended then, so that its month is that of the evening."""
    return calendar.day_at(of(entry.at) - (entry.source[0] not in (CREDIT, UNIT)))


def _booked(
    entries: Sequence[BankEntry], calendar: Calendar, disputes: dict[int, tuple[BankDispute, ...]]
) -> list[Line]:
    """A line for each source and month in which something of it was booked."""
    undone = {entry.counters for entry in entries}
    live = {tuple(entry.source): entry for entry in entries if entry.counters is None and entry.id not in undone}
    found: dict[tuple[Source, int, int], list[BankEntry]] = {}
    for entry in entries:
        if entry.source[0] != UNIT:
            day = booked_on(entry, calendar)
            found.setdefault((tuple(entry.source), day.year, day.month), []).append(entry)
    lines = []
    for (source, _, _), own in found.items():
        last, now = own[-1], live.get(source)
        began = last.start is not None and calendar.day_at(of(last.start))
        booked = booked_on(own[0], calendar)
        lines.append(
            Line(
                sort=Sort.CREDIT if source[0] == CREDIT else Sort.HELD,
                day=began if began and (began.year, began.month) == (booked.year, booked.month) else booked,
                minutes=sum(map(signed, own)),
                source=source,
                entry=last,
                counts=None if now is None else signed(now),
                wrong=tuple(-signed(entry) for entry in own if entry.counters is not None),
                disputes=tuple(one for entry in own if entry.id in disputes for one in disputes[entry.id]),
            )
        )
    return lines


def _spent(session: Session, entries: Sequence[BankEntry], member: str, today: date) -> list[Line]:
    costs = {entry.source[1]: entry.minutes for entry in entries if entry.source[0] == UNIT}
    lines = []
    for carnet in carnets.account_of(session, member).carnets if costs else ():
        cost, last = costs.get(carnet.held.id), carnet.held.valid_until
        if cost is None:
            continue
        source = (UNIT, carnet.held.id)
        lines += [Line(Sort.USED, date.fromisoformat(unit[:DATE]), -cost, source, unit=unit) for unit in carnet.paid]
        if last is not None and carnet.rest and carnet.over(today):
            lines.append(Line(Sort.EXPIRED, last, -cost, source, unit=last.isoformat()))
    return lines


def _disputes(session: Session, entries: Sequence[int]) -> dict[int, tuple[BankDispute, ...]]:
    found: dict[int, list[BankDispute]] = {}
    asked = select(BankDispute).where(col(BankDispute.entry).in_(entries)).order_by(col(BankDispute.id))
    for one in session.exec(asked):
        found.setdefault(one.entry, []).append(one)
    return {entry: tuple(own) for entry, own in found.items()}


def disputed(session: Session) -> list[tuple[BankDispute, BankEntry]]:
    """All that wait for an answer, the oldest first."""
    asked = select(BankDispute, BankEntry).join(BankEntry, col(BankEntry.id) == col(BankDispute.entry))
    open_ = asked.where(col(BankDispute.closed).is_(None)).order_by(col(BankDispute.id))
    return [(dispute, entry) for dispute, entry in session.exec(open_)]
