"""How much of their time on each kind of machine has a member left, before it is used up? As the machine reckons it."""

from dataclasses import dataclass

from policy import quota
from policy.ruleset import Period
from policy.state import SiteState
from policy.terms import Instant
from server.queries.current import Current

LOW = 20
"""Percent: below it little is left."""


@dataclass(frozen=True, slots=True)
class Left:
    """seconds: of the whole quota. left: of them. resets: when the next period begins."""

    kind: str
    period: Period
    seconds: int
    left: int
    resets: Instant

    @property
    def used(self) -> int:
        return self.seconds - self.left

    @property
    def low(self) -> bool:
        return self.left * 100 < self.seconds * LOW


def quotas_of(current: Current, state: SiteState, member: str, at: Instant) -> list[Left]:
    """Of every kind that has one and of which the site has a machine, in the site's order. The team has none.

    state: with the sessions of the last month at least.
    """
    rules = current.rules
    known = rules.members.get(member)
    if known is None or known.staff:
        return []
    found = []
    for kind in dict.fromkeys(machine.kind for machine in current.bundle.machines):
        held, rest = rules.quotas.get(kind), quota.left(rules, state, member, kind, at)
        if held is not None and rest is not None:
            _, resets = quota.period(rules, held.period, at)
            found.append(Left(kind, held.period, held.seconds, rest, resets))
    return found
