"""What is left on a member's passes, derived afresh from all units paid?"""

from policy.ruleset import RuleSet, Unit
from policy.state import SiteState
from policy.terms import Instant


def unit_now(rules: RuleSet, member: str, at: Instant) -> Instant | None:
    """The day or half-day that an entry at the instant pays for; None when the member's tier needs no pass."""
    unit = rules.tiers[rules.members[member].tier].unit
    return None if unit is None else rules.unit_start(Unit(unit), at)


def is_paid(rules: RuleSet, state: SiteState, member: str, unit: Instant) -> bool:
    """Whether the day or half-day that starts then is paid already."""
    used = any(unit in held.used for held in rules.passes.get(member, ()))
    return used or unit in state.units.get(member, ())


def left(rules: RuleSet, state: SiteState, member: str, at: Instant) -> int:
    """The units left on the passes that are valid on the site day of the instant.

    Each unit paid is taken from the first pass, in the order given, that is valid on its day and has one left.
    """
    passes = rules.passes.get(member, ())
    remaining = [held.total - len(set(held.used)) for held in passes]
    recorded = {unit for held in passes for unit in held.used}
    for unit in sorted(state.units.get(member, set()) - recorded):
        for position, held in enumerate(passes):
            if _valid(held.valid_until, unit) and remaining[position] > 0:
                remaining[position] -= 1
                break
    day = rules.day_start(at)
    return sum(max(0, rest) for held, rest in zip(passes, remaining, strict=True) if _valid(held.valid_until, day))


def _valid(until: Instant | None, at: Instant) -> bool:
    return until is None or at < until
