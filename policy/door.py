"""May this badge pass this door now? The table of docs/rules.md, line by line; the first line that applies decides.

Not decided yet, and refused in a bundle by name: lockdown, anti-passback, tier hours, invitations, events, capacity,
ad hoc opening. Passes are carried but not counted (policy/undecided.py).
"""

from collections.abc import Callable

from msgspec import Struct

from policy.presence import Moves, holders
from policy.reasons import Reason
from policy.ruleset import Credential, Ground, Member, Reader, RuleSet, Tier
from policy.spans import covers
from policy.terms import Direction, Instant


class Tap(Struct, frozen=True):
    """A badge at a reader. credential: its keyed hash."""

    reader: str
    credential: str


class SiteState(Struct, frozen=True):
    """All that is not in the rules.

    moves: who went in and out last. not_after: the last instant for which the rules are confirmed.
    clock_trusted: whether the wall clock can be believed.
    """

    moves: Moves
    not_after: Instant
    clock_trusted: bool = True


class Decision(Struct, frozen=True):
    """member: whom the badge belongs to, None when nobody's.

    until: first instant at which the grant ends, None at doors.
    """

    granted: bool
    reason: Reason
    member: str | None = None
    until: Instant | None = None


class Case(Struct, frozen=True):
    """A tap with all that the lines ask about it, looked up once."""

    rules: RuleSet
    state: SiteState
    at: Instant
    reader: Reader
    credential: Credential
    member: Member
    tier: Tier

    def grant(self, reason: Reason) -> Decision:
        return Decision(True, reason, self.credential.member)

    def deny(self, reason: Reason) -> Decision:
        return Decision(False, reason, self.credential.member)


Line = Callable[[Case], Decision | None]


def credential_blocked(case: Case) -> Decision | None:
    """Line 4: lost, stolen, returned or past its last day."""
    past = case.credential.valid_until is not None and case.at >= case.credential.valid_until
    return case.deny(Reason.CREDENTIAL_BLOCKED) if case.credential.blocked or past else None


def member_suspended(case: Case) -> Decision | None:
    """Line 5."""
    return case.deny(Reason.MEMBER_SUSPENDED) if case.member.suspended else None


def membership_not_valid(case: Case) -> Decision | None:
    """Line 6: the site day is before the first day of the membership or after its last."""
    first, end = case.member.valid_from, case.member.valid_until
    if (first is not None and case.at < first) or (end is not None and case.at >= end):
        return case.deny(Reason.MEMBERSHIP_NOT_VALID)
    return None


def not_allowed_here(case: Case) -> Decision | None:
    """Line 7: the access point is not one of the tier's."""
    allowed = case.tier.access_points
    return (
        case.deny(Reason.NOT_ALLOWED_HERE) if allowed is not None and case.reader.access_point not in allowed else None
    )


def rules_stale(case: Case) -> Decision | None:
    """Between 7 and 8: rules confirmed too long ago. Staff and gardiens pass this line."""
    if case.at <= case.state.not_after or case.member.staff or case.member.gardien:
        return None
    return case.deny(Reason.RULES_STALE)


def clock_untrusted(case: Case) -> Decision | None:
    """Between 7 and 8, after staleness: nothing that hangs on the hour can be asked."""
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


def own_shift(case: Case) -> Decision | None:
    """Line 10: the member is a gardien and a shift of theirs covers the instant."""
    if case.member.gardien and covers(case.rules.shifts.get(case.credential.member, ()), case.at):
        return case.grant(Reason.OWN_SHIFT)
    return None


def ground(case: Case) -> Decision:
    """Lines 11 and 14: the first ground that holds, in the order of the table; none is `outside_hours`."""
    for wanted, reason, holds in GROUNDS:
        if wanted in case.tier.grounds and holds(case):
            return case.grant(reason)
    return case.deny(Reason.OUTSIDE_HOURS)


def staffed(rules: RuleSet, at: Instant) -> bool:
    """Whether the instant is inside staff hours."""
    return covers(rules.staffed, at)


def held(rules: RuleSet, moves: Moves, at: Instant) -> bool:
    """Whether a gardien whose shift covers the instant is inside."""
    return any(True for _ in holders(moves, rules, at))


GROUNDS: tuple[tuple[Ground, Reason, Callable[[Case], bool]], ...] = (
    (Ground.ALWAYS, Reason.ALWAYS, lambda case: True),
    (Ground.STAFFED, Reason.STAFFED_HOURS, lambda case: staffed(case.rules, case.at)),
    (Ground.HELD, Reason.GARDIEN_PRESENT, lambda case: held(case.rules, case.state.moves, case.at)),
)

LINES: tuple[Line, ...] = (
    credential_blocked,
    member_suspended,
    membership_not_valid,
    not_allowed_here,
    rules_stale,
    clock_untrusted,
    staff,
    own_shift,
    ground,
)


def decide(rules: RuleSet, state: SiteState, tap: Tap, at: Instant) -> Decision:
    """Decide one tap at a door.

    at: the instant of the tap; while the clock is not trusted, the last trusted instant. Raises KeyError for a reader
    that the rules do not know: the edge keeps such rules out.
    """
    reader = rules.readers[tap.reader]
    credential = rules.credentials.get(tap.credential)
    if reader.direction is Direction.OUT:
        return Decision(True, Reason.EGRESS, credential.member if credential else None)
    if credential is None:
        return Decision(False, Reason.UNKNOWN_CREDENTIAL)
    member = rules.members[credential.member]
    case = Case(rules, state, at, reader, credential, member, rules.tiers[member.tier])
    return next(decision for line in LINES if (decision := line(case)))


def decide_without_rules(direction: Direction) -> Decision:
    """Decide on a new device: out is out, `in` waits for rules."""
    if direction is Direction.OUT:
        return Decision(True, Reason.EGRESS)
    return Decision(False, Reason.RULES_STALE)
