"""Who came on each site day, and how many were there at once? Of a day whose rows are known, reckoned once.

A large site has ten million moves in the days of which it keeps them, and *Chiffres* counts them all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from sqlmodel import Session, col, func, select

from policy.calendar import Calendar
from policy.instants import of
from policy.terms import HOUR, Instant
from server.database.driver_rows import driver_rows
from server.database.types import moment
from server.models import JournalRow
from server.queries.groups import Stay, stays
from server.queries.past import Past, past


class Part(StrEnum):
    """Of a day; the afternoon begins where half-days part, the evening at EVENING."""

    MORNING = "am"
    AFTERNOON = "pm"
    EVENING = "evening"


EVENING: Instant = 5 * HOUR
"""After the afternoon began, which the rota's evenings would else be part of."""
Step = tuple[Instant, int, str, bool]
"""When, how many people, who, and whether they came."""


@dataclass(frozen=True, slots=True)
class Moved:
    """halves: who came in, in the morning and later (see Past.crowd). most: the most who were there at one moment of
    each part, those without badges among them; empty where nobody moved."""

    halves: tuple[int, int]
    most: Mapping[Part, int]


@dataclass(slots=True)
class Tiers:
    """Who is of which tier, read once for all that is counted together."""

    _of: dict[str, str] | None = None
    _crowds: dict[str, int] = field(default_factory=dict)
    _known: Past | None = None

    def crowds(self, session: Session, known: Past) -> dict[str, int]:
        """Of each tier who is of it, former members too."""
        if self._of is None:
            self._of = dict(driver_rows(session, "SELECT id, tier FROM member"))
        if self._known is not known:
            found: dict[str, list[str]] = {}
            for member, tier in self._of.items():
                found.setdefault(tier, []).append(member)
            self._known, self._crowds = known, {tier: known.crowd(who) for tier, who in found.items()}
        return self._crowds


def by_day(
    session: Session, calendar: Calendar, split: str, first: date, last: date, until: Instant, tiers: Tiers
) -> tuple[dict[date, Moved], dict[str, int]]:
    """Each day from first to last, as far as until; and of each tier who is of it. split: HH:MM, between half-days."""
    newest = session.exec(select(func.max(JournalRow.moved_at))).one()
    foreseen = newest is not None and of(newest) >= until  # by a clock that is behind: what is later does not count yet
    with_stays: dict[date, list[Stay]] = {}
    for stay in stays(session, calendar.day_start(first), min(until, calendar.day_end(last) or until)):
        with_stays.setdefault(calendar.day_at(stay.since), []).append(stay)
    found: dict[date, Moved] = {}
    with past(session) as known:
        day = first
        while day <= last and (start := calendar.day_start(day)) < until:
            noon, end = calendar.half_day(day, split), calendar.day_end(day) or until
            end = min(end, until) if foreseen else end
            there = tuple(with_stays.get(day, ()))
            what = ("day", start, noon, end, there)
            found[day] = known.of(what, start, end, lambda: _moved(session, known, start, noon, end, there))  # noqa: B023 - it is called at once
            day += timedelta(1)
        return found, tiers.crowds(session, known)


def _moved(session: Session, known: Past, start: Instant, noon: Instant, end: Instant, there: Sequence[Stay]) -> Moved:
    row = JournalRow
    asked = select(row.moved_at, row.member, row.inside).where(
        col(row.moved_at) >= moment(start), col(row.moved_at) < moment(end), col(row.inside).is_not(None)
    )
    steps: list[Step] = []
    halves: tuple[set[str], set[str]] = (set(), set())
    for at, member, inside in session.exec(asked):
        when = start if at is None else of(at)
        steps.append((when, 1, member or "", bool(inside)))
        if inside:
            halves[when >= noon].add(member or "")
    for number, stay in enumerate(there):
        steps.append((stay.since, stay.people, f"stay {number}", True))
        if stay.until is not None:
            steps.append((stay.until, stay.people, f"stay {number}", False))
    most = _most({Part.MORNING: start, Part.AFTERNOON: noon, Part.EVENING: noon + EVENING}, steps) if steps else {}
    return Moved((known.crowd(halves[0]), known.crowd(halves[1])), most)


def _most(parts: Mapping[Part, Instant], steps: list[Step]) -> Counter[Part]:
    """parts: when each begins. Whoever is inside when the day ends no longer is."""
    inside: dict[str, int] = {}
    found, people = Counter[Part](), 0
    begins = {start: part for part, start in sorted(parts.items(), key=lambda one: one[1])}
    part = next(iter(begins.values()))
    for when, number, who, came in sorted([*steps, *((at, 0, "", False) for at in begins)], key=_in_order):
        people -= inside.pop(who, 0)
        if came:
            inside[who] = number
            people += number
        part = next((one for start, one in reversed(begins.items()) if start <= when), part)
        found[part] = max(found[part], people)
    return found


def _in_order(step: Step) -> tuple[Instant, bool]:
    """Of two at one instant whoever came is first."""
    return step[0], not step[3]
