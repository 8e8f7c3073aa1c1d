"""What is left on a member's passes, derived afresh from all units paid?"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import NamedTuple

from msgspec.structs import replace

from policy.ruleset import Pass, RuleSet, Unit
from policy.state import SiteState
from policy.terms import Instant
from policy.units import DATE, covers, name_at, named, unit_of

LOW = (3, 1)
"""Units left of which the holder of a carnet is told."""
ENDS_SOON = timedelta(14)
"""How long before its last day, too."""


def unit_now(rules: RuleSet, member: str, at: Instant) -> str | None:
    """The day or half-day that an entry at the instant pays for; None when the member's tier needs no pass."""
    unit = unit_needed(rules, member)
    return None if unit is None else name_at(rules, unit, at)


def is_paid(rules: RuleSet, state: SiteState, member: str, name: str) -> bool:
    """Whether the day or half-day is paid already, by itself or as half of a day."""
    used = chain(*(held.used for held in rules.passes.get(member, ())), rules.paid.get(member, ()))
    told = chain(used, state.units.get(member, ()))
    return any(covers(named(rules, unit_of(name), paid), name) for paid in told)


def left(rules: RuleSet, state: SiteState, member: str, at: Instant) -> int:
    """The units left on the passes that are valid on the site day of the instant."""
    return sum(units for _, units in _valid_now(rules, state, member, at))


def runs_low(rules: RuleSet, state: SiteState, member: str, at: Instant) -> bool:
    """Whether an entry that pays a unit now leaves so few, or the last pass ends so soon, that its holder is told."""
    low = low_of(list(rests(rules, state, member)), date.fromisoformat(name_at(rules, Unit.DAY, at)), paying=1)
    return low != Low()


class Low(NamedTuple):
    """Of what the holder of passes is told. units: the few left; until: the last day of all of them."""

    units: int | None = None
    until: date | None = None


def low_of(passes: Sequence[tuple[Pass, int]], today: date, paying: int = 0) -> Low:
    """What runs out soon, and is followed by no other pass.

    passes: in form 2, with the units left on each. paying: units that are taken now.
    """
    valid = [(held, rest) for held, rest in passes if is_valid(held, today.isoformat())]
    later = [one for one in passes if one not in valid]
    units = sum(rest for _, rest in valid) - paying
    ends = [held.valid_until for held, rest in valid if rest]
    until = date.fromisoformat(max(str(last) for last in ends)) if ends and all(ends) else None
    few = units in LOW and not follows(later, today)
    soon = until is not None and until < today + ENDS_SOON and not follows(later, until)
    return Low(units if few else None, until if soon else None)


def follows(passes: Iterable[tuple[Pass, int]], last: date) -> bool:
    """Whether one of them pays on the day after `last`. passes: in form 2, with the units left on each."""
    after = (last + timedelta(1)).isoformat()
    return any(rest > 0 and is_valid(held, after) for held, rest in passes)


def _valid_now(rules: RuleSet, state: SiteState, member: str, at: Instant) -> Iterator[tuple[Pass, int]]:
    """The passes, in form 2, that are valid on the site day of the instant, and what is left on each."""
    today = name_at(rules, Unit.DAY, at)
    return ((held, rest) for held, rest in rests(rules, state, member) if is_valid(held, today))


def rests(rules: RuleSet, state: SiteState, member: str) -> Iterator[tuple[Pass, int]]:
    """All passes of the member, in form 2, and what is left on each."""
    unit = unit_needed(rules, member)
    if unit is None:
        return
    passes = [_dated(rules, unit, held) for held in rules.passes.get(member, ())]
    told = {named(rules, unit, paid) for paid in state.units.get(member, ())}
    for held, paid in zip(passes, charged(passes, unit, told), strict=True):
        yield held, max(0, held.total - len(paid))


def charged(passes: Sequence[Pass], unit: Unit, told: Iterable[str]) -> list[set[str]]:
    """The days or half-days that each pass of a member pays, of those told, and those that it says itself.

    Each one told is taken from the first pass, in the order given, that is valid on its day and has one left; days
    from passes of days, half-days from passes of half-days. passes: of this unit, in form 2.
    """
    found = [{str(paid) for paid in held.used} for held in passes]
    for name in sorted({name for name in told if unit_of(name) is unit}.difference(*found)):
        for held, paid in zip(passes, found, strict=True):
            if is_valid(held, name[:DATE]) and len(paid) < held.total:
                paid.add(name)
                break
    return found


def is_valid(held: Pass, day: str) -> bool:
    """Whether a pass in form 2 is valid on the site day of this date."""
    first, last = held.valid_from, held.valid_until
    return (first is None or first <= day) and (last is None or day <= str(last))


def unit_needed(rules: RuleSet, member: str) -> Unit | None:
    """Of which an entry takes one from a pass; None when the member's tier needs no pass."""
    return rules.tiers[rules.members[member].tier].unit


def _dated(rules: RuleSet, unit: Unit, held: Pass) -> Pass:
    """A pass in form 2, by names alone."""
    if rules.speaks > 1:
        return held
    last = held.valid_until
    if isinstance(last, int):
        last = (date.fromisoformat(named(rules, Unit.DAY, last)) - timedelta(1)).isoformat()
    return replace(held, used=tuple(named(rules, unit, paid) for paid in held.used), valid_until=last)
