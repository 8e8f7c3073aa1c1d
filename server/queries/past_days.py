"""Who came on each site day, and how many were there at once? Of a day whose rows are known, reckoned once.

A large site has ten million moves in the days of which it keeps them, and *Chiffres* counts them all.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlmodel import Session, col, func, select

from policy.calendar import Calendar
from policy.instants import of
from policy.terms import HOUR, Instant
from server.database.driver_rows import driver_rows
from server.database.types import moment
from server.models import JournalRow
from server.queries.groups import Stay, stays
from server.queries.past import Remembered, past


class Part(StrEnum):
    """Of a day; the afternoon begins where half-days part, the evening at EVENING."""

    MORNING = "am"
    AFTERNOON = "pm"
    EVENING = "evening"


EVENING: Instant = 5 * HOUR
"""After the afternoon began, which the rota's evenings would else be part of."""
Value = TypeVar("Value")
Step = tuple[datetime, bool, str, int]
"""When, whether they left, who, and how many people: so that of two at one instant whoever came is first."""


@dataclass(frozen=True, slots=True)
class Moved:
    """halves: who came in, in the morning and later (Remembered.crowd). most: the most who were there at one moment of
    each part, those without badges among them; empty where nobody moved."""

    halves: tuple[int, int]
    most: Mapping[Part, int]


class Once:
    """What is read once for all that is counted together, of one session and instant."""

    def __init__(self) -> None:
        self._read: dict[Hashable, Any] = {}

    def of(self, what: Hashable, read: Callable[[], Value]) -> Value:
        if what not in self._read:
            self._read[what] = read()
        found: Value = self._read[what]
        return found


def _tiers(session: Session, known: Remembered, once: Once) -> dict[str, int]:
    """Of each tier who is of it, former members too."""
    members = once.of("tiers", lambda: driver_rows(session, "SELECT id, tier FROM member"))
    return known.follows("tiers", members, lambda: _by_tier(known, members))


def _by_tier(known: Remembered, members: Iterable[tuple[str, str]]) -> dict[str, int]:
    found: dict[str, list[str]] = {}
    for member, tier in members:
        found.setdefault(tier, []).append(member)
    return {tier: known.crowd(who) for tier, who in found.items()}


def by_day(
    session: Session, calendar: Calendar, split: str, first: date, last: date, until: Instant, once: Once
) -> tuple[dict[date, Moved], dict[str, int]]:
    """Each day from first to last, as far as until; and of each tier who is of it. split: HH:MM, between half-days."""
    newest = session.exec(select(func.max(JournalRow.moved_at))).one()
    foreseen = newest is not None and of(newest) >= until  # by a clock that is behind: what is later does not count yet
    with_stays: dict[date, list[Stay]] = {}
    for stay in stays(session, calendar.day_start(first), min(until, calendar.day_end(last) or until)):
        with_stays.setdefault(calendar.day_at(stay.since), []).append(stay)
    found: dict[date, Moved] = {}
    known, day = past(session), first
    while day <= last and (start := calendar.day_start(day)) < until:
        noon, end = calendar.half_day(day, split), calendar.day_end(day) or until
        end = min(end, until) if foreseen else end
        there = tuple(with_stays.get(day, ()))
        what = ("day", start, noon, end, there)
        found[day] = known.of(what, start, end, lambda: _moved(session, known, start, noon, end, there))  # noqa: B023 - it is called at once
        day += timedelta(1)
    return found, _tiers(session, known, once)


def _moved(
    session: Session, known: Remembered, start: Instant, noon: Instant, end: Instant, there: Sequence[Stay]
) -> Moved:
    row = JournalRow
    asked = select(row.moved_at, row.member, row.inside).where(
        col(row.moved_at) >= moment(start), col(row.moved_at) < moment(end), col(row.inside).is_not(None)
    )
    steps: list[Step] = []
    halves, half = (set[str](), set[str]()), moment(noon)
    for at, member, inside in session.connection().execute(asked):
        who = member or ""
        steps.append((at, not inside, who, 1))
        if inside:
            halves[at >= half].add(who)
    for number, stay in enumerate(there):
        steps.append((moment(stay.since), False, f"stay {number}", stay.people))
        if stay.until is not None:
            steps.append((moment(stay.until), True, f"stay {number}", stay.people))
    parts = ((moment(start), Part.MORNING), (half, Part.AFTERNOON), (moment(noon + EVENING), Part.EVENING))
    return Moved((known.crowd(halves[0]), known.crowd(halves[1])), _most(parts, steps) if steps else {})


def _most(parts: Sequence[tuple[datetime, Part]], steps: Iterable[Step]) -> dict[Part, int]:
    """parts: when each begins. Whoever is inside when the day ends no longer is."""
    inside: dict[str, int] = {}
    found: dict[Part, int] = {}
    people, waiting = 0, list(reversed(parts))
    part = waiting[-1][1]
    for when, left, who, number in sorted(steps):
        while waiting and waiting[-1][0] <= when:
            begins, part = waiting.pop()
            found[part] = people if begins < when else 0
        people -= inside.pop(who, 0)
        if not left:
            inside[who] = number
            people += number
        if people > found[part]:
            found[part] = people
    return found | {one: people for _, one in waiting}
