"""What all controllers of one edge share: one row of numbers, one clock that can be lost, one last tap, two places."""

from typing import Any

import pytest
from msgspec.structs import replace

from edge.controller import EdgeController
from edge.core import Memory, Now
from edge.door import EXPLAINED_WITHIN, DoorSetup
from edge.events import CardSeen, Event, FactsHeard, InputChanged, LinkChanged, RulesConfirmed
from edge.held import HeldRules
from policy.facts import Moved, Opened, Paid, Ran
from policy.instants import text
from policy.presence import Move
from policy.reasons import Reason
from policy.ruleset import AntiPassback, Pass, Places, RuleSet, Tier, Unit
from policy.sessions import Session
from policy.spans import spans
from policy.terms import DAY, HOUR, MINUTE, SECOND, ClockState
from tests.support_fablab import DOOR, LASER, FabBench, fab_rules, kinds
from tests.support_rows import tap
from tests.support_site import ALICE, BRIGITTE, GREGOIRE, REMY, at, name_of
from wire.row import Kind


def opening_rules() -> RuleSet:
    """Gardiens may open for two hours without a shift; nobody is there at seven."""
    return fab_rules(adhoc=2 * HOUR, shifts={})


# A clock that is lost


def test_a_clock_that_is_set_again_is_said_and_moves_are_dated_anew() -> None:
    bench = FabBench(start=0, clock=ClockState.UNKNOWN, last_at=at(9), inside=())
    bench.waits(30)
    assert bench.tap(GREGOIRE, "front-in").reason is Reason.GARDIEN_GRACE
    assert bench.state.presence.moves["gregoire"] == Move(at(9) + 30 * SECOND, inside=True)
    bench.waits(30)
    bench.start, bench.clock = at(11), ClockState.SYNCED
    (row,) = bench.steps()
    assert (row.kind, row.at, row.clock) == (Kind.CLOCK_SET, text(at(11, 1)), ClockState.SYNCED)
    assert bench.state.presence.moves["gregoire"] == Move(at(11) + 30 * SECOND, inside=True)
    assert bench.steps() == [], "said once"


def test_a_clock_that_was_good_from_the_start_is_not_said() -> None:
    bench = FabBench()
    bench.waits(60)
    assert kinds(bench.rows) == [Kind.STARTED]


def test_each_time_that_it_is_lost_only_what_was_done_then_is_dated_anew() -> None:
    bench = FabBench(inside=())
    for _ in range(2):
        bench.clock = ClockState.UNKNOWN
        bench.waits(60)
        bench.taps(GREGOIRE, "front-in")
        bench.clock = ClockState.SYNCED
        assert kinds(bench.steps()) == [Kind.CLOCK_SET]
    assert bench.state.presence.moves["gregoire"] == Move(at(10, 2), inside=True)
    bench.hears(Moved("gregoire", at(10, 3), inside=False))
    bench.clock = ClockState.UNKNOWN
    bench.steps()
    bench.clock = ClockState.SYNCED
    bench.steps()
    assert not bench.state.presence.moves["gregoire"].inside


def test_while_it_is_lost_decisions_stand_still_at_the_last_trusted_instant() -> None:
    bench = FabBench(start=at(17, 59))
    bench.clock = ClockState.UNKNOWN
    bench.waits(3600)
    core, now = bench.controller.core, bench.now
    assert core.decided_at(now, now.at) == at(17, 59)
    assert core.believed(now, now.at) == at(18, 59)
    assert bench.tap(BRIGITTE, "front-in").reason is Reason.CLOCK_UNTRUSTED


# One edge, several places


def test_rows_of_two_places_share_one_row_of_numbers() -> None:
    bench = FabBench()
    bench.taps(ALICE, "front-in")
    bench.taps(BRIGITTE)
    bench.does(InputChanged, name="rex", active=True)
    bench.taps(REMY, "front-out")
    assert [row.seq for row in bench.rows] == list(range(1, len(bench.rows) + 1))
    assert [row.access_point for row in bench.rows] == [None, "front", "laser", "laser", "front", "front"]


def test_the_state_is_one_whoever_leaves_by_the_door_leaves_the_machine() -> None:
    bench = FabBench()
    bench.taps(BRIGITTE)
    bench.waits(10)
    bench.taps(BRIGITTE, "front-out")
    assert kinds(bench.waits(299)) == []
    assert kinds(bench.waits(1)) == [Kind.SESSION_ENDED]


