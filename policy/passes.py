"""What is left on a member's passes, derived afresh from all units paid?"""

from itertools import chain

from policy.ruleset import Pass, RuleSet, Unit
from policy.state import SiteState
from policy.terms import Instant
from policy.units import DATE, covers, name_at, named, unit_of


def unit_now(rules: RuleSet, member: str, at: Instant) -> str | None:
    """The day or half-day that an entry at the instant pays for; None when the member's tier needs no pass."""
    unit = _unit(rules, member)
    return None if unit is None else name_at(rules, unit, at)


def is_paid(rules: RuleSet, state: SiteState, member: str, name: str) -> bool:
    """Whether the day or half-day is paid already, by itself or as half of a day."""
    used = chain(*(held.used for held in rules.passes.get(member, ())), rules.paid.get(member, ()))
    told = chain(used, state.units.get(member, ()))
    return any(covers(named(rules, unit_of(name), paid), name) for paid in told)


def left(rules: RuleSet, state: SiteState, member: str, at: Instant) -> int:
    """The units left on the passes that are valid on the site day of the instant.

    Each unit paid is taken from the first pass, in the order given, that is valid on its day and has one left; days
    from passes of days, half-days from passes of half-days.
    """
    unit = _unit(rules, member)
    if unit is None:
        return 0
    passes = rules.passes.get(member, ())
    used = [{named(rules, unit, paid) for paid in held.used} for held in passes]
    remaining = [held.total - len(names) for held, names in zip(passes, used, strict=True)]
    told = {named(rules, unit, paid) for paid in state.units.get(member, ())}
    for name in sorted(told.difference(*used)):
        for position, held in enumerate(passes):
            if unit_of(name) is unit and _is_valid(rules, held, name[:DATE]) and remaining[position] > 0:
                remaining[position] -= 1
                break
    today = name_at(rules, Unit.DAY, at)
    return sum(max(0, rest) for held, rest in zip(passes, remaining, strict=True) if _is_valid(rules, held, today))


def _unit(rules: RuleSet, member: str) -> Unit | None:
    return rules.tiers[rules.members[member].tier].unit


def _is_valid(rules: RuleSet, held: Pass, day: str) -> bool:
    """Whether the pass is valid on the site day of this date."""
    if held.valid_from is not None and day < held.valid_from:
        return False
    if isinstance(held.valid_until, str):
        return day <= held.valid_until
    return held.valid_until is None or day < named(rules, Unit.DAY, held.valid_until)
