"""Is the rota fair, is it worth it? Hours by gardien and month, evenings, people per evening, who came in vain.

Hours are those in which the gardien was inside during a shift: of the ledger where there is a bank, which keeps them,
else of the rows that are kept. Of fewer than three people no number is told.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from policy.bank import CREDIT, UNIT
from policy.bundle import Bundle
from policy.calendar import Calendar
from policy.held import Moves, length
from policy.instants import of
from policy.presence import Move
from policy.reasons import Reason
from policy.terms import HOUR, MINUTE, Instant
from server.database.types import moment
from server.models import BankEntry, JournalRow
from server.queries.current import Current
from server.queries.first_row import first_at
from server.queries.history import one_by_one
from server.queries.ledger import Ledger
from server.queries.now import few
from server.queries.past import Remembered, past
from server.queries.rota import Turn, turns
from wire.row import Kind

HALF_HOUR = HOUR // 2
WEEKS = timedelta(28)
"""How far back evenings and refusals are looked at, at most as far as rows are kept."""
MONTHS = 6


@dataclass(frozen=True, slots=True)
class Evening:
    """A turn that is over. minutes: that its gardien was inside. people: who else came in, None for too few."""

    turn: Turn
    minutes: int
    people: int | None

    @property
    def held(self) -> bool:
        return self.minutes > 0


@dataclass(frozen=True, slots=True)
class Figures:
    """hours: minutes by gardien and month (its first day). months: the oldest first. in_vain: people whom a door
    refused because it was not open, by half-hour of the day (in minutes since midnight); None for too few."""

    months: Sequence[date]
    hours: Mapping[str, Mapping[date, int]]
    evenings: Sequence[Evening]
    in_vain: Mapping[int, int | None]


def figures(session: Session, current: Current, at: Instant, kept_days: int) -> Figures:
    today = current.calendar.day_at(at)
    first = max(today - WEEKS, today - timedelta(kept_days - 1))
    told = first_at(session)
    over = [] if told is None else [one for one in turns(current.bundle, first, today) if of(told) <= one.start]
    told_of = evenings(session, current.bundle, current.calendar, [one for one in over if one.end <= at])
    months = months_to(today)
    held = _from_ledger(session, current, months[0]) or [
        (one.turn.gardien, one.turn.day, one.minutes) for one in told_of
    ]
    hours: defaultdict[str, Counter[date]] = defaultdict(Counter)
    for who, day, minutes in held:
        if who is not None and minutes and day >= months[0]:
            hours[who][day.replace(day=1)] += minutes
    return Figures(months, hours, told_of[::-1], _in_vain(session, current, first))


def months_to(today: date, number: int = MONTHS) -> list[date]:
    """The first days of so many months, this one the last."""
    found = [today.replace(day=1)]
    while len(found) < number:
        found.insert(0, (found[0] - timedelta(1)).replace(day=1))
    return found


def _from_ledger(session: Session, current: Current, first: date) -> list[tuple[str | None, date, int]]:
    """Whose shift, on which day, and the minutes inside; empty where nothing is booked."""
    since = moment(current.calendar.day_start(first))
    booked = select(BankEntry).where(col(BankEntry.at) >= since).order_by(col(BankEntry.id))
    return [
        (entry.member, current.calendar.day_at(of(entry.start)), sum(entry.inside[1::2]) - sum(entry.inside[::2]))
        for source, entry in Ledger(session.exec(booked)).live.items()
        if source[0] not in (CREDIT, UNIT) and entry.start is not None
    ]


def evenings(session: Session, bundle: Bundle, calendar: Calendar, over: Sequence[Turn]) -> list[Evening]:
    """Of turns that are over, gaps too, the oldest first: how they were."""
    known = past(session)
    members = known.follows("members", bundle.members, lambda: known.crowd(one.id for one in bundle.members))
    return [_evening(session, known, calendar, members, turn) for turn in over]


def _evening(session: Session, known: Remembered, calendar: Calendar, members: int, turn: Turn) -> Evening:
    """members: all of them, as a crowd."""
    start, end, gardien, minutes = turn.start, turn.end, turn.gardien, 0
    came = known.of(("came", start, end), start, end, lambda: known.crowd(_came(session, start, end)))
    themselves = members & known.crowd([] if gardien is None else [gardien])
    if gardien is not None and themselves:
        since = calendar.day_start(calendar.day_at(start))  # whoever came before that is not inside any more
        moves = known.of(("moves", gardien, since, end), since, end, lambda: _moves(session, gardien, since, end))
        minutes = length(moves.inside(calendar, start, end)) // MINUTE
    people = (came & members & ~themselves).bit_count()
    return Evening(turn, minutes, few(people) if people else 0)


def _came(session: Session, start: Instant, end: Instant) -> frozenset[str]:
    """Who came in."""
    asked = select(JournalRow.member).where(*_moved(start, end), col(JournalRow.inside).is_(True)).distinct()
    return frozenset(member for member in session.exec(asked) if member is not None)


def _moves(session: Session, member: str, start: Instant, end: Instant) -> Moves:
    row, found = JournalRow, Moves()
    asked = select(row.moved_at, row.inside).where(row.member == member, *_moved(start, end))
    for at, inside in session.exec(asked):
        if at is not None and inside is not None:
            found.add(Move(of(at), inside))
    return found


def _moved(start: Instant, end: Instant) -> tuple[ColumnElement[bool], ...]:
    return col(JournalRow.moved_at) >= moment(start), col(JournalRow.moved_at) < moment(end)


def _in_vain(session: Session, current: Current, first: date) -> dict[int, int | None]:
    """Each person counts once a day and half-hour."""
    row = JournalRow
    asked = select(row.at, row.credential).where(
        one_by_one(Kind.TAP),
        col(row.at) >= moment(current.calendar.day_start(first)),
        col(row.granted).is_(False),
        col(row.reason) == Reason.OUTSIDE_HOURS,
    )
    found: defaultdict[int, set[tuple[date, str | None]]] = defaultdict(set)
    for at, credential in session.exec(asked):
        local = at.astimezone(current.zone)
        found[(local.hour * 2 + local.minute // 30) * 30].add((local.date(), credential))
    return {half: few(len(people)) for half, people in sorted(found.items())}
