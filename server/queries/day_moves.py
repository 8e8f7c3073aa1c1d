"""Who came and went today, hour by hour? Kept between two questions: each costs what moved since the last one.

A day of a large site has 100,000 moves. Reading them all takes half a second, and each tap redraws pages that count.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Any

from sqlmodel import Session, col, select

from policy.instants import of
from policy.terms import HOUR, Instant
from server.database.types import moment
from server.models import JournalRow
from server.queries.groups import Stay, stays

KEPT = "today's moves"
_lock = Lock()


@dataclass(frozen=True, slots=True)
class HourCount:
    """came: how often a member came in, in the hour that begins at start. peak: the most people inside at one moment of
    it, guests among them; guests: the most of these, people without badges of their own."""

    start: Instant
    peak: int
    came: int
    guests: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """Of an `in` and an `out` at one instant the `out` is last."""

    at: Instant
    out: bool
    id: int
    member: str


@dataclass(slots=True)
class _Hour:
    """after: who is inside when it ends. count: None while that is to be reckoned anew."""

    steps: list[Step] = field(default_factory=list)
    after: frozenset[str] = frozenset()
    count: HourCount | None = None

    def reckon(self, start: Instant, before: frozenset[str]) -> HourCount:
        """before: who is inside when it begins, at start."""
        inside = set(before)
        peak = len(inside)
        for step in self.steps:
            (inside.discard if step.out else inside.add)(step.member)
            peak = max(peak, len(inside))
        self.after = frozenset(inside)
        return HourCount(start, peak, sum(not step.out for step in self.steps))

    def with_guests(self, count: HourCount, before: frozenset[str], stays: Sequence[Stay]) -> HourCount:
        """count, with those of the stays who were there in that hour."""
        start, end = count.start, count.start + HOUR
        there = [one for one in stays if one.since < end and (one.until is None or one.until > start)]
        if not there:
            return count
        steps = [(step.at, step.out, step.member, 0) for step in self.steps]
        steps += [(max(one.since, start), False, "", one.people) for one in there]
        steps += [(one.until, True, "", -one.people) for one in there if one.until is not None and one.until < end]
        inside, guests, peak, most = set(before), 0, len(before), 0
        for _, out, who, people in sorted(steps, key=lambda step: step[:2]):
            guests += people
            if who:
                (inside.discard if out else inside.add)(who)
            peak, most = max(peak, len(inside) + guests), max(most, guests)
        return replace(count, peak=peak, guests=most)


class DayMoves:
    """The moves from start (the beginning of a site day, when nobody is inside) on.

    rewritten: which state of the stored rows it was read from (server/database/engine.py). newest: the last move.
    came: how often somebody came in; a return from lunch is one more.
    """

    def __init__(self, start: Instant, rewritten: int = 0) -> None:
        self.start = start
        self.rewritten = rewritten
        self.newest: Instant = start
        self.came = 0
        self._members: set[str] = set()
        self._last_id = 0
        self._hours: list[_Hour] = []

    def read(self, session: Session, end: Instant | None = None) -> "DayMoves":
        """Adds the rows that were stored since the last reading, of moves before end."""
        row = JournalRow
        asked = select(row.id, row.member, row.moved_at, row.inside)
        # by the one index or by the other: the first time the day is a small part of all rows, later the new ids are
        if self._last_id:
            asked = asked.where(col(row.id) > self._last_id)
        else:
            asked = asked.where(col(row.moved_at) >= moment(self.start))
        if end is not None:
            asked = asked.where(col(row.moved_at) < moment(end))
        self.add(session.exec(asked))
        return self

    def add(self, rows: Iterable[Any]) -> None:
        """rows: (id, member, moved_at, inside); those that moved nobody, or before start, are passed over."""
        for number, member, moved_at, inside in rows:
            self._last_id = max(self._last_id, number)
            if moved_at is not None and of(moved_at) >= self.start:
                self._add(number, member, moved_at, inside)

    def _add(self, number: int, member: str, moved_at: datetime, inside: bool) -> None:
        at = of(moved_at)
        position = (at - self.start) // HOUR
        while len(self._hours) <= position:
            self._hours.append(_Hour())
        steps, step = self._hours[position].steps, Step(at, not inside, number, member)
        if steps and step < steps[-1]:
            insort(steps, step)
        else:
            steps.append(step)
        for hour in self._hours[position:]:
            hour.count = None
        self.newest = max(self.newest, at)
        if inside:
            self.came += 1
            self._members.add(member)

    def hours(self, end: Instant, stays: Sequence[Stay] = ()) -> list[HourCount]:
        """Each that began before end. stays: of people without badges."""
        while self.start + len(self._hours) * HOUR < end:
            self._hours.append(_Hour())
        counts: list[HourCount] = []
        inside: frozenset[str] = frozenset()
        for position, hour in enumerate(self._hours):
            if hour.count is None:
                hour.count = hour.reckon(self.start + position * HOUR, inside)
            counts.append(hour.with_guests(hour.count, inside, stays))
            inside = hour.after
        return [count for count in counts if count.start < end]

    @property
    def different(self) -> int:
        """How many members came in."""
        return len(self._members)

    def last_arrivals(self, limit: int | None = None) -> list[tuple[Step, Step | None]]:
        """The last who came in, in order, so many at most; each with the next move of that member."""
        found: list[tuple[Step, Step | None]] = []
        following: dict[str, Step] = {}
        for hour in reversed(self._hours):
            for step in reversed(hour.steps):
                if len(found) == limit:
                    return found[::-1]
                if not step.out:
                    found.append((step, following.get(step.member)))
                following[step.member] = step
        return found[::-1]


@dataclass(frozen=True, slots=True)
class Today:
    """last: who came in, in order, each with the next move of that member. guests: who came without a badge."""

    hours: list[HourCount]
    came: int
    different: int
    last: list[tuple[Step, Step | None]]
    guests: int = 0


def today(session: Session, start: Instant, at: Instant, last: int = 0) -> Today:
    """The site day that began at start, until at; last: how many arrivals are wanted one by one."""
    stays_ = stays(session, start, at + 1)
    kept, rewritten = session.info["kept"], session.info["rewritten"]
    with _lock:
        day = kept.get(KEPT)
        if day is None or day.start != start or day.rewritten < rewritten:
            day = kept[KEPT] = DayMoves(start, rewritten)
        if day.read(session).newest > at:
            day = DayMoves(start).read(session, at + 1)
        return Today(
            hours=day.hours(at + 1, stays_),
            came=day.came,
            different=day.different,
            last=day.last_arrivals(last),
            guests=sum(one.people for one in stays_),
        )
