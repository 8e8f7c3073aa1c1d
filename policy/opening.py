"""Is the place open now, until when, and who holds it? What the page says first."""

from collections.abc import Mapping

from msgspec import Struct

from policy.door import staffed
from policy.presence import Moves, gardiens_inside, holders
from policy.ruleset import RuleSet
from policy.spans import Spans, end_of, last_end
from policy.terms import Instant


class Opening(Struct, frozen=True):
    """open: staffed or held. held_by: member ids, sorted.

    until: the end of the staff hours or of the shifts of gardiens who are inside, without grace: within a grace it is
    past. None when shut.
    """

    open: bool
    until: Instant | None = None
    held_by: tuple[str, ...] = ()
    staffed: bool = False


def opening(rules: RuleSet, shifts: Mapping[str, Spans], moves: Moves, at: Instant) -> Opening:
    """How open the place is at the instant. shifts: without lead and grace (policy/compile.py, shift_table)."""
    held_by, in_hours = tuple(sorted(holders(moves, rules, at))), staffed(rules, at)
    if not held_by and not in_hours:
        return Opening(open=False)
    inside = list(gardiens_inside(moves, rules, at))
    unbroken = _covered_until([rules.staffed, *(rules.shifts[member] for member in inside)], at)
    ends = [last_end(rules.staffed, unbroken), *(last_end(shifts.get(member, ()), unbroken) for member in inside)]
    until = max((end for end in ends if end is not None), default=None)
    return Opening(True, until, held_by, in_hours)


def _covered_until(covers: list[Spans], at: Instant) -> Instant:
    """The first instant from `at` on that none of them covers: one may take over from another."""
    while ends := [end for spans in covers if (end := end_of(spans, at)) is not None]:
        at = max(ends)
    return at
