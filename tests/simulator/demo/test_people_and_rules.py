"""Do the people's expectations, told from their stories, agree with the rules? Day after day, without any edge."""

from bisect import insort
from collections import Counter
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from holidays import country_holidays
from msgspec.structs import replace

from policy import machine
from policy.case import Decision, Tap
from policy.compile import EdgeKey, compile_rules
from policy.door import decide
from policy.facts import Busy, Moved, Opened, Paid, Ran, Stopped, apply
from policy.parse import parse
from policy.reasons import Reason
from policy.sessions import Session
from policy.state import SiteState
from policy.terms import DAY, Instant
from simulator.demo import agreed, casaco, fablab
from simulator.demo.cast import Intent
from simulator.demo.people import day
from tests.support_world import BUNDLE, NIGHT, TUESDAY

DAYS = 120
RULES = compile_rules(
    replace(BUNDLE, site=replace(BUNDLE.site, offline_days=DAYS)),
    zone=ZoneInfo("Europe/Paris"),
    holidays=lambda year: country_holidays("FR", years=year),
    pseudonym=bytes.hex,
    edges={
        "front": EdgeKey("00" * 32, ("front",)),
        "fablab": EdgeKey("01" * 32, tuple(one.id for one in casaco.MACHINES)),
    },
    at=NIGHT,
)


def decided(state: SiteState, intent: Intent) -> str | None:
    """The reason that the rules give, None for what no door decides; whoever passes has moved."""
    if intent.reader is None or len(intent.uids) != 1:
        return None
    state.not_after = intent.at + DAY
    decision = decide(RULES, state, Tap(intent.reader, intent.uids[0].hex(), second=intent.second), intent.at)
    assert (decision.closed or ()) == intent.closes, intent
    assert (decision.adhoc is not None) is (intent.second and intent.inward), intent
    for who in decision.closed or ():
        apply(state, Moved(who, intent.at, inside=False))
    if decision.adhoc is not None:
        apply(state, Opened(intent.who or "", *decision.adhoc))
    if decision.granted and decision.member is not None and intent.pushes:
        apply(state, Moved(decision.member, intent.at, intent.inward))
        if decision.pays is not None:
            apply(state, Paid(decision.member, decision.pays))
    return str(decision.reason)


def test_the_site_is_a_bundle_that_can_be_decided() -> None:
    bundle = parse(casaco.bundle_json(TUESDAY), "casaco.json", ZoneInfo)
    assert agreed.story(bundle, TUESDAY) == BUNDLE


@pytest.mark.parametrize("seed", [1, casaco.SEED])
def test_everybody_gets_the_answer_that_they_expect(seed: int) -> None:
    state = SiteState()
    for offset in range(DAYS):
        for intent in day(BUNDLE, seed, TUESDAY + timedelta(days=offset)):
            assert decided(state, intent) == intent.expect, (offset, intent)


MACHINES = {one.reader: one for one in casaco.MACHINES}


def runs(state: SiteState, intent: Intent) -> str:
    """The reason that the rules give at a machine; sessions begin and end by it."""
    state.not_after = intent.at + DAY
    known = MACHINES[intent.reader or ""]
    decision = machine.decide(RULES, state, Tap(known.reader, intent.uids[0].hex()), intent.at)
    if decision.member is not None:
        note(state, known.id, known.kind, decision, decision.member, intent.at)
    return str(decision.reason)


def note(state: SiteState, place: str, kind: str, decision: Decision, member: str, at: Instant) -> None:
    if decision.reason is Reason.SESSION_ENDED:
        end(state, place, at)
    elif decision.reason is Reason.MACHINE_RESET:
        apply(state, Stopped(place, False))
    elif decision.reason is Reason.MACHINE_BUSY:
        apply(state, Busy(place, member, at))
    elif decision.granted:
        apply(state, Ran(Session(place, kind, member, at, decision.until)))


def end(state: SiteState, place: str, at: Instant) -> None:
    for session in state.sessions.of_machine(place):
        if session.runs(at):
            apply(state, Ran(replace(session, end=at)))


@pytest.mark.parametrize("seed", [1, casaco.SEED])
def test_everybody_gets_the_answer_that_they_expect_at_the_machines(seed: int) -> None:
    """Two weeks: whoever taps at a machine is inside, and no session is left when the day ends."""
    state, told = SiteState(), Counter[str]()
    for offset in range(14):
        on = TUESDAY + timedelta(days=offset)
        at_door = day(BUNDLE, seed, on)
        at_machines = fablab.day(BUNDLE, on, at_door)
        assert bool(at_machines.intents) == casaco.works(on)
        moments = [(intent.at, 0, intent) for intent in at_door]
        for intent in at_machines.intents:
            insort(moments, (intent.at, 1, intent), key=lambda one: one[:2])
        stops = list(at_machines.stops)
        for at, where, intent in moments:
            while stops and stops[0][0] <= at:
                pressed, down = stops.pop(0)
                state.pressed = {fablab.STOPPED} if down else set()
                if down:
                    end(state, fablab.STOPPED, pressed)
                    apply(state, Stopped(fablab.STOPPED, True))
            reason = runs(state, intent) if where else decided(state, intent)
            assert reason == intent.expect, (on, intent)
            told[reason or ""] += where
        assert not [s for one in casaco.MACHINES for s in state.sessions.of_machine(one.id) if s.runs(at)]
    assert {reason for reason, times in told.items() if times} == {
        "booking", "walk_up", "session_ended", "machine_reset", "machine_busy", "machine_locked_out",
        "booked_by_other", "certification_expired",
    }  # fmt: skip
