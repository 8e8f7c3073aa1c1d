"""Is the place open now, until when, and who holds it? What the page says first."""

from collections.abc import Mapping

from msgspec import Struct

from policy.ruleset import RuleSet
from policy.spans import Spans, end_of, last_end, pairs, spans
from policy.state import SiteState, holders, is_staffed
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


def opening(rules: RuleSet, shifts: Mapping[str, Spans], state: SiteState, at: Instant) -> Opening:
    """How open the place is at the instant. shifts: without lead and grace (policy/compile.py, shift_table)."""
    held_by, in_hours = tuple(holders(rules, state, at)), is_staffed(rules, at)
    if not held_by and not in_hours:
        return Opening(open=False)
    inside = state.presence.inside(rules.day_start(at))
    gardiens = [who for who in (*rules.shifts, *state.adhoc) if who in inside and _active(rules, who)]
    covering = {who: _with_adhoc(rules.shifts.get(who, ()), rules, state, who) for who in gardiens}
    unbroken = _covered_until([rules.staffed, *covering.values()], at)
    bare = [spans([*pairs(shifts.get(who, ())), *state.adhoc.get(who, ())]) for who in gardiens]
    ends = [last_end(rules.staffed, unbroken), *(last_end(shift, unbroken) for shift in bare)]
    until = max((end for end in ends if end is not None), default=None)
    return Opening(True, until, held_by, in_hours)


def _active(rules: RuleSet, who: str) -> bool:
    member = rules.members.get(who)
    return member is not None and member.gardien and not member.suspended


def _with_adhoc(planned: Spans, rules: RuleSet, state: SiteState, who: str) -> Spans:
    """When a gardien's shifts cover, those made by two taps too, lead and grace included."""
    made = state.adhoc.get(who, ())
    if not made:
        return planned
    return spans([*pairs(planned), *((start - rules.shift_lead, end + rules.shift_grace) for start, end in made)])


def _covered_until(covers: list[Spans], at: Instant) -> Instant:
    """The first instant from `at` on that none of them covers: one may take over from another."""
    while ends := [end for times in covers if (end := end_of(times, at)) is not None]:
        at = max(ends)
    return at
