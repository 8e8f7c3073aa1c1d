"""How do the passes of a bundle become what an edge reckons by?"""

from datetime import date
from functools import lru_cache

from policy import ruleset
from policy.bundle import Bundle, Pass
from policy.calendar import Calendar
from policy.terms import Instant


def passes(bundle: Bundle) -> dict[str, tuple[ruleset.Pass, ...]]:
    """Of each member, in the order given, the passes whose unit is the tier's."""
    return _of_members(bundle, {held.id: compiled(held) for held in bundle.passes})


def compiled(held: Pass) -> ruleset.Pass:
    """A pass as a door reckons by it: what it gave back is paid by it, by a unit more for each."""
    used = tuple(sorted(_paid(held)))
    return ruleset.Pass(_total(held), used, _written(held.valid_until), _written(held.valid_from))


def _paid(held: Pass) -> set[str]:
    return {*held.used, *held.given_back}


def _total(held: Pass) -> int:
    return held.total + len(set(held.given_back))


def _written(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def days_paid(bundle: Bundle, since: date) -> dict[str, tuple[str, ...]]:
    """The days from `since` on that passes of days paid for members who now pay by the half-day."""
    wanted = _units(bundle)
    found: dict[str, set[str]] = {}
    for held in bundle.passes:
        if (held.unit, wanted[held.member]) == ("day", "half_day"):
            found.setdefault(held.member, set()).update(day for day in _paid(held) if day >= since.isoformat())
    return {member: tuple(sorted(days)) for member, days in found.items() if days}


def passes_of_form_1(bundle: Bundle, calendar: Calendar, today: date) -> dict[str, tuple[ruleset.Pass, ...]]:
    """The same in form 1 (policy/ruleset.py, SPEAKS): instants for days, and no pass that is not valid yet."""
    split = bundle.site.half_day_split
    told = {
        held.id: ruleset.Pass(
            _total(held),
            tuple(sorted({start_of(calendar, split, name) for name in _paid(held)})),
            calendar.day_end(held.valid_until) if held.valid_until else None,
        )
        for held in bundle.passes
        if held.valid_from is None or held.valid_from <= today
    }
    return _of_members(bundle, told)


@lru_cache(maxsize=1 << 16)
def start_of(calendar: Calendar, split: str, name: str) -> Instant:
    """The start of the day (2026-11-20) or half-day (2026-11-20am, 2026-11-20pm) of this name. split: HH:MM."""
    day = date.fromisoformat(name[:10])
    return calendar.half_day(day, split) if name.endswith("pm") else calendar.day_start(day)


def _of_members(bundle: Bundle, passes: dict[str, ruleset.Pass]) -> dict[str, tuple[ruleset.Pass, ...]]:
    wanted = _units(bundle)
    found: dict[str, tuple[ruleset.Pass, ...]] = {}
    for held in bundle.passes:
        if held.unit == wanted[held.member] and held.id in passes:
            found[held.member] = (*found.get(held.member, ()), passes[held.id])
    return found


def _units(bundle: Bundle) -> dict[str, str]:
    """What each member pays by: the unit of the tier."""
    units = {tier.id: tier.pass_ for tier in bundle.tiers}
    return {member.id: units[member.tier] for member in bundle.members}
