"""Who is still inside when the last gardien goes, and when does their second tap close the place? (docs/rules.md)"""

from collections.abc import Iterator

from msgspec.structs import replace

from policy.case import Case, Decision, Mark
from policy.reasons import Reason
from policy.ruleset import Ground, RuleSet
from policy.spans import covers
from policy.state import SiteState, holders, is_staffed
from policy.terms import Instant

CLOSES_FROM = 4
"""The form of the rules (policy/ruleset.py, SPEAKS) from which on all who read a closing understand it."""


def leave(case: Case, *, second: bool) -> Decision:
    """A tap on the way out: granted, whatever the badge. Marked where the last gardien goes and somebody is left.

    second: the same badge, soon after a tap that was marked (policy/pairs.py): who is left then is out, too.
    """
    out = case.grant(Reason.EGRESS)
    if not (case.member.gardien and case.state.clock_trusted and case.rules.speaks >= CLOSES_FROM):
        return out
    if is_staffed(case.rules, case.at) or set(holders(case.rules, case.state, case.at)) - {case.who}:
        return out
    behind = left(case.rules, case.state, case.at, without=case.who)
    if second:
        return replace(out, closed=behind)
    theirs = held_or_was_on_shift(case.rules, case.state, case.who, case.at)
    return replace(out, marks=(Mark.LEFT_INSIDE,)) if behind and theirs else out


def left(rules: RuleSet, state: SiteState, at: Instant, *, without: str | None = None) -> tuple[str, ...]:
    """Who is inside and may not be once the place is neither staffed nor held: sorted member ids, no staff.

    without: who goes at this instant.
    """
    inside = state.presence.inside(rules.day_start(at)) - {without}
    return tuple(sorted(who for who in inside if who in rules.members and not _may_stay(rules, who, at)))


def _may_stay(rules: RuleSet, who: str, at: Instant) -> bool:
    """Staff, and of whom a ground holds anywhere that asks for neither staff hours nor a gardien."""
    member = rules.members[who]
    tier = rules.tiers[member.tier]
    invitations = rules.invitations.get(who)
    return (
        member.staff
        or Ground.ALWAYS in tier.grounds
        or (Ground.HOURS in tier.grounds and covers(tier.hours, at))
        or (invitations is not None and covers(invitations.anywhere, at))
        or covers(rules.events.anywhere, at)
    )


def held_or_was_on_shift(rules: RuleSet, state: SiteState, who: str, at: Instant) -> bool:
    """Whether the gardien holds the place until the instant, or a shift of theirs ended on this site day before it.

    Of the latter the role is enough, suspended or not.
    """
    day = rules.day_start(at)
    return who in holders(rules, state, at) or any(day <= end <= at for end in _ends(rules, state, who))


def _ends(rules: RuleSet, state: SiteState, who: str) -> Iterator[Instant]:
    """When the shifts of a gardien end, without grace: planned ones and those of two taps."""
    for _, end in (*rules.planned.get(who, ()), *state.adhoc.get(who, ())):
        yield end