def test_two_doors_of_one_edge_have_inputs_and_strikes_of_their_own() -> None:
    back = DoorSetup("back", "back-in", prefix="back.")
    rules = fab_rules()
    readers = rules.readers | {"back-in": replace(rules.readers["front-in"], access_point="back")}
    bench = FabBench(rules=replace(rules, readers=readers), setups=(DoorSetup("front", "front-in", "front-out"), back))
    for name in ("contact", "back.contact"):
        assert bench.does(InputChanged, name=name, active=False) == []
    bench.taps(ALICE, "back-in")
    assert (bench.outputs["back.strike"], bench.outputs["strike"]) == (True, False)
    assert bench.does(InputChanged, name="contact", active=False) == []
    assert bench.does(InputChanged, name="contact", active=True) == []
    rows = bench.does(InputChanged, name="back.contact", active=True)
    assert [(row.kind, row.access_point, row.member) for row in rows] == [(Kind.DOOR_OPENED, "back", "alice")]
    rows = bench.waits(EXPLAINED_WITHIN)
    assert [(row.kind, row.access_point) for row in rows] == [(Kind.DOOR_FORCED, "front")]


# Two taps that open the place


def pair(seconds: float, between: tuple[bytes, str] | None = None) -> FabBench:
    """Grégoire taps twice, so many seconds apart, perhaps with another tap between."""
    bench = FabBench(rules=opening_rules(), start=at(20), inside=())
    assert bench.tap(GREGOIRE, "front-in").reason is Reason.OUTSIDE_HOURS
    if between is not None:
        bench.taps(*between)
    bench.mono = round(bench.mono * 1000 + seconds * 1000) / 1000
    bench.taps(GREGOIRE, "front-in")
    return bench


@pytest.mark.parametrize(("seconds", "opens"), [(0.0, True), (4.999, True), (5.0, True), (5.001, False)])
def test_two_taps_within_five_seconds_open_the_place(seconds: float, opens: bool) -> None:
    bench = pair(seconds)
    row = bench.rows[-1]
    assert (row.granted, row.reason) == ((True, Reason.OWN_SHIFT) if opens else (False, Reason.OUTSIDE_HOURS))
    assert row.adhoc_until == (text(bench.now.at + 2 * HOUR) if opens else None)
    assert bench.tap(BRIGITTE, "front-in").granted is opens


@pytest.mark.parametrize(
    "between", [(BRIGITTE, "front-in"), (GREGOIRE, "front-out"), (GREGOIRE, "laser-tap"), (ALICE, "printer-tap")]
)
def test_any_other_tap_at_this_edge_breaks_the_pair(between: tuple[bytes, str]) -> None:
    assert pair(2.0, between).rows[-1].adhoc_until is None


def test_a_third_tap_begins_a_new_pair() -> None:
    bench = pair(6.0)
    bench.waits(1)
    assert bench.tap(GREGOIRE, "front-in").adhoc_until is not None
    bench.waits(1)
    assert bench.tap(GREGOIRE, "front-in").adhoc_until is None
    assert len(bench.state.adhoc["gregoire"]) == 1


# What others say


def test_what_others_say_counts_as_if_it_had_happened_here() -> None:
    bench = FabBench(inside=())
    run = Session("laser", "laser", "remy", at(9, 50), at(10, 50), cuts=True)
    bench.hears(
        Moved("brigitte", at(9), inside=True),
        Paid("brigitte", "2026-11-24am"),
        Opened("gregoire", at(10), at(12)),
        Ran(run),
    )
    state = bench.state
    assert state.presence.moves == {"brigitte": Move(at(9), inside=True)}
    assert (state.units["brigitte"], state.adhoc["gregoire"]) == ({"2026-11-24am"}, {(at(10), at(12))})
    assert state.sessions.running("laser", at(10)) == run


def test_the_state_of_the_server_brings_lockdown_and_facts() -> None:
    bench = FabBench()
    bench.knows(Moved("remy", at(9, 59), inside=False), lockdown=True)
    assert bench.tap(BRIGITTE, "front-in").reason is Reason.LOCKDOWN
    assert not bench.state.presence.moves["remy"].inside
    bench.knows()
    assert bench.tap(BRIGITTE, "front-in").reason is Reason.STAFFED_HOURS


def test_anti_passback_is_hard_only_while_the_link_is_up() -> None:
    bench = FabBench(rules=fab_rules(anti_passback=AntiPassback.HARD))
    bench.does(LinkChanged, up=True)
    assert bench.tap(BRIGITTE, "front-in").reason is Reason.ALREADY_INSIDE
    bench.does(LinkChanged, up=False)
    row = bench.tap(BRIGITTE, "front-in")
    assert (row.reason, row.marks) == (Reason.STAFFED_HOURS, ("passback",))


def test_a_confirmation_reaches_every_place() -> None:
    bench = FabBench()
    bench.does(RulesConfirmed, not_after=at(9))
    assert bench.state.not_after == at(9)
    assert bench.tap(BRIGITTE).reason is Reason.RULES_STALE


# Carnets


def carnet(contact: bool, **changes: Any) -> FabBench:
    return FabBench(rules=carnet_rules(**changes), inside=(), setups=(replace_contact(contact),))


