"""What does a tap mean under the rules? The tap with all that the lines of both tables ask about it, looked up once."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from policy.reasons import Reason
from policy.ruleset import Credential, Ground, Member, Reader, RuleSet, Tier
from policy.spans import covers
from policy.state import SiteState, is_held, is_staffed
from policy.terms import Instant


class Tap(Struct, frozen=True):
    """A badge at a reader. credential: its keyed hash.

    second: at a door, whether it makes a pair with a tap before (policy/pairs.py).
    """

    reader: str
    credential: str
    second: bool = False


class Mark(StrEnum):
    """What a grant is remembered for."""

    PASSBACK = "passback"
    OVER_CAPACITY = "over_capacity"
    LEFT_INSIDE = "left_inside"
    """The last gardien went, and somebody is left."""


class Decision(Struct, frozen=True, gc=False):
    """member: whom the badge belongs to, None when nobody's.

    until: first instant at which a machine's session should end, None for none and at doors. marks: see Mark.
    pays: the day or half-day that the grant pays for with one unit of a pass, by its name (policy/units.py).
    adhoc: the shift that the tap made, [start, end). closed: who is out with the gardien whose second tap closed the
    place; None where it was none.
    """

    granted: bool
    reason: Reason
    member: str | None = None
    until: Instant | None = None
    marks: tuple[Mark, ...] = ()
    pays: str | None = None
    adhoc: tuple[Instant, Instant] | None = None
    closed: tuple[str, ...] | None = None


NOBODY = Credential("")
NO_MEMBER = Member("")
NO_TIER = Tier(())


class Case(Struct, gc=False):
    """who: the member's id, empty for a badge that is nobody's. place: the access point or the machine.

    adhoc: the shift that this tap makes, if it makes one.
    """

    rules: RuleSet
    state: SiteState
    at: Instant
    place: str
    who: str
    credential: Credential
    member: Member
    tier: Tier
    adhoc: tuple[Instant, Instant] | None = None
    _ground: Reason | UnsetType | None = UNSET

    def grant(self, reason: Reason, until: Instant | None = None) -> Decision:
        return Decision(True, reason, self.who or None, until)

    def deny(self, reason: Reason) -> Decision:
        return Decision(False, reason, self.who or None)

    @property
    def inside(self) -> set[str]:
        """All who are inside."""
        return self.state.presence.inside(self.rules.day_start(self.at))

    @property
    def is_inside(self) -> bool:
        """Whether this member is."""
        return self.state.presence.holds(self.who, self.rules.day_start(self.at))

    @property
    def ground(self) -> Reason | None:
        """The first ground that holds, None when none does. Looked for once."""
        if self._ground is UNSET:
            self._ground = self._first_ground()
        return self._ground

    def _first_ground(self) -> Reason | None:
        for reason, holds in GROUNDS:
            if holds(self):
                return reason
        return None


def case_of(rules: RuleSet, state: SiteState, tap: Tap, reader: Reader, at: Instant) -> Case:
    """Look up whose badge it is and what belongs to it."""
    credential = rules.credentials.get(tap.credential, NOBODY)
    member = rules.members.get(credential.member, NO_MEMBER)
    tier = rules.tiers.get(member.tier, NO_TIER)
    return Case(rules, state, at, reader.access_point, credential.member, credential, member, tier)


def has_tier_ground(case: Case) -> bool:
    """Whether one of the tier's own grounds holds."""
    return any(holds(case) for _, holds in GROUNDS[:4])


def _invited(case: Case) -> bool:
    invitations = case.rules.invitations.get(case.who)
    return invitations is not None and covers(invitations.at.get(case.place, ()), case.at)


GROUNDS: tuple[tuple[Reason, Callable[[Case], bool]], ...] = (
    (Reason.ALWAYS, lambda case: Ground.ALWAYS in case.tier.grounds),
    (Reason.TIER_HOURS, lambda case: Ground.HOURS in case.tier.grounds and covers(case.tier.hours, case.at)),
    (Reason.STAFFED_HOURS, lambda case: Ground.STAFFED in case.tier.grounds and is_staffed(case.rules, case.at)),
    (
        Reason.GARDIEN_PRESENT,
        lambda case: Ground.HELD in case.tier.grounds and is_held(case.rules, case.state, case.at),
    ),
    (Reason.INVITED, _invited),
    (Reason.EVENT, lambda case: covers(case.rules.events.at.get(case.place, ()), case.at)),
)
"""In the order of line 14 of the door: the first four are a tier's own, the others need no tier."""


class Line(NamedTuple):
    """One line of a table of docs/rules.md: its number there, and what decides; None leaves it to the next line."""

    number: str
    applies: Callable[[Case], Decision | None]


Table: TypeAlias = tuple[Line, ...]


def first_of(table: Table, case: Case) -> Decision:
    """The decision of the first line that applies. The last line of a table always does."""
    for line in table:
        if (decision := line[1](case)) is not None:
            return decision
    raise AssertionError("the last line of a table decides")
