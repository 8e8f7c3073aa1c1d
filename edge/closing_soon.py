"""Does the place shut in a quarter of an hour, with nobody to take over? Said once at each door, link or no link."""

from edge.core import Core, Now
from policy.closing import CLOSES_FROM
from policy.opening import opening
from policy.ruleset import RuleSet
from policy.spans import next_change
from policy.terms import MINUTE, ClockState, Instant

SOON: Instant = 15 * MINUTE


class ClosingSoon:
    """Belongs to the thread that steps the controllers. What it reckoned holds until rules, state or an hour change."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._rules: RuleSet | None = None
        self._revision = -1
        self._ask: Instant | None = None
        self._end: Instant | None = None
        self._said: Instant | None = None
        self._begun = False

    def is_due(self, now: Now) -> bool:
        """Whether to say it now; true once for each end, and not for one that was near when the edge started."""
        held = self._core.held
        if held is None or held.rules.speaks < CLOSES_FROM or now.clock is ClockState.UNKNOWN:
            self._ask = None
            return False
        self._reckon(held.rules, now.at)
        end, begun = self._end, self._begun
        self._begun = True
        if end is None or end == self._said or now.at < end - SOON:
            return False
        self._said = end
        return begun

    def deadline(self, now: Now) -> float | None:
        """Monotonic seconds at which to ask again."""
        return None if self._ask is None else self._core.mono_of(now, self._ask)

    def _reckon(self, rules: RuleSet, at: Instant) -> None:
        revision = self._core.knowledge.revision
        if rules is self._rules and revision == self._revision and (self._ask is None or at < self._ask):
            return
        self._rules, self._revision = rules, revision
        now = opening(rules, rules.planned_shifts, self._core.state, at)
        self._end = now.until if now.until is not None and now.until > at and not now.relays else None
        changes = [next_change(times, at) for times in (rules.staffed, *rules.shifts.values())]
        soon = None if self._end is None or self._end - SOON <= at else self._end - SOON
        self._ask = min((one for one in (soon, *changes) if one is not None), default=None)
