"""How much of a machine quota is left, and when will it be used up?"""

from bisect import bisect_right

from policy.ruleset import Period, RuleSet
from policy.state import SiteState
from policy.terms import DAY, SECOND, Instant

PERIODS_AHEAD = 60
"""A session that outlasts so many fresh quotas has no end by quota."""


def period(rules: RuleSet, kind: Period, at: Instant) -> tuple[Instant, Instant]:
    """The week or month that holds the instant, [start, end). Past the compiled ones: seven or thirty days each."""
    starts, length = (rules.weeks, 7 * DAY) if kind is Period.WEEK else (rules.months, 30 * DAY)
    position = bisect_right(starts, at)
    if 0 < position < len(starts):
        return starts[position - 1], starts[position]
    known = starts[-1] if position else starts[0]
    start = known + (at - known) // length * length
    return start, start + length


def left(rules: RuleSet, state: SiteState, member: str, kind: str, at: Instant) -> int | None:
    """Whole seconds left for the member on machines of the kind in the period of the instant; None without a quota."""
    quota = rules.quotas.get(kind)
    if quota is None:
        return None
    start, _ = period(rules, quota.period, at)
    used = sum(session.seconds(start, at) for session in state.sessions.of_member(member, kind))
    return max(0, quota.seconds - used)


def used_up(
    rules: RuleSet, state: SiteState, member: str, kind: str, at: Instant, *, begins: bool = True
) -> Instant | None:
    """When the quota is used up by a session that begins now, or (begins false) by one that runs; None for never.

    With n sessions of the member running on the kind, this one included, each uses 1/n of it, in whole seconds rounded
    down. A new period brings a fresh quota.
    """
    rest, quota = left(rules, state, member, kind, at), rules.quotas.get(kind)
    if rest is None or quota is None:
        return None
    share = max(1, begins + sum(session.runs(at) for session in state.sessions.of_member(member, kind)))
    for _ in range(PERIODS_AHEAD):
        _, end = period(rules, quota.period, at)
        moment = at + rest // share * SECOND
        if moment < end:
            return moment
        at, rest = end, quota.seconds
    return None
