"""What the page says of now is what the door says to a nomad, at random instants of random sites; and until when.

`python -m tests.policy.test_open_or_not 100000` looks at any number of instants.
"""

import sys
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from policy.case import Tap
from policy.compile import shift_table
from policy.degrees import Answer, Known, degree
from policy.door import decide
from policy.opening import Degree, opening
from policy.presence import Move, Presence
from policy.reasons import Reason
from policy.ruleset import RuleSet
from policy.state import SiteState
from policy.terms import DAY, HOUR, MINUTE, Direction, Instant
from tests.support_policy import BRIGITTE, PARIS, at, badge, compiled, in_since, read, site

PARTS, SITES, INSTANTS = 4, 12, 25
"""Of each part so many sites, at so many instants each: 1,200 in all."""
START = datetime(2026, 10, 23, 12)  # noqa: DTZ001 - local: two days before the clocks go back
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GARDIENS = ("gregoire", "sarah", "remy")


def some_site(chance: Random) -> dict[str, Any]:
    def told(hours: float) -> str:
        return (START + timedelta(hours=hours)).isoformat(timespec="minutes")

    def lasting(longest: int) -> dict[str, str]:
        first = chance.randrange(0, 24 * 5 * 4) / 4
        return {"start": told(first), "end": told(first + chance.randrange(1, longest * 4) / 4)}

    def hour() -> str:
        return f"{chance.randrange(24):02}:{chance.choice(('00', '30'))}"

    members = [
        {**one, "roles": ["gardien"], "status": chance.choice(["active", "active", "suspended"])}
        if one["id"] in GARDIENS
        else one
        for one in site()["members"]
    ]
    return site(
        site_staff_hours={day: [[hour(), hour()]] for day in WEEK if chance.random() < 0.6},
        site_closures=[{"from": "2026-10-24", "to": "2026-10-24"}] if chance.random() < 0.2 else [],
        site_shift_lead=chance.choice([0, 30]),
        site_shift_grace=chance.choice([0, 15]),
        site_adhoc_hours=2,
        members=members,
        shifts=[
            {"id": f"s{number}", "gardien": chance.choice(GARDIENS), **lasting(9)}
            for number in range(chance.randrange(12))
        ],
        events=[
            {"id": f"e{number}", "title": "E", "audience": "members", "access_points": ["front"], **lasting(5)}
            for number in range(chance.randrange(3))
        ],
    )


def some_state(chance: Random, now: Instant) -> SiteState:
    moves = [
        (who, Move(now - chance.randrange(20 * HOUR), inside=chance.random() < 0.8))
        for who in GARDIENS
        if chance.random() < 0.6
    ]
    state = SiteState(Presence(moves), not_after=now + 14 * DAY, lockdown=chance.random() < 0.05)
    if chance.random() < 0.2:
        made = now - chance.randrange(3 * HOUR)
        state.adhoc[chance.choice(GARDIENS)].add((made, made + 2 * HOUR))
    return state


def door(rules: RuleSet, state: SiteState, at: Instant) -> set[Reason]:
    """For what a nomad who is not inside is let in, at any door."""
    ways = [reader for reader, where in rules.readers.items() if where.direction is Direction.IN]
    decisions = [decide(rules, state, Tap(way, badge(BRIGITTE)), at) for way in ways]
    return {decision.reason for decision in decisions if decision.granted}


def asked(one: Known, at: Instant) -> Answer:
    """The question put anew at a later instant, when nothing has happened."""
    return degree(replace(one, at=at), at)


def says_so_until(chance: Random, known: Known, until: Instant) -> bool:
    """Whether a door that lets a nomad in goes on doing so until then, or the site day ends: at an instant drawn."""
    last = min(until, known.rules.day_end(known.at))
    return last <= known.at or bool(door(known.rules, known.state, chance.randrange(known.at, last)))


def compared(chance: Random) -> int:
    """One random site at INSTANTS instants; how often it was open."""
    bundle, opened = read(some_site(chance)), 0
    first = round(START.replace(tzinfo=PARIS).timestamp()) * 1000
    rules = compiled(bundle, first + 2 * DAY)
    shifts = shift_table(bundle, zone=PARIS, holidays=lambda year: (), since=first - DAY)
    for _ in range(INSTANTS):
        now = first + chance.randrange(5 * DAY // MINUTE) * MINUTE
        state = some_state(chance, now)
        known, let_in = Known(rules, shifts, state, now), door(rules, state, now)
        answer = degree(known, now)
        if let_in == {Reason.EVENT}:  # a gardien who is due and not there yet is told before it
            assert answer.degree is not Degree.NOBODY
        else:
            assert (answer.degree is Degree.SURE) is bool(let_in)
        held_or_staffed = bool(let_in & {Reason.STAFFED_HOURS, Reason.GARDIEN_PRESENT})
        assert (opening(rules, shifts, state, now).open and not state.lockdown) is held_or_staffed
        assert answer.ask_again > now
        later = chance.randrange(now, answer.ask_again)
        assert asked(known, later).degree is answer.degree
        assert bool(door(rules, state, later)) is bool(let_in)
        assert answer.degree is not Degree.SURE or says_so_until(chance, known, answer.until or now)
        opened += bool(let_in)
    return opened


@pytest.mark.parametrize("part", range(PARTS))
def test_the_page_s_yes_is_the_door_s_yes(part: int) -> None:
    chance = Random(part)
    assert sum(compared(chance) for _ in range(SITES)) > SITES * INSTANTS // 5


def test_at_the_end_of_the_site_day_everybody_is_out_and_it_is_to_be_asked_again() -> None:
    night = [{"id": "s1", "gardien": "gregoire", "start": "2026-11-24T22:00", "end": "2026-11-25T08:00"}]
    now, cutoff = at("2026-11-25T03:00"), at("2026-11-25T04:00")
    bundle = read(site(shifts=night, site_staff_hours={}))
    shifts = shift_table(bundle, zone=PARIS, holidays=lambda year: (), since=now - DAY)
    state = SiteState(in_since("2026-11-24T21:50", "gregoire"), not_after=now + DAY)
    known = Known(compiled(bundle, now), shifts, state, now)
    assert (degree(known, now).degree, degree(known, now).ask_again) == (Degree.SURE, cutoff)
    assert asked(known, cutoff).degree is not Degree.SURE


if __name__ == "__main__":
    wanted = int(sys.argv[1])
    opened = sum(compared(Random(seed)) for seed in range(wanted // INSTANTS))
    sys.stdout.write(f"{wanted} instants, open at {opened} of them; the page's yes is the door's\n")
