"""How many came, how long was it open, which evenings were held? Numbers of days by month, of the rows that are kept.

What `server/changes/counts.py` keeps of a month before its names go, and what is counted anew for the days since.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from policy.bundle import Bundle
from policy.calendar import Calendar, staff_hours
from policy.held import length
from policy.instants import of
from policy.reasons import Reason
from policy.spans import before, spans
from policy.terms import DAY, MINUTE, ClockState, Instant
from server.database.types import moment
from server.models import AdhocShift, CountKept, GuestDay, JournalRow, Visitor
from server.queries.first_row import first_at
from server.queries.gardien_figures import evenings
from server.queries.history import one_by_one
from server.queries.machine_uses import Between, ran_between
from server.queries.now import FEW
from server.queries.past_days import Moved, Once, by_day
from server.queries.public_holidays import holidays_of
from server.queries.rota import Turn, turns
from wire.row import Kind

MOST_LATE: Instant = 90 * DAY
"""Before the first row was heard of: what is said to have been earlier, a lost clock says."""


class What(StrEnum):
    """visits: half-days in which a member came in, by tier. people: different members, of all and by tier.

    staffed, held: minutes of the team's hours, and those that gardiens were inside in their shifts. evening_*: evenings
    of the rota. in_vain: people whom a door refused since it was not open, once a day each. machine, users: seconds of
    use, and different people who used it, by machine. visitors: people without badges of their own, guests by agreement
    not among them. days: on which anybody came. seats: over these days, the most who were there at one moment of a
    Part, added up, those without badges among them. first, last: which days of the month are counted, as numbers in it.
    """

    VISITS = "visits"
    PEOPLE = "people"
    STAFFED = "staffed"
    HELD = "held"
    EVENING_HELD = "evening_held"
    EVENING_LEFT = "evening_left"
    """It had a gardien, who did not come."""
    EVENING_GAP = "evening_gap"
    IN_VAIN = "in_vain"
    MACHINE = "machine"
    USERS = "users"
    VISITORS = "visitors"
    DAYS = "days"
    SEATS = "seats"
    FIRST = "first"
    LAST = "last"


Numbers: TypeAlias = Counter[tuple[What, str]]
"""By what, and of which tier or machine."""


@dataclass(frozen=True, slots=True)
class Days:
    """The days from first to last, both included, of one site, until the instant `until`."""

    session: Session
    bundle: Bundle
    calendar: Calendar
    first: date
    last: date
    until: Instant
    once: Once = field(default_factory=Once)

    @property
    def start(self) -> Instant:
        return self.calendar.day_start(self.first)

    @property
    def end(self) -> Instant:
        return min(self.until, self.calendar.day_end(self.last) or self.until)

    @property
    def over(self) -> bool:
        return (self.calendar.day_end(self.last) or self.until + 1) <= self.until


def month_of(day: date) -> date:
    return day.replace(day=1)


def last_day(month: date) -> date:
    """The last day of the month that begins with this one."""
    return month_of(month + timedelta(31)) - timedelta(1)


def kept(session: Session, first: date, last: date) -> defaultdict[date, Numbers]:
    """What is kept of the months that begin between two days, both included."""
    found: defaultdict[date, Numbers] = defaultdict(Counter)
    for row in session.exec(select(CountKept).where(CountKept.month >= first, CountKept.month <= last)):
        found[row.month][What(row.what), row.of] = row.count
    return found


def first_uncounted(session: Session, calendar: Calendar, once: Once | None = None) -> date | None:
    """The day after the last that is kept; at first, that of the first row. None before anything was heard."""
    return (once or Once()).of("uncounted", lambda: _first_uncounted(session, calendar))


def _first_uncounted(session: Session, calendar: Calendar) -> date | None:
    row = CountKept
    newest = session.exec(select(row).where(row.what == What.LAST).order_by(col(row.month).desc()).limit(1)).first()
    if newest is not None:
        return newest.month.replace(day=newest.count) + timedelta(1)
    at = first_at(session)
    received = session.exec(select(JournalRow.received).order_by(col(JournalRow.id)).limit(1)).first()
    return None if at is None or received is None else calendar.day_at(max(of(at), of(received) - MOST_LATE))


def apart(people: Mapping[str, int]) -> frozenset[str]:
    """The tiers, or the machines, that may be told apart: none of fewer than FEW people, and none that its like would
    give away.

    people: by tier or machine. Where those left over are too few among themselves, the smallest joins them.
    """
    told = sorted((count, tier) for tier, count in people.items() if count >= FEW)
    rest = sum(count for count in people.values() if count < FEW)
    while told and 0 < rest < FEW:
        rest += told.pop(0)[0]
    return frozenset(tier for _, tier in told)


def by_month(days: Days) -> dict[date, Numbers]:
    """The months that begin between the days, of which anything is known: what is kept, and the days since as the rows
    say now. Of one whose people are not known there is no number of them."""
    found = kept(days.session, days.first, days.last)
    start, today = first_uncounted(days.session, days.calendar, days.once), days.calendar.day_at(days.until)
    month = None if start is None else max(month_of(start), days.first)
    while start is not None and month is not None and month <= min(days.last, today):
        since = replace(days, first=max(start, month), last=min(last_day(month), today))
        found[month] = added(found[month], since, (What.FIRST, "") not in found[month])
        month = last_day(month) + timedelta(1)
    return {month: numbers for month, numbers in sorted(found.items()) if numbers[What.FIRST, ""]}


def added(before: Numbers, days: Days, whole: bool) -> Numbers:
    """The numbers of a month with those of days that follow; whole: whether all of the month's names are kept.

    People by tier are among them only where the tier may be told apart.
    """
    month = month_of(days.first)
    found = before.copy()
    found.setdefault((What.FIRST, ""), days.first.day)
    if whole:
        found += different(replace(days, first=month, last=last_day(month)))
    tiers = told_apart(found)
    found += number(days, {month: tiers})[month]
    found[What.LAST, ""] = days.last.day
    return Counter({key: found[key] for key in found if key[0] is not What.PEOPLE or not key[1] or key[1] in tiers})


def number(days: Days, tiers: Mapping[date, Collection[str]]) -> defaultdict[date, Numbers]:
    """What happened on these days, by month. tiers: those that may be told apart, by month."""
    found: defaultdict[date, Numbers] = defaultdict(Counter)
    _came(days, tiers, found)
    _opened(days, found)
    _in_vain(days, found)
    _ran(days, found)
    row, noted = Visitor, select(GuestDay.visitor).where(col(GuestDay.visitor).is_not(None))
    asked = select(row.since, row.people).where(*_within(days, col(row.since)), col(row.id).not_in(noted))
    for since, people in days.session.exec(asked):
        found[_month(days, of(since))][What.VISITORS, ""] += people
    return found


def different(days: Days) -> Numbers:
    """How many different people came in on these days, in all and by tier, and how many used each machine."""
    by_day, tiers = _by_day(days)
    who = reduce(or_, (half for moved in by_day.values() for half in moved.halves), 0)
    by_tier = Counter({(What.PEOPLE, tier): (who & crowd).bit_count() for tier, crowd in tiers.items()})
    used = _machines(days, days.start, days.end)
    users = Counter({(What.USERS, machine): one.users for machine, one in used.items()})
    return by_tier + users + Counter({(What.PEOPLE, ""): who.bit_count()})


def told_apart(numbers: Numbers) -> frozenset[str]:
    """See `apart`."""
    return apart({tier: count for (what, tier), count in numbers.items() if what is What.PEOPLE and tier})


def _by_day(days: Days) -> tuple[dict[date, Moved], dict[str, int]]:
    split, last = days.bundle.site.half_day_split, min(days.last, days.calendar.day_at(days.until))
    asked = (days.session, days.calendar, split, days.first, last, days.until, days.once)
    return days.once.of(("days", days.first, last), lambda: by_day(*asked))


def _machines(days: Days, start: Instant, end: Instant) -> dict[str, Between]:
    return days.once.of(("machines", start, end), lambda: ran_between(days.session, days.until, start, end))


def _came(days: Days, told: Mapping[date, Collection[str]], found: defaultdict[date, Numbers]) -> None:
    """Visits and seats. told: the tiers that may be told apart, by month."""
    moved_by_day, tiers = _by_day(days)
    for day, moved in moved_by_day.items():
        numbers, apart_ = found[month_of(day)], told.get(month_of(day), ())
        for half in moved.halves:
            by_tier = {tier: (half & tiers[tier]).bit_count() for tier in apart_ if tier in tiers}
            numbers.update({(What.VISITS, tier): count for tier, count in by_tier.items() if count})
            if rest := half.bit_count() - sum(by_tier.values()):
                numbers[What.VISITS, ""] += rest
        numbers[What.DAYS, ""] += bool(moved.most)
        for part, most in moved.most.items():
            numbers[What.SEATS, part] += most


def _opened(days: Days, found: defaultdict[date, Numbers]) -> None:
    """The team's hours as they stand now, and the evenings of gardiens, those they opened by two taps among them."""
    off = holidays_of(days.bundle.site.holidays, kept=True)
    for day in (days.first + timedelta(n) for n in range((days.last - days.first).days + 1)):
        open_ = spans(days.calendar.hours(day, staff_hours(days.bundle.site, off(day.year), day)))
        found[month_of(day)][What.STAFFED, ""] += length(before(open_, days.until)) // MINUTE
    row = AdhocShift
    made = days.session.exec(select(row).where(*_within(days, col(row.start)), col(row.end) <= moment(days.until)))
    adhoc = [Turn("", "", days.calendar.day_at(of(one.start)), one.gardien, of(one.start), of(one.end)) for one in made]
    planned = [one for one in turns(days.bundle, days.first, days.last) if one.end <= days.until]
    for evening in evenings(days.session, days.bundle, days.calendar, sorted([*planned, *adhoc], key=starts)):
        numbers = found[month_of(evening.turn.day)]
        numbers[What.HELD, ""] += evening.minutes
        if evening.turn.key:
            empty = What.EVENING_GAP if evening.turn.gardien is None else What.EVENING_LEFT
            numbers[What.EVENING_HELD if evening.held else empty, ""] += 1


