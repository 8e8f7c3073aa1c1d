"""Random small sites, what is known of them in a random week, and taps, for laws that hold always."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from policy import door, machine
from policy.case import Decision, Tap
from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, apply
from policy.ruleset import RuleSet
from policy.sessions import Session
from policy.state import SiteState
from policy.terms import DAY, HOUR, MINUTE, Instant
from tests.support_policy import at, badge, compiled, read

MONDAY = date(2026, 11, 23)
START = at("2026-11-23T00:00")
NAMES = [f"m{number}" for number in range(5)]
UIDS = [f"04{number:06x}" for number in range(6)]
"""More than there are members: the last is nobody's."""
MACHINES = {"laser": "laser", "prusa": "printer", "voron": "printer"}
DOORS = ("front", "back")

hour = st.integers(0, 23).map("{:02}:00".format)
day = st.integers(0, 6).map(lambda number: str(MONDAY + timedelta(days=number)))
maybe_day = st.none() | day
ranges = st.lists(st.tuples(hour, hour), max_size=2)
week = st.dictionaries(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), ranges, max_size=5)
quarter = st.integers(0, 7 * 24 * 4 - 1).map(lambda number: START + number * 15 * MINUTE)
name = st.sampled_from(NAMES)
often = st.sampled_from([True, True, True, False])


@dataclass(frozen=True)
class Knowledge:
    """What an edge knows besides the rules, as it can be told again at another time."""

    facts: tuple[Fact, ...]
    stopped: frozenset[str]
    lockdown: bool
    clock_trusted: bool
    link_up: bool
    not_after: Instant

    def state(self, by: Instant = 0) -> SiteState:
        """The same, `by` later."""
        state = SiteState(
            not_after=self.not_after + by,
            clock_trusted=self.clock_trusted,
            link_up=self.link_up,
            lockdown=self.lockdown,
            stopped=set(self.stopped),
        )
        for fact in self.facts:
            apply(state, later(fact, by))
        return state

    def but(self, **changes: Any) -> "Knowledge":
        return replace(self, **changes)


def later(fact: Fact, by: Instant) -> Fact:
    """The same fact at another time."""
    match fact:
        case Moved(member, when, inside):
            return Moved(member, when + by, inside)
        case Paid(member, unit):
            return Paid(member, unit + by)
        case Opened(member, start, end):
            return Opened(member, start + by, end + by)
        case Busy(place, member, when):
            return Busy(place, member, when + by)
        case Ran(one):
            until, end = (None if moment is None else moment + by for moment in (one.until, one.end))
            return Ran(Session(one.machine, one.kind, one.member, one.start + by, until, one.cuts, end))
    raise AssertionError(fact)


@st.composite
def _run(draw: st.DrawFn) -> Ran:
    place, start = draw(st.sampled_from(sorted(MACHINES))), draw(quarter)
    length = st.none() | st.integers(0, 40).map(lambda quarters: start + quarters * 15 * MINUTE)
    return Ran(Session(place, MACHINES[place], draw(name), start, draw(length), place == "laser", draw(length)))


UNITS = [START + number * DAY + hours * HOUR for number in range(7) for hours in (4, 13)]
facts = st.lists(
    st.one_of(
        st.builds(Moved, name, quarter, often),
        st.builds(Paid, name, st.sampled_from(UNITS)),
        st.tuples(name, quarter).map(lambda made: Opened(made[0], made[1], made[1] + 2 * HOUR)),
        st.builds(Busy, st.sampled_from(sorted(MACHINES)), name, quarter),
        _run(),
    ),
    max_size=14,
)
knowledge = st.builds(
    Knowledge,
    facts.map(tuple),
    st.frozensets(st.sampled_from(sorted(MACHINES)), max_size=1),
    st.sampled_from([False, False, False, True]),
    often,
    often,
    st.sampled_from([START + 21 * DAY, START + 21 * DAY, START + 3 * DAY]),
)


