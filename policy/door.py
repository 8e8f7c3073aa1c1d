"""May this badge pass this door now? The table of docs/rules.md, line by line; the first line that applies decides."""

from msgspec.structs import replace

from policy.badge import LINES as BADGE_LINES
from policy.case import Case, Decision, Line, Mark, Table, Tap, case_of, first_of
from policy.closing import leave
from policy.passes import is_paid, left, unit_now
from policy.reasons import Reason
from policy.ruleset import AntiPassback, Ground, RuleSet
from policy.spans import covers
from policy.state import SiteState, is_held, is_staffed, on_shift
from policy.terms import Direction, Instant

NEEDS_NO_PASS = (Reason.INVITED, Reason.EVENT)


def not_allowed_here(case: Case) -> Decision | None:
    """Line 7: the access point is not one of the tier's."""
    allowed = case.tier.access_points
    return case.deny(Reason.NOT_ALLOWED_HERE) if allowed is not None and case.place not in allowed else None


def rules_stale(case: Case) -> Decision | None:
    """After line 7: rules confirmed too long ago. Staff and gardiens pass this line."""
    if case.at <= case.state.not_after or case.member.staff or case.member.gardien:
        return None
    return case.deny(Reason.RULES_STALE)


def clock_untrusted(case: Case) -> Decision | None:
    """After staleness: without a trusted clock nothing that hangs on the hour can be asked."""
    if case.state.clock_trusted:
        return None
    if case.member.staff:
        return case.grant(Reason.STAFF)
    if case.member.gardien:
        return case.grant(Reason.GARDIEN_GRACE)
    if Ground.ALWAYS in case.tier.grounds:
        return case.grant(Reason.ALWAYS)
    return case.deny(Reason.CLOCK_UNTRUSTED)


def staff(case: Case) -> Decision | None:
    """Line 8."""
    return case.grant(Reason.STAFF) if case.member.staff else None


def already_inside(case: Case) -> Decision | None:
    """Line 9: hard anti-passback, as long as the edge hears of the others. A tap that opens the place is let by."""
    hard = case.rules.anti_passback is AntiPassback.HARD and case.state.link_up
    if hard and case.adhoc is None and case.is_inside:
        return case.deny(Reason.ALREADY_INSIDE)
    return None


def own_shift(case: Case) -> Decision | None:
    """Line 10: the member is a gardien and a shift of theirs covers the instant."""
    if case.member.gardien and (case.adhoc or on_shift(case.rules, case.state, case.who, case.at)):
        return case.grant(Reason.OWN_SHIFT)
    return None


def outside_hours(case: Case) -> Decision | None:
    """Line 11: no ground of the tier holds, no invitation and no event."""
    return case.deny(Reason.OUTSIDE_HOURS) if case.ground is None else None


def pass_exhausted(case: Case) -> Decision | None:
    """Line 12: the entry would cost a unit and nothing is left."""
    if to_pay(case) is None or left(case.rules, case.state, case.who, case.at) > 0:
        return None
    return case.deny(Reason.PASS_EXHAUSTED)


def site_full(case: Case) -> Decision | None:
    """Line 13."""
    return case.deny(Reason.SITE_FULL) if case.rules.full_denies and one_too_many(case) else None


def granted(case: Case) -> Decision | None:
    """Line 14: the first ground that holds."""
    return Decision(True, case.ground, case.who, pays=to_pay(case)) if case.ground else None


def to_pay(case: Case) -> str | None:
    """The day or half-day for which the entry must pay; None when it costs nothing or is paid."""
    if case.ground in NEEDS_NO_PASS or covers(case.rules.free_events.at.get(case.place, ()), case.at):
        return None
    unit = unit_now(case.rules, case.who, case.at)
    return None if unit is None or is_paid(case.rules, case.state, case.who, unit) else unit


def one_too_many(case: Case) -> bool:
    """Whether as many members are inside as the capacity, and this one is not."""
    capacity = case.rules.capacity
    return capacity is not None and len(case.inside) >= capacity and not case.is_inside


FIRST_LINES: Table = (*BADGE_LINES, Line("7", not_allowed_here))
LINES: Table = (
    *FIRST_LINES,
    Line("7a", rules_stale),
    Line("7b", clock_untrusted),
    Line("8", staff),
    Line("9", already_inside),
    Line("10", own_shift),
    Line("11", outside_hours),
    Line("12", pass_exhausted),
    Line("13", site_full),
    Line("14", granted),
)


def decide(rules: RuleSet, state: SiteState, tap: Tap, at: Instant) -> Decision:
    """Decide one tap at a door.

    at: the instant of the tap; while the clock is not trusted, the last trusted instant. Raises KeyError for a reader
    that the rules do not know: the edge keeps such rules out.
    """
    reader = rules.readers[tap.reader]
    case = case_of(rules, state, tap, reader, at)
    if reader.direction is Direction.OUT:
        return leave(case, second=tap.second)
    if tap.second and opens_adhoc(case):
        case.adhoc = (at, at + rules.adhoc)
    decision = first_of(LINES, case)
    if not decision.granted or not state.clock_trusted:
        return decision
    marks = marks_of(case)
    return replace(decision, marks=marks, adhoc=case.adhoc) if marks or case.adhoc else decision


def decide_without_rules(direction: Direction | None) -> Decision:
    """Decide on a new device: out is out, everything else waits for rules."""
    if direction is Direction.OUT:
        return Decision(True, Reason.EGRESS)
    return Decision(False, Reason.RULES_STALE)


def opens_adhoc(case: Case) -> bool:
    """Whether this second tap makes a shift: a gardien with a good badge, at a place that nobody holds."""
    rules, state, at = case.rules, case.state, case.at
    return (
        rules.adhoc > 0
        and case.member.gardien
        and state.clock_trusted
        and all(line.applies(case) is None for line in FIRST_LINES)
        and not on_shift(rules, state, case.who, at)
        and not is_staffed(rules, at)
        and not is_held(rules, state, at)
    )


def marks_of(case: Case) -> tuple[Mark, ...]:
    """What a granted entry is remembered for."""
    kind = case.rules.anti_passback
    lax = kind is AntiPassback.SOFT or (kind is AntiPassback.HARD and not case.state.link_up)
    marks = [Mark.PASSBACK] if lax and case.is_inside else []
    if not case.rules.full_denies and one_too_many(case):
        marks.append(Mark.OVER_CAPACITY)
    return tuple(marks)


def unlocked_for_public(rules: RuleSet, state: SiteState, place: str, at: Instant) -> bool:
    """Whether a public event holds the access point unlocked: somebody of the staff or a gardien must be inside."""
    if state.lockdown or not state.clock_trusted or at > state.not_after:
        return False
    if not covers(rules.public_events.at.get(place, ()), at):
        return False
    return is_answered_for(rules, state, at)


def is_answered_for(rules: RuleSet, state: SiteState, at: Instant) -> bool:
    """Whether somebody of the staff or an active gardien is inside."""
    return any(_answers_for(rules, who) for who in state.presence.inside(rules.day_start(at)))


def _answers_for(rules: RuleSet, who: str) -> bool:
    member = rules.members.get(who)
    return member is not None and (member.staff or (member.gardien and not member.suspended))