def starts(turn: Turn) -> tuple[Instant, Instant, str]:
    return turn.start, turn.end, turn.key


def _in_vain(days: Days, found: defaultdict[date, Numbers]) -> None:
    row = JournalRow
    asked = select(row.at, row.credential).where(
        one_by_one(Kind.TAP),
        *_within(days, col(row.at)),
        col(row.clock) != ClockState.UNKNOWN.value,  # it says no day, and its row outlives those of that day
        col(row.granted).is_(False),
        col(row.reason) == Reason.OUTSIDE_HOURS,
    )
    once = {(days.calendar.day_at(of(at)), credential) for at, credential in days.session.exec(asked)}
    for day, _ in once:
        found[month_of(day)][What.IN_VAIN, ""] += 1


def _ran(days: Days, found: defaultdict[date, Numbers]) -> None:
    """Of each session the seconds to the months in which it ran."""
    month = month_of(days.first)
    while month <= days.last:
        last = min(last_day(month), days.last)
        start = days.calendar.day_start(max(month, days.first))
        end = min(days.calendar.day_end(last) or days.until, days.until)
        for machine, one in _machines(days, start, end).items():
            found[month][What.MACHINE, machine] += one.seconds
        month = last_day(month) + timedelta(1)


def _month(days: Days, at: Instant) -> date:
    return month_of(days.calendar.day_at(at))


def _within(days: Days, column: Mapped[Any]) -> tuple[ColumnElement[bool], ...]:
    return column >= moment(days.start), column < moment(days.end)
