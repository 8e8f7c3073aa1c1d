"""Random small sites, what is known of them in a random week, and taps, for laws that hold always."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from policy import door, instants, machine
from policy.case import Decision, Tap
from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, apply
from policy.ruleset import RuleSet
from policy.sessions import Session
from policy.state import SiteState
from policy.terms import DAY, HOUR, MINUTE, Instant
from tests.support_policy import at, badge, compiled, read

MONDAY = date(2026, 11, 23)
START, FIRST = at("2026-11-23T00:00"), date(2026, 11, 23)
NAMES = [f"m{number}" for number in range(5)]
UIDS = [f"04{number:06x}" for number in range(6)]
"""More than there are members: the last is nobody's."""
MACHINES = {"laser": "laser", "prusa": "printer", "voron": "printer"}
DOORS = ("front", "back")

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
quarter = st.integers(0, 3 * 24 * 4 - 1).map(lambda number: START + number * 15 * MINUTE)
name = st.sampled_from(NAMES)
seed = st.integers(0, 2**32 - 1)
"""Sites and states are drawn by a seed: quicker by far than to let hypothesis choose each of their hundred values."""


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
            return Paid(member, later_unit(str(unit), by))
        case Opened(member, start, end):
            return Opened(member, start + by, end + by)
        case Busy(place, member, when):
            return Busy(place, member, when + by)
        case Ran(one):
            until, end = (None if moment is None else moment + by for moment in (one.until, one.end))
            return Ran(Session(one.machine, one.kind, one.member, one.start + by, until, one.cuts, end))
    raise AssertionError(fact)


def later_unit(name: str, by: Instant) -> str:
    """The same day or half-day whole days later."""
    return f"{date.fromisoformat(name[:10]) + timedelta(milliseconds=by)}{name[10:]}"


class Chance:
    """Draws what a site is made of."""

    def __init__(self, seed: int) -> None:
        self.one_of = (draw := random.Random(seed)).choice
        self.number = draw.randint

    def often(self) -> bool:
        return self.number(1, 4) > 1

    def rarely(self) -> bool:
        return self.number(1, 10) == 1

    def some(self, words: Sequence[str], most: int) -> list[str]:
        return [self.one_of(words) for _ in range(self.number(0, most))]

    def hour(self) -> str:
        return f"{self.number(0, 23):02}:00"

    def day(self) -> str:
        return str(MONDAY + timedelta(days=self.number(0, 6)))

    def quarter(self) -> Instant:
        return START + self.number(0, 3 * 24 * 4 - 1) * 15 * MINUTE

    def week(self) -> dict[str, list[tuple[str, str]]]:
        return {day: [(self.hour(), self.hour()) for _ in range(self.number(0, 2))] for day in WEEK if self.often()}

    def times(self) -> dict[str, str]:
        start, length = self.quarter(), self.number(1, 12) * HOUR
        return {"start": instants.text(start), "end": instants.text(start + length)}


def site_of(seed: int) -> dict[str, Any]:
    """A week of a random small site, as a bundle."""
    chance = Chance(seed)
    chosen = {
        "capacity": chance.one_of([None, 1, 1, 2, 4]),
        "at_capacity": chance.one_of(["warn", "deny"]),
        "anti_passback": chance.one_of(["off", "soft", "hard"]),
        "adhoc_hours": chance.one_of([0, 2]),
    }
    return {
        "format": "loquet.bundle/1",
        "site": {"id": "s", "name": "S", "timezone": "Europe/Paris", "staff_hours": chance.week(), **chosen},
        "access_points": [{"id": one, "readers": {"in": f"{one}-in", "out": f"{one}-out"}} for one in DOORS],
        **_people(chance),
        **_windows(chance),
        **_fablab(chance),
    }


def _people(chance: Chance) -> dict[str, Any]:
    return {
        "tiers": [_tier(chance, number) for number in range(3)],
        "members": [_member(chance, who) for who in NAMES],
        "credentials": [
            {
                "uid": uid,
                "member": who,
                "status": chance.one_of(["lost", "stolen", "returned"]) if chance.rarely() else "active",
                "valid_until": chance.day() if chance.rarely() else None,
            }
            for uid, who in zip(UIDS, NAMES, strict=False)
        ],
        "passes": [_pass(chance, who) for who in NAMES if chance.often()],
    }


def _tier(chance: Chance, number: int) -> dict[str, Any]:
    grounds = chance.some(["always", "hours", "staffed", "held", "held", "staffed"], 3)
    tier = {"id": f"t{number}", "grounds": grounds, "hours": chance.week()}
    if number == 0:
        tier["access_points"] = chance.some(DOORS, 1)
    return {**tier, "pass": chance.one_of(["none", "none", "day", "half_day"])}


