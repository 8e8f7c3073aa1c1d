"""What is told of a year to the general meeting, and to the town that funds the place? Numbers, and nobody's name.

From what is kept of months whose names are gone (server/changes/counts.py), and from the rows since.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import mean

from sqlmodel import Session, col, func, or_, select

from policy.bank_accounts import Account
from policy.calendar import Calendar
from policy.terms import Instant
from server.database.types import moment
from server.models import BankEntry, CountKept, Event, Member
from server.queries import guests
from server.queries.counts import Days, Numbers, What, apart, by_month, first_uncounted, last_day
from server.queries.current import Current
from server.queries.now import few
from server.queries.past_days import Once, Part

EVENTS = 4
"""So many kinds of public events are named; what else there was is added up."""


@dataclass(frozen=True, slots=True)
class Month:
    """first: its first day. numbers: None where nothing is known of it."""

    first: date
    numbers: Numbers | None = None

    @property
    def people(self) -> int | None:
        """Different ones; None where that is not known."""
        return None if self.numbers is None else self.numbers.get((What.PEOPLE, ""))

    @property
    def visits(self) -> int | None:
        """Half-days in which a member came; None where they are not known, or of too few people to be told."""
        if self.numbers is None:
            return None
        visits = sum(count for (what, _), count in self.numbers.items() if what is What.VISITS)
        return visits if not visits or few(min(visits, self.people or visits)) is not None else None

    @property
    def too_few(self) -> bool:
        """Whether somebody came, and too few to be told."""
        return self.numbers is not None and self.visits is None


@dataclass(frozen=True, slots=True)
class Tier:
    """visits: of the year. people: different ones in a month, on average; None where that is not known."""

    visits: int
    people: int | None


@dataclass(frozen=True, slots=True)
class Year:
    """Twelve months. last: its last day, of a year that goes on today. since: from when on it is counted, None for not
    at all. members: whose membership ran on the last day. tiers: "" for those too small to be told apart. machines:
    seconds of use, "" for those that too few people used. guests: days
    by agreement. events: times by title, "" for all others. returned: minutes of coworking that the bank of hours gave
    back, None without one.
    """

    first: date
    last: date
    months: Sequence[Month]
    since: date | None
    members: int | None
    capacity: int | None
    tiers: Mapping[str, Tier]
    machines: Mapping[str, int]
    guests: Mapping[str, int]
    events: Mapping[str, int]
    returned: int | None

    @property
    def whole(self) -> bool:
        """Whether all of it is counted."""
        return self.since is not None and self.since <= self.first

    @property
    def visits(self) -> int | None:
        """Of the months that are told of."""
        return None if self.since is None else sum(one.visits or 0 for one in self.months)

    @property
    def people(self) -> int | None:
        """Different ones in a month, on average."""
        known = [one.people for one in self.months if one.people]
        return round(mean(known)) if known else None

    def of(self, what: What, of: str = "") -> int | None:
        """All that is counted of it; None where nothing is."""
        return None if self.since is None else sum(one.numbers[what, of] for one in self.months if one.numbers)

    def seats(self, part: Part) -> int | None:
        """Of 100 places, how many are taken at the fullest moment of that part of a day, on average of open days."""
        days = self.of(What.DAYS)
        taken = self.of(What.SEATS, part)
        return round(100 * taken / days / self.capacity) if days and taken is not None and self.capacity else None


def year(session: Session, current: Current, first: date, at: Instant, once: Once) -> Year:
    """The twelve months that begin with this one. once: to be shared between two years."""
    calendar = current.calendar
    end = last_day(_after(first, 11))
    last = min(end, calendar.day_at(at))
    known = by_month(Days(session, current.bundle, calendar, first, end, at, once))
    months = [Month(one, known.get(one)) for one in (_after(first, number) for number in range(12))]
    numbers = [one.numbers for one in months if one.numbers is not None]
    since = next((one.first.replace(day=one.numbers[What.FIRST, ""]) for one in months if one.numbers), None)
    began = known_since(session, calendar, once)
    agreed: Counter[str] = Counter()
    for name, _, days in guests.by_month(session, first, end):
        agreed[name] += days
    return Year(
        first=first,
        last=last,
        months=months,
        since=since,
        members=_members(session, calendar, last) if began is not None and began <= last else None,
        capacity=current.bundle.site.capacity,
        tiers=_tiers_of([one.numbers for one in months if one.numbers is not None and not one.too_few]),
        machines=_machines(numbers),
        guests=agreed,
        events=_events(session, calendar, first, last, at),
        returned=_returned(session, calendar, first, last),
    )


def known_since(session: Session, calendar: Calendar, once: Once) -> date | None:
    """The first day that anything is counted of; None before anybody came."""
    row = CountKept
    asked = select(row).where(row.what == What.FIRST).order_by(col(row.month)).limit(1)
    first = once.of("first", lambda: session.exec(asked).first())
    return first_uncounted(session, calendar, once) if first is None else first.month.replace(day=first.count)


def first_months(since: date, today: date, month: int) -> list[date]:
    """The first days of the years that begin with this month (1 to 12), from the one of `since` on, in their order."""
    start = date(since.year - (since.month < month), month, 1)
    found = []
    while start <= today:
        found.append(start)
        start = _after(start, 12)
    return found


def before(first: date) -> date:
    """The first day of the year before."""
    return first.replace(year=first.year - 1)


def _after(first: date, months: int) -> date:
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _added(numbers: Sequence[Numbers], what: What) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in numbers:
        found.update({of: count for (which, of), count in one.items() if which is what})
    return dict(sorted(found.items()))


def _machines(numbers: Sequence[Numbers]) -> dict[str, int]:
    """By machine, those that enough people used in their best month."""
    users: Counter[str] = Counter()
    for one in numbers:
        users |= Counter({of: count for (what, of), count in one.items() if what is What.USERS})
    seconds = _added(numbers, What.MACHINE)
    told = apart({machine: users[machine] or 1 for machine in seconds})  # whose users are not known had one at least
    found: Counter[str] = Counter()
    for machine, ran in seconds.items():
        found[machine if machine in told else ""] += ran
    return dict(sorted(found.items(), key=lambda one: (not one[0], one[0])))


def _tiers_of(numbers: Sequence[Numbers]) -> dict[str, Tier]:
    found = {}
    for tier, visits in _added(numbers, What.VISITS).items():
        people = [one[What.PEOPLE, tier] for one in numbers if tier and one.get((What.PEOPLE, tier))]
        found[tier] = Tier(visits, round(mean(people)) if people else None)
    return dict(sorted(found.items(), key=lambda one: (not one[0], -one[1].visits)))


def _members(session: Session, calendar: Calendar, day: date) -> int:
    row, over = Member, moment(calendar.day_start(day + timedelta(1)))
    asked = select(func.count()).where(
        or_(col(row.valid_from).is_(None), col(row.valid_from) <= day),
        or_(col(row.valid_until).is_(None), col(row.valid_until) >= day),
        or_(col(row.ended).is_(None), col(row.ended) >= over),
    )
    return session.exec(asked).one()


def _events(session: Session, calendar: Calendar, first: date, last: date, at: Instant) -> dict[str, int]:
    """Those that took place. Only a public one is named, and only where it was more than once."""
    row = Event
    asked = select(row.title, row.audience).where(
        col(row.start_at) >= moment(calendar.day_start(first)),
        col(row.start_at) < moment(calendar.day_start(last + timedelta(1))),
        col(row.end_at) <= moment(at),
        or_(col(row.ended).is_(None), col(row.ended) > col(row.end_at)),
    )
    found = Counter(title if audience == "public" else "" for title, audience in session.exec(asked))
    named = [(title, times) for title, times in found.most_common() if title and times > 1][:EVENTS]
    rest = found.total() - sum(times for _, times in named)
    return dict(sorted(named, key=lambda one: (-one[1], one[0]))) | ({"": rest} if rest else {})


def _returned(session: Session, calendar: Calendar, first: date, last: date) -> int | None:
    row = BankEntry
    if session.exec(select(row.id).limit(1)).first() is None:
        return None
    asked = select(row.minutes, row.to_account).where(
        col(row.at) >= moment(calendar.day_start(first)),
        col(row.at) < moment(calendar.day_start(last + timedelta(1))),
        or_(row.to_account == Account.USED, row.from_account == Account.USED),
    )
    return sum(minutes if to == Account.USED else -minutes for minutes, to in session.exec(asked))