def carnet_rules(**changes: Any) -> RuleSet:
    rules = fab_rules(**changes)
    tiers = rules.tiers | {"nomad": replace(rules.tiers["nomad"], unit=Unit.HALF_DAY)}
    return replace(rules, tiers=tiers, passes={"brigitte": (Pass(1),)})


def replace_contact(contact: bool) -> DoorSetup:
    return DoorSetup("front", "front-in", "front-out", has_contact=contact)


def test_an_entry_is_paid_when_the_door_opens_and_once() -> None:
    bench = carnet(contact=True)
    tap = bench.tap(BRIGITTE, "front-in")
    assert (tap.pays, tap.pending, bench.state.units["brigitte"]) == ("2026-11-24am", True, set())
    (opened,) = bench.does(InputChanged, name="contact", active=True)
    assert (opened.pays, opened.settles) == ("2026-11-24am", tap.seq)
    assert bench.state.units["brigitte"] == {"2026-11-24am"}
    bench.does(InputChanged, name="contact", active=False)
    bench.taps(BRIGITTE, "front-out")
    back = bench.tap(BRIGITTE, "front-in")
    assert (back.granted, back.pays) == (True, None)
    bench.until(at(14))
    assert bench.tap(BRIGITTE, "front-in").reason is Reason.PASS_EXHAUSTED


def test_a_grant_whose_door_stays_shut_pays_nothing() -> None:
    bench = carnet(contact=True)
    bench.taps(BRIGITTE, "front-in")
    bench.waits(10)
    bench.does(InputChanged, name="contact", active=True)
    assert not bench.state.units["brigitte"]


def test_without_a_contact_it_is_paid_at_once() -> None:
    bench = carnet(contact=False)
    bench.taps(BRIGITTE, "front-in")
    assert bench.state.units["brigitte"] == {"2026-11-24am"}


def shown(bench: FabBench, uid: bytes) -> set[tuple[bool, bool]]:
    """Which of green and red the lamp outside shows from a tap until it is dark again."""
    start = len(bench.history)
    bench.taps(uid, "front-in")
    bench.waits(5)
    lights, seen = {"green": False, "red": False}, set()
    moments = sorted({mono for mono, _, _ in bench.history[start:]})
    for moment in moments:
        for mono, output, active in bench.history[start:]:
            light = output.rpartition(".")[2]
            if mono == moment and output.startswith("front-in.") and light in lights:
                lights[light] = active
        seen.add((lights["green"], lights["red"]))
    return seen


GREEN, AMBER = (True, False), (True, True)


@pytest.mark.parametrize(("total", "low"), [(5, False), (4, True), (3, False), (2, True), (1, False)])
def test_a_grant_that_leaves_3_or_1_is_green_and_then_a_short_amber(total: int, low: bool) -> None:
    bench = FabBench(rules=replace(carnet_rules(), passes={"brigitte": (Pass(total),)}), inside=())
    seen = shown(bench, BRIGITTE)
    assert (GREEN in seen, AMBER in seen) == (True, low)


@pytest.mark.parametrize(
    ("lasts", "low"),
    [
        (("2026-12-07",), True),
        (("2026-12-08",), False),
        (("2026-12-07", None), False),
        (("2026-12-07", "2027-01-31"), False),
    ],
)
def test_a_carnet_that_ends_within_14_days_is_told_by_the_lamp(lasts: tuple[str | None, ...], low: bool) -> None:
    passes = tuple(Pass(50, valid_until=last) for last in lasts)
    bench = FabBench(rules=replace(carnet_rules(), passes={"brigitte": passes}), inside=())
    assert (AMBER in shown(bench, BRIGITTE)) == low


def test_who_comes_back_in_the_same_half_day_is_told_nothing_again() -> None:
    bench = FabBench(rules=replace(carnet_rules(), passes={"brigitte": (Pass(4),)}), inside=())
    assert AMBER in shown(bench, BRIGITTE)
    assert AMBER not in shown(bench, BRIGITTE)


FORM_1: dict[str, Any] = {
    "dates": (),
    "days": tuple(at(4) + n * DAY for n in range(-3, 10)),
    "splits": tuple(at(13) + n * DAY for n in range(-3, 10)),
    "speaks": 1,
}
"""As the server of the version before writes the site days; and a newer one, while an edge reads nothing else."""


def test_by_rules_in_the_old_form_what_is_paid_is_told_by_its_start() -> None:
    bench = carnet(contact=True, **FORM_1)
    tap = bench.tap(BRIGITTE, "front-in")
    (opened,) = bench.does(InputChanged, name="contact", active=True)
    assert (tap.pays, opened.pays) == (text(at(4)), text(at(4)))
    bench.does(InputChanged, name="contact", active=False)
    bench.taps(BRIGITTE, "front-out")
    assert bench.tap(BRIGITTE, "front-in").pays is None
    bench.swaps(carnet_rules())
    bench.taps(BRIGITTE, "front-out")
    assert bench.tap(BRIGITTE, "front-in").pays is None