def _member(chance: Chance, who: str) -> dict[str, Any]:
    return {
        "id": who,
        "name": who,
        "tier": chance.one_of(["t0", "t1", "t1", "t2", "t2"]),
        "roles": chance.one_of([[], [], ["staff"], ["gardien"], ["fab_manager"], ["gardien", "staff"]]),
        "status": "suspended" if chance.rarely() else "active",
        "valid_from": chance.day() if chance.rarely() else None,
        "valid_until": chance.day() if chance.rarely() else None,
    }


def _pass(chance: Chance, who: str) -> dict[str, Any]:
    unit = chance.one_of(["day", "half_day"])
    used = [chance.day() + ("" if unit == "day" else "am")] if chance.often() else []
    held = {"id": f"p{who}", "member": who, "unit": unit, "total": max(len(used), chance.number(0, 4))}
    back = used[:1] if chance.rarely() else [chance.day() + ("" if unit == "day" else "pm")] if chance.rarely() else []
    return {**held, "used": used, "given_back": back, "valid_until": chance.day() if chance.rarely() else None}


def _windows(chance: Chance) -> dict[str, Any]:
    party = {"id": "e", "title": "E", "audience": "members", "free": chance.often(), **chance.times()}
    guest = {"id": "i", "member": chance.one_of(NAMES), **chance.times()}
    return {
        "shifts": [{"id": one, "gardien": chance.one_of(NAMES), **chance.times()} for one in "ab"],
        "events": [party] if chance.often() else [],
        "invitations": [guest] if chance.often() else [],
    }


def _fablab(chance: Chance) -> dict[str, Any]:
    return {
        "machines": [_machine(chance, one) for one in MACHINES],
        "certifications": [
            {"member": who, "kind": kind, "until": chance.day() if chance.rarely() else None}
            for who in NAMES
            for kind in ("laser", "printer")
            if chance.often()
        ],
        "quotas": [{"kind": "printer", "minutes": chance.number(0, 300), "period": "week"}],
        "bookings": [
            {"id": f"b{one}", "machine": one, "member": chance.one_of(NAMES), **chance.times()} for one in MACHINES
        ],
    }


def _machine(chance: Chance, one: str) -> dict[str, Any]:
    return {
        "id": one,
        "kind": MACHINES[one],
        "reader": f"{one}-reader",
        "hours": {} if chance.often() else chance.week(),
        "min_people": chance.one_of([0, 0, 1, 3]),
        "on_end": "cut" if one == "laser" else "warn",
        "locked_out": {"by": "A", "why": "B"} if chance.rarely() else None,
    }


def knowledge_of(seed: int) -> Knowledge:
    """What is known of the week of such a site: who came on which day, what runs, what was paid."""
    chance = Chance(seed)
    kinds = (_moved, _moved, _moved, _paid, _opened, _busy, _ran)
    return Knowledge(
        facts=tuple(chance.one_of(kinds)(chance) for _ in range(chance.number(0, 24))),
        stopped=frozenset(chance.some(sorted(MACHINES), 1) if chance.rarely() else ()),
        lockdown=chance.rarely(),
        clock_trusted=not chance.rarely(),
        link_up=chance.often(),
        not_after=START + chance.one_of([21, 21, 21, 2]) * DAY,
    )


def _moved(chance: Chance) -> Fact:
    return Moved(chance.one_of(NAMES), chance.quarter(), chance.often())


def _paid(chance: Chance) -> Fact:
    day = FIRST + timedelta(days=chance.number(0, 2))
    return Paid(chance.one_of(NAMES), f"{day}{chance.one_of(['', 'am', 'pm'])}")


def _opened(chance: Chance) -> Fact:
    start = chance.quarter()
    return Opened(chance.one_of(NAMES), start, start + 2 * HOUR)


def _busy(chance: Chance) -> Fact:
    return Busy(chance.one_of(sorted(MACHINES)), chance.one_of(NAMES), chance.quarter())


def _ran(chance: Chance) -> Fact:
    place, start = chance.one_of(sorted(MACHINES)), chance.quarter()
    until, end = (chance.one_of([None, start + chance.number(0, 40) * 15 * MINUTE]) for _ in range(2))
    return Ran(Session(place, MACHINES[place], chance.one_of(NAMES), start, until, place == "laser", end))


sites = seed.map(site_of)
knowledge = seed.map(knowledge_of)
week = seed.map(lambda seed: Chance(seed).week())

READERS = [f"{one}-in" for one in DOORS] + [f"{one}-reader" for one in MACHINES]
OUT = [f"{one}-out" for one in DOORS]


def rules_of(site: dict[str, Any], by: Instant = 0) -> RuleSet:
    return compiled(read(site), START + by)


def decide(rules: RuleSet, state: SiteState, reader: str, uid: str, when: Instant, second: bool = False) -> Decision:
    one = machine if rules.readers[reader].direction is None else door
    return one.decide(rules, state, Tap(reader, badge(uid), second), when)