@st.composite
def sites(draw: st.DrawFn) -> dict[str, Any]:
    """A week of a random small site, as a bundle."""
    chosen = {
        "capacity": draw(st.none() | st.integers(1, 4)),
        "at_capacity": draw(st.sampled_from(["warn", "deny"])),
        "anti_passback": draw(st.sampled_from(["off", "soft", "hard"])),
        "adhoc_hours": draw(st.sampled_from([0, 2])),
    }
    return {
        "format": "loquet.bundle/1",
        "site": {"id": "s", "name": "S", "timezone": "Europe/Paris", "staff_hours": draw(week), **chosen},
        "access_points": [{"id": one, "readers": {"in": f"{one}-in", "out": f"{one}-out"}} for one in DOORS],
        "tiers": [draw(_tier(number)) for number in range(3)],
        "members": [draw(_member(one)) for one in NAMES],
        "credentials": [draw(_credential(uid, who)) for uid, who in zip(UIDS, NAMES, strict=False)],
        "passes": [draw(_pass(who)) for who in NAMES if draw(often)],
        "shifts": [{"id": f"s{number}", "gardien": draw(name), **draw(_times)} for number in range(draw(_few))],
        "events": [draw(_event(number)) for number in range(draw(st.integers(0, 1)))],
        "invitations": [
            {"id": f"i{number}", "member": draw(name), **draw(_times)} for number in range(draw(st.integers(0, 1)))
        ],
        "machines": [draw(_machine(one)) for one in MACHINES],
        "certifications": [
            {"member": who, "kind": kind, "until": draw(maybe_day)}
            for who in NAMES
            for kind in ("laser", "printer")
            if draw(often)
        ],
        "quotas": [{"kind": "printer", "minutes": draw(st.integers(0, 600)), "period": "week"}],
        "bookings": [{"id": f"b{one}", "machine": one, "member": draw(name), **draw(_times)} for one in MACHINES],
    }


_few = st.integers(0, 2)
_times = st.tuples(day, hour).map(lambda start: {"start": f"{start[0]}T{start[1]}", "end": "2026-11-30T23:30"})


@st.composite
def _tier(draw: st.DrawFn, number: int) -> dict[str, Any]:
    grounds = draw(st.lists(st.sampled_from(["always", "hours", "staffed", "held"]), max_size=3))
    tier = {"id": f"t{number}", "grounds": grounds, "hours": draw(week)}
    if number == 0:
        tier["access_points"] = draw(st.lists(st.sampled_from(DOORS), max_size=1))
    return {**tier, "pass": draw(st.sampled_from(["none", "none", "day", "half_day"]))}


@st.composite
def _member(draw: st.DrawFn, who: str) -> dict[str, Any]:
    return {
        "id": who,
        "name": who,
        "tier": draw(st.sampled_from(["t0", "t1", "t1", "t2", "t2"])),
        "roles": draw(st.sampled_from([[], [], ["staff"], ["gardien"], ["fab_manager"], ["gardien", "staff"]])),
        "status": "active" if draw(often) else "suspended",
        "valid_from": None if draw(often) else draw(day),
        "valid_until": None if draw(often) else draw(day),
    }


@st.composite
def _credential(draw: st.DrawFn, uid: str, who: str) -> dict[str, Any]:
    status = draw(st.sampled_from(["active"] * 5 + ["lost", "stolen", "returned"]))
    return {"uid": uid, "member": who, "status": status, "valid_until": None if draw(often) else draw(day)}


@st.composite
def _pass(draw: st.DrawFn, who: str) -> dict[str, Any]:
    unit = draw(st.sampled_from(["day", "half_day"]))
    used = [draw(day) + ("" if unit == "day" else "am")] if draw(st.booleans()) else []
    held = {"id": f"p{who}", "member": who, "unit": unit, "total": draw(st.integers(0, 4)), "used": used}
    return {**held, "valid_until": draw(maybe_day)}


@st.composite
def _event(draw: st.DrawFn, number: int) -> dict[str, Any]:
    times, free = draw(_times), draw(st.booleans())
    return {"id": f"e{number}", "title": "E", "audience": "members", "free": free, **times}


@st.composite
def _machine(draw: st.DrawFn, one: str) -> dict[str, Any]:
    return {
        "id": one,
        "kind": MACHINES[one],
        "reader": f"{one}-reader",
        "hours": {} if draw(st.booleans()) else draw(week),
        "min_people": draw(st.sampled_from([0, 0, 1, 2])),
        "on_end": "cut" if one == "laser" else "warn",
        "locked_out": None if draw(often) else {"by": "A", "why": "B"},
    }


READERS = [f"{one}-in" for one in DOORS] + [f"{one}-reader" for one in MACHINES]
OUT = [f"{one}-out" for one in DOORS]


def rules_of(site: dict[str, Any], by: Instant = 0) -> RuleSet:
    return compiled(read(site), START + by, days=9)


def decide(rules: RuleSet, state: SiteState, reader: str, uid: str, when: Instant, second: bool = False) -> Decision:
    one = machine if rules.readers[reader].direction is None else door
    return one.decide(rules, state, Tap(reader, badge(uid), second), when)