@pytest.mark.parametrize("unit", [at(4), "2026-11-24am", "2026-11-24"])
@pytest.mark.parametrize("changes", [FORM_1, {}], ids=["old rules", "new rules"])
def test_what_another_edge_or_the_server_says_was_paid_counts_in_both_forms(unit: Any, changes: Any) -> None:
    for say in (FabBench.hears, FabBench.knows):
        bench = carnet(contact=True, **changes)
        say(bench, Paid("brigitte", unit))
        tap = bench.tap(BRIGITTE, "front-in")
        assert (tap.granted, tap.pays) == (True, None)


# A public event


def public(**bench: object) -> FabBench:
    """An open afternoon, two to six; Alice is inside."""
    times = spans([(at(14), at(18))])
    event = Places(times, {"front": times})
    rules = fab_rules(events=event, public_events=event)
    return FabBench(rules=rules, start=at(13), **({"inside": ("alice",)} | bench))  # type: ignore[arg-type]


def strike(bench: FabBench) -> bool:
    return bench.outputs["strike"]


def test_a_public_event_holds_the_door_unlocked_from_its_start_to_its_end() -> None:
    bench = public()
    bench.until(at(14) - 1)
    assert not strike(bench)
    bench.until(at(14))
    assert strike(bench)
    bench.taps(BRIGITTE, "front-in")
    bench.waits(60)
    assert strike(bench), "a grant's end does not lock it"
    bench.until(at(18))
    assert not strike(bench)


def test_only_while_somebody_who_answers_for_it_is_inside() -> None:
    bench = public(inside=("remy",))
    bench.until(at(15))
    assert not strike(bench)
    bench.moves("gregoire", inside=True)
    assert strike(bench)
    bench.taps(GREGOIRE, "front-out")
    bench.waits(5)
    assert not strike(bench)


def test_never_in_a_lockdown_with_stale_rules_or_a_lost_clock() -> None:
    bench = public()
    bench.until(at(15))
    bench.knows(lockdown=True)
    assert not strike(bench)
    bench.knows()
    assert strike(bench)
    bench.clock = ClockState.UNKNOWN
    bench.steps()
    assert not strike(bench)
    bench.clock = ClockState.SYNCED
    bench.steps()
    assert strike(bench)
    bench.does(RulesConfirmed, not_after=at(15) - 1)
    assert not strike(bench)


def test_it_locks_by_itself_when_the_confirmation_runs_out() -> None:
    bench = public()
    bench.does(RulesConfirmed, not_after=at(16))
    bench.until(at(16))
    assert strike(bench)
    due = bench.controller.due(bench.now)
    assert due == pytest.approx(bench.mono + 0.001), "it asks to be woken when the rules are stale"
    bench.waits(1)
    assert not strike(bench)


def test_a_door_that_a_public_event_holds_unlocked_is_not_forced() -> None:
    bench = public(setups=(DoorSetup("front", "front-in", "front-out"),))
    bench.until(at(15))
    assert kinds(bench.does(InputChanged, name="contact", active=True)) == [Kind.DOOR_OPENED]


def test_a_memory_of_nothing_decides_nothing() -> None:
    controller = EdgeController((DOOR, LASER), Memory("boot"), name_of)
    step = controller.start(Now(at(10), 0.0, ClockState.SYNCED))
    assert step.deadline is not None
    event: Event = FactsHeard(at(10), 1.0, "garden", "j9", (tap(1, "alice", at=at(10)),))
    controller.step(Now(at(10) + SECOND, 1.0, ClockState.SYNCED), [event])
    step = controller.step(
        Now(at(10) + MINUTE, 60.0, ClockState.SYNCED),
        [CardSeen(at(10) + MINUTE, 60.0, "front-in", ALICE, 8, 26, 0.003)],
    )
    rows = [action.row for action in step.actions if hasattr(action, "row")]
    assert [(row.reason, row.rules_version) for row in rows] == [(Reason.RULES_STALE, None)]


def test_rules_in_force_are_kept_when_they_are_confirmed() -> None:
    rules = fab_rules()
    controller = EdgeController((DOOR,), Memory("boot", held=HeldRules(7, "", at(12), rules)), name_of)
    controller.step(Now(at(10), 0.0, ClockState.SYNCED), [RulesConfirmed(at(10), 0.0, at(20))])
    held = controller.core.held
    assert held is not None
    assert (held.version, held.not_after, held.rules) == (7, at(20), rules)
    assert isinstance(held.rules.tiers["team"], Tier)
