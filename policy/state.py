"""What is not in the rules: who is inside, what was paid, what runs, what the edge knows of its own link and clock."""

from collections import defaultdict
from dataclasses import dataclass, field

from policy.presence import Presence
from policy.ruleset import Paid, RuleSet
from policy.sessions import Sessions
from policy.spans import covers
from policy.terms import Instant


@dataclass(slots=True)
class SiteState:
    """The site as one edge, or the server, knows it. `policy` reads it and never writes it.

    not_after: the last instant for which the rules are confirmed. units: the days or half-days that each member paid
    since the rules were made. adhoc: shifts without a rota, [start, end), lead and grace not included.
    busy: refusals `machine_busy` at each machine, (member, instant). stopped: machines under an emergency stop.
    pressed: those of this edge whose emergency stop reads pressed, or has not been read since the edge started.
    """

    presence: Presence = field(default_factory=Presence)
    not_after: Instant = 0
    clock_trusted: bool = True
    link_up: bool = True
    lockdown: bool = False
    units: dict[str, set[Paid]] = field(default_factory=lambda: defaultdict(set))
    adhoc: dict[str, set[tuple[Instant, Instant]]] = field(default_factory=lambda: defaultdict(set))
    sessions: Sessions = field(default_factory=Sessions)
    busy: dict[str, set[tuple[str, Instant]]] = field(default_factory=lambda: defaultdict(set))
    stopped: set[str] = field(default_factory=set)
    pressed: set[str] = field(default_factory=set)


def on_shift(rules: RuleSet, state: SiteState, member: str, at: Instant) -> bool:
    """Whether a shift of the gardien covers the instant, planned or ad hoc."""
    return covers(rules.shifts.get(member, ()), at) or any(
        start - rules.shift_lead <= at < end + rules.shift_grace for start, end in state.adhoc.get(member, ())
    )


def holders(rules: RuleSet, state: SiteState, at: Instant) -> list[str]:
    """The gardiens who hold the place: inside, active, with a shift that covers the instant. Sorted."""
    day, presence = rules.day_start(at), state.presence
    gardiens = {*rules.on_duty(at), *state.adhoc} if state.adhoc else rules.on_duty(at)
    return sorted(
        member
        for member in gardiens
        if presence.holds(member, day) and _active_gardien(rules, member) and on_shift(rules, state, member, at)
    )


def _active_gardien(rules: RuleSet, member: str) -> bool:
    known = rules.members.get(member)
    return known is not None and known.gardien and not known.suspended


def is_held(rules: RuleSet, state: SiteState, at: Instant) -> bool:
    """Whether somebody holds the place."""
    return bool(holders(rules, state, at))


def is_staffed(rules: RuleSet, at: Instant) -> bool:
    """Whether the instant is inside staff hours."""
    return covers(rules.staffed, at)
