"""The machine controller: a session's whole life in virtual time, from the tap to the last second."""

from dataclasses import replace as replace_setup

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.actions import Drive
from edge.events import (
    CardGone,
    CardsCollided,
    CardSeen,
    CardUnreadable,
    InputSteady,
    InputUnsteady,
    Journalled,
    JournalTrouble,
    Ordered,
    ReaderFault,
    ReaderRecovered,
    RulesSwapped,
)
from edge.held import HeldRules
from policy.facts import Ran, Stopped
from policy.instants import instant, text
from policy.reasons import Reason
from policy.ruleset import Booking, Machine, Period, Quota
from policy.sessions import Session
from policy.spans import spans
from policy.terms import HOUR, MINUTE, SECOND, ClockState
from tests.support_fablab import FOREVER, LASER, MACHINES, FabBench, fab_rules, kinds
from tests.support_site import ALICE, BRIGITTE, GREGOIRE, REMY, UNKNOWN, at
from wire.row import Kind, Order, Row


def running(**changes: object) -> FabBench:
    """Brigitte runs the laser since ten: an hour of quota, so until eleven."""
    bench = FabBench(**changes)  # type: ignore[arg-type]
    bench.taps(BRIGITTE)
    assert bench.runs()
    return bench


def laser(**changes: object) -> dict[str, Machine]:
    return MACHINES | {"laser": replace(MACHINES["laser"], **changes)}


def last(bench: FabBench, kind: Kind) -> Row:
    return next(row for row in reversed(bench.rows) if row.kind is kind)


# The start


def test_it_begins_with_every_output_safe() -> None:
    bench = FabBench()
    assert {"laser.interlock", "printer.interlock", "laser-tap.red"} <= set(bench.outputs)
    assert not any(bench.outputs.values())
    assert kinds(bench.rows) == [Kind.STARTED]


def test_power_comes_only_when_the_start_is_on_the_disk() -> None:
    bench = FabBench()
    bench.disk = False
    tap, started = bench.taps(BRIGITTE)
    assert (tap.kind, tap.reason, tap.until) == (Kind.TAP, Reason.WALK_UP, text(at(11)))
    assert started.kind is Kind.SESSION_STARTED
    assert (started.access_point, started.member, started.started) == ("laser", "brigitte", text(at(10)))
    assert (started.until, started.machine_kind, started.cuts) == (text(at(11)), "laser", True)
    bench.waits(30)
    assert not bench.runs()
    bench.does(Journalled, seq=tap.seq)
    assert not bench.runs(), "the tap is on the disk, the start is not"
    bench.written()
    assert bench.runs()


def test_an_answer_of_the_disk_about_another_row_starts_nothing() -> None:
    bench = FabBench()
    bench.taps(ALICE, "printer-tap")
    bench.written()
    assert bench.runs("printer")
    assert not bench.runs("laser")


def test_a_refusal_gives_no_power() -> None:
    bench = FabBench(inside=())
    row = bench.tap(BRIGITTE)
    assert (row.granted, row.reason, row.access_point, row.rules_version) == (False, Reason.NOT_INSIDE, "laser", 7)
    assert not bench.runs()
    assert Kind.SESSION_STARTED not in kinds(bench.rows)
    assert bench.tap(UNKNOWN).reason is Reason.UNKNOWN_CREDENTIAL


def test_a_session_that_is_stopped_before_the_disk_answered_never_gets_power() -> None:
    bench = FabBench()
    bench.disk = False
    bench.taps(BRIGITTE)
    bench.waits(6)
    assert kinds(bench.taps(BRIGITTE)) == [Kind.SESSION_ENDED, Kind.TAP]
    bench.written()
    bench.waits(60)
    assert not any(output == "laser.interlock" and active for _, output, active in bench.history)


# Stopping


def test_a_second_tap_stops_and_power_goes_before_anything_is_written() -> None:
    bench = running()
    bench.disk = False
    bench.waits(600)
    rows = bench.taps(BRIGITTE)
    assert bench.order[0] == Drive("laser.interlock", active=False)
    ended, tap = rows
    assert (tap.granted, tap.reason) == (True, Reason.SESSION_ENDED)
    assert (ended.kind, ended.started, ended.ended) == (Kind.SESSION_ENDED, text(at(10)), text(at(10, 10)))
    bench.waits(6)
    assert bench.tap(BRIGITTE).until == text(at(11) + 6 * SECOND), "ten minutes of the hour are used"


@pytest.mark.parametrize(("ms", "is_same"), [(0, True), (4999, True), (5000, True), (5001, False)])
@pytest.mark.parametrize("before", [0.0, 0.3, 1234.567])
def test_a_badge_laid_on_again_within_five_seconds_is_the_same_tap(ms: int, is_same: bool, before: float) -> None:
    bench = FabBench()
    bench.waits(before)
    bench.taps(BRIGITTE)
    bench.mono = round(bench.mono * 1000 + ms) / 1000
    rows = bench.taps(BRIGITTE)
    assert (rows == []) is is_same
    assert bench.runs() is is_same


def test_the_five_seconds_count_from_the_tap_that_was_decided() -> None:
    bench = FabBench()
    for _ in range(2):
        bench.taps(BRIGITTE)
        bench.waits(4)
    assert kinds(bench.taps(BRIGITTE))[0] is Kind.SESSION_ENDED, "eight seconds after the decided one"


def test_another_badge_between_two_taps_makes_the_second_a_new_one() -> None:
    bench = FabBench()
    bench.taps(BRIGITTE)
    bench.waits(1)
    assert bench.tap(REMY).reason is Reason.MACHINE_BUSY
    bench.waits(1)
    assert bench.tap(BRIGITTE).reason is Reason.SESSION_ENDED


def test_with_a_lost_clock_one_can_stop_and_the_end_is_when_it_was() -> None:
    bench = running()
    bench.waits(60)
    bench.clock = ClockState.UNKNOWN
    bench.waits(600)
    assert bench.tap(REMY).reason is Reason.CLOCK_UNTRUSTED
    bench.waits(60)
    assert bench.tap(REMY).reason is Reason.CLOCK_UNTRUSTED, "an instant that stands still makes no two taps one"
    assert bench.tap(BRIGITTE).reason is Reason.SESSION_ENDED
    assert last(bench, Kind.SESSION_ENDED).ended == text(at(10, 12))
    assert not bench.runs()


# Until


def test_a_machine_that_cuts_warns_five_minutes_before_and_cuts_at_the_instant() -> None:
    bench = running()
    assert bench.until(at(10, 54, 59)) == []
    (warned,) = bench.until(at(10, 55))
    assert (warned.kind, warned.member, warned.at) == (Kind.SESSION_WARNED, "brigitte", text(at(10, 55)))
    bench.history.clear()
    bench.waits(10)
    assert sum(output == "laser-tap.buzzer" and active for _, output, active in bench.history) >= 9
    assert bench.until(at(11) - 1) == []
    assert bench.runs()
    (ended,) = bench.until(at(11))
    assert (ended.kind, ended.ended) == (Kind.SESSION_ENDED, text(at(11)))
    assert not bench.runs()
    assert bench.tap(BRIGITTE).reason is Reason.QUOTA_EXHAUSTED


def test_a_session_shorter_than_the_warning_warns_at_once() -> None:
    bench = FabBench(rules=fab_rules(bookings={"laser": (Booking("remy", at(10, 3), at(11)),)}))
    assert Kind.SESSION_WARNED in kinds(bench.taps(BRIGITTE))
    assert kinds(bench.waits(180)) == [Kind.SESSION_ENDED]


def test_a_step_that_comes_late_ends_the_session_when_it_should_have_ended() -> None:
    bench = running()
    bench.mono = 5000.0
    rows = bench.steps()
    assert [(row.kind, row.ended) for row in rows] == [(Kind.SESSION_ENDED, text(at(11)))]


def test_whoever_taps_at_the_very_end_waits_for_the_disk_without_power() -> None:
    bench = running(rules=fab_rules(bookings={"laser": (Booking("remy", at(10, 30), at(11)),)}))
    bench.mono, bench.disk = 1800.0, False
    rows = bench.taps(REMY)
    assert kinds(rows) == [Kind.SESSION_ENDED, Kind.TAP, Kind.SESSION_STARTED]
    assert (rows[0].member, rows[0].ended, rows[1].reason) == ("brigitte", text(at(10, 30)), Reason.BOOKING)
    assert not bench.runs()
    bench.written()
    assert bench.runs()


def test_a_machine_that_warns_runs_on_and_says_so_once() -> None:
    bench = FabBench(rules=fab_rules(bookings={"printer": (Booking("remy", at(10, 30), at(11)),)}))
    assert bench.tap(BRIGITTE, "printer-tap").until == text(at(10, 30))
    assert bench.until(at(10, 30) - 1) == []
    assert kinds(bench.until(at(10, 30))) == [Kind.SESSION_WARNED]
    assert bench.until(at(13)) == []
    assert bench.runs("printer")
    bench.waits(20)
    assert any(output == "printer-tap.buzzer" and active for _, output, active in bench.history)
    assert bench.tap(BRIGITTE, "printer-tap").reason is Reason.SESSION_ENDED
    assert last(bench, Kind.SESSION_ENDED).ended == text(at(13, 0, 20))


def test_without_an_end_nothing_warns() -> None:
    bench = FabBench()
    assert bench.tap(ALICE, "printer-tap").until is None
    assert bench.until(at(23)) == []
    assert bench.runs("printer")


def test_the_end_of_its_hours_ends_a_session() -> None:
    bench = FabBench(rules=fab_rules(machines=laser(hours=spans([(at(9), at(10, 30))]))))
    assert bench.tap(BRIGITTE).until == text(at(10, 30))
    assert kinds(bench.until(at(10, 30))) == [Kind.SESSION_WARNED, Kind.SESSION_ENDED]
    assert bench.tap(BRIGITTE).reason is Reason.OUTSIDE_MACHINE_HOURS


def test_a_session_that_ended_frees_nothing_at_the_machine_until_somebody_books_what_is_left() -> None:
    """docs/rules.md, Bookings: whoever steps out for material keeps it; a booking of the rest ends theirs."""
    hers = Booking("brigitte", at(10), at(12))
    bench = FabBench(rules=fab_rules(bookings={"laser": [hers]}))
    assert bench.tap(BRIGITTE).reason is Reason.BOOKING
    bench.waits(1800)
    assert bench.tap(BRIGITTE).reason is Reason.SESSION_ENDED
    bench.waits(60)
    assert bench.tap(ALICE).reason is Reason.BOOKED_BY_OTHER
    bench.waits(60)
    bench.swaps(fab_rules(bookings={"laser": [Booking("alice", at(10, 32), at(12))]}))
    assert bench.tap(ALICE).reason is Reason.BOOKING


# The order that moves until


def extends(bench: FabBench, place: str = "laser", **fields: object) -> list[Row]:
    return bench.does(
        Ordered,
        **{
            "nonce": f"n{bench.mono}",
            "order": Order.EXTEND,
            "place": place,
            "by": "alice",
            "until": bench.mono + 10,
            **fields,
        },
    )


def test_the_order_extend_moves_until_and_says_so() -> None:
    bench = running()
    bench.until(at(10, 56))
    bench.swaps(fab_rules(quotas={"laser": Quota(7200, Period.WEEK)}))
    told, command = extends(bench)
    assert (told.kind, told.started, told.until) == (Kind.SESSION_EXTENDED, text(at(10)), text(at(12)))
    assert (told.member, told.machine_kind, told.cuts, told.access_point) == ("brigitte", "laser", True, "laser")
    assert (command.kind, command.granted) == (Kind.COMMAND, True)
    assert kinds(bench.until(at(11, 54, 59))) == [], "it does not warn of the old end any more"
    assert bench.runs()
    assert kinds(bench.until(at(12))) == [Kind.SESSION_WARNED, Kind.SESSION_ENDED]
    assert last(bench, Kind.SESSION_ENDED).ended == text(at(12))


def test_an_order_extend_moves_the_session_that_was_meant_alone() -> None:
    """Two sessions in quick succession: the order was given while the server knew the first alone."""
    bench = running()
    meant = bench.controller.places[1].session.start  # type: ignore[union-attr]
    bench.waits(60)
    bench.tap(BRIGITTE)
    bench.waits(60)
    bench.tap(BRIGITTE)
    bench.swaps(fab_rules(quotas={"laser": Quota(7200, Period.WEEK)}))
    (command,) = extends(bench, began=meant)
    why = f"another session runs on it: the one that is meant began at {text(meant)}"
    assert (command.granted, command.detail) == (False, why)
    begun = last(bench, Kind.SESSION_STARTED)
    assert begun.started is not None
    assert kinds(extends(bench, began=instant(begun.started))) == [Kind.SESSION_EXTENDED, Kind.COMMAND]


def test_an_order_extend_that_gives_nothing_more_leaves_no_row_of_the_session() -> None:
    bench = running()
    bench.waits(60)
    (command,) = extends(bench)
    assert (command.kind, command.granted, command.detail) == (Kind.COMMAND, True, "alice")
    assert kinds(bench.until(at(11))) == [Kind.SESSION_WARNED, Kind.SESSION_ENDED]


def test_an_order_extend_where_nothing_may_go_on_says_why() -> None:
    bench = running()
    assert [(row.granted, row.detail) for row in extends(bench, "saw")] == [(False, "no session runs on it")]
    bench.swaps(fab_rules(machines=laser(locked_out=True), quotas={}))
    assert [(row.granted, row.detail) for row in extends(bench)] == [(False, "machine_locked_out")]
    bench.swaps(fab_rules(machines={}))
    assert [(row.granted, row.detail) for row in extends(bench)] == [(False, "rules_stale")]
    bench.swaps(fab_rules(quotas={}))
    bench.does(JournalTrouble, why="disk full")
    assert [row.granted for row in extends(bench)] == [False], "a power cut would hide what was not written"
    bench.does(JournalTrouble, why=None)
    assert [row.granted for row in extends(bench, refused="too many")] == [False]
    assert kinds(extends(bench)) == [Kind.SESSION_EXTENDED, Kind.COMMAND]
    assert bench.controller.places[1].session.until is None  # type: ignore[union-attr]


@pytest.mark.parametrize("uid", [BRIGITTE, REMY])
def test_a_session_that_the_server_tells_of_no_more_is_this_machines_own_all_the_same(uid: bytes) -> None:
    """Its kind was given another name in the office, say."""
    bench = running()
    bench.waits(60)
    bench.knows(own=bench.rows[-1].seq)
    assert kinds(extends(bench)) == [Kind.COMMAND]
    row = bench.tap(uid)
    assert row.reason is (Reason.SESSION_ENDED if uid == BRIGITTE else Reason.MACHINE_BUSY)
    assert bench.runs() == (uid != BRIGITTE)


def test_the_order_end_ends_the_session_that_was_meant_and_the_machine_stays_in_service() -> None:
    bench = running()
    begun = last(bench, Kind.SESSION_STARTED)
    assert begun.started is not None
    (command,) = extends(bench, order=Order.END, began=instant(begun.started) - 1)
    assert (command.granted, bench.runs()) == (False, True)
    bench.disk = False
    assert kinds(extends(bench, order=Order.END, began=instant(begun.started))) == [Kind.SESSION_ENDED, Kind.COMMAND]
    assert bench.order[0] == Drive("laser.interlock", active=False), "before anything is written"
    bench.disk = True
    assert [row.detail for row in extends(bench, order=Order.END)] == ["no session runs on it"]
    bench.waits(6)
    bench.taps(BRIGITTE)
    assert bench.runs(), "nobody has to put it back"


def test_an_order_extend_at_the_very_end_comes_too_late() -> None:
    bench = running()
    bench.mono = 3600.0
    bench.controller.core.held = replace_setup(bench.controller.core.held, rules=fab_rules(quotas={}))  # type: ignore[type-var]
    assert kinds(extends(bench)) == [Kind.COMMAND, Kind.SESSION_ENDED]
    assert not bench.runs()


# Attended


def test_an_attended_machine_ends_five_minutes_after_its_holder_left() -> None:
    bench = running()
    bench.waits(60)
    bench.moves("brigitte", inside=False)
    assert bench.until(at(10, 6) - 1) == []
    assert bench.runs()
    (ended,) = bench.until(at(10, 6))
    assert (ended.kind, ended.ended) == (Kind.SESSION_ENDED, text(at(10, 6)))
    assert not bench.runs()


def test_whoever_comes_back_in_time_goes_on() -> None:
    bench = running()
    bench.moves("brigitte", inside=False)
    bench.waits(299)
    bench.moves("brigitte", inside=True)
    assert bench.until(at(10, 50)) == []
    assert bench.runs()
    bench.moves("brigitte", inside=False)
    assert bench.until(at(10, 55) - 1) == [], "a new absence has five minutes of its own"
    assert Kind.SESSION_ENDED in kinds(bench.until(at(10, 55)))


def test_it_warns_meanwhile() -> None:
    bench = running()
    bench.moves("brigitte", inside=False)
    bench.history.clear()
    bench.waits(20)
    assert any(output == "laser-tap.buzzer" and active for _, output, active in bench.history)
    bench.moves("brigitte", inside=True)
    bench.history.clear()
    bench.waits(20)
    assert not any(active for _, output, active in bench.history if output == "laser-tap.buzzer")


def test_too_few_people_and_an_absent_holder_share_one_timer() -> None:
    bench = FabBench(inside=("brigitte", "remy"))
    bench.taps(BRIGITTE, "saw-tap")
    bench.moves("remy", inside=False)
    bench.waits(200)
    bench.moves("brigitte", inside=False)
    bench.waits(50)
    bench.moves("remy", inside=True)
    assert bench.until(at(10, 5) - 1) == []
    assert kinds(bench.until(at(10, 5))) == [Kind.SESSION_ENDED]


def test_both_must_be_mended() -> None:
    bench = FabBench(inside=("brigitte", "remy"))
    bench.taps(BRIGITTE, "saw-tap")
    bench.moves("remy", inside=False)
    bench.waits(250)
    bench.moves("remy", inside=True)
    assert bench.waits(600) == []
    assert bench.runs("saw")


def test_at_day_cutoff_the_holder_is_checked_out() -> None:
    bench = FabBench(inside=("brigitte", "remy"), rules=fab_rules(quotas={}))
    bench.until(at(23))
    bench.taps(REMY)
    assert bench.runs()
    assert bench.until(at(28)) == []
    assert bench.until(at(28, 5) - 1) == []
    (ended,) = bench.until(at(28, 5))
    assert (ended.kind, ended.ended) == (Kind.SESSION_ENDED, text(at(28, 5)))


def test_a_machine_that_needs_nobody_runs_through_the_night() -> None:
    bench = FabBench()
    bench.taps(BRIGITTE, "printer-tap")
    bench.moves("brigitte", inside=False)
    assert bench.until(at(32)) == []
    assert bench.runs("printer")


# The emergency stop


def test_the_emergency_stop_ends_the_session_and_keeps_the_machine_off() -> None:
    bench = running()
    bench.waits(60)
    bench.disk = False
    rows = bench.estop()
    assert bench.order[0] == Drive("laser.interlock", active=False)
    assert kinds(rows) == [Kind.SESSION_ENDED, Kind.ESTOP]
    assert rows[0].ended == text(at(10, 1))
    assert not bench.runs()
    bench.estop(active=False)
    assert bench.tap(BRIGITTE).reason is Reason.MACHINE_LOCKED_OUT
    assert not bench.runs("laser")


def test_pressed_on_a_machine_that_stands_still() -> None:
    bench = FabBench()
    assert kinds(bench.estop()) == [Kind.ESTOP]
    assert bench.state.stopped == {"laser"}
    assert bench.tap(BRIGITTE, "printer-tap").reason is Reason.WALK_UP, "the others run on"


def test_pressed_without_power_the_edge_finds_it_stopped() -> None:
    """Its first look at its inputs tells each level."""
    bench = FabBench(sessions=[session(10)], alive_at=at(10, 20), start=at(10, 40))
    bench.estop()
    assert kinds(bench.rows) == [Kind.STARTED, Kind.SESSION_ENDED, Kind.ESTOP]
    assert bench.tap(BRIGITTE).reason is Reason.MACHINE_LOCKED_OUT


@pytest.mark.parametrize("uid", [ALICE, GREGOIRE])
def test_staff_and_fab_managers_put_it_back_in_service(uid: bytes) -> None:
    bench = FabBench()
    bench.estop()
    bench.estop(active=False)
    rows = bench.taps(uid)
    assert kinds(rows) == [Kind.TAP, Kind.MACHINE_RESET]
    assert rows[0].reason is Reason.MACHINE_RESET
    assert not bench.runs(), "back in service is not started"
    assert bench.taps(uid) == [], "the same tap"
    assert bench.tap(BRIGITTE).reason is Reason.WALK_UP
    assert bench.runs()


def test_while_it_is_pressed_nobody_puts_it_back_in_service() -> None:
    bench = FabBench()
    bench.estop()
    assert bench.tap(ALICE).reason is Reason.MACHINE_LOCKED_OUT
    bench.waits(6)
    bench.estop(active=False)
    assert bench.tap(ALICE).reason is Reason.MACHINE_RESET
    bench.estop()
    assert bench.tap(GREGOIRE).reason is Reason.MACHINE_LOCKED_OUT


@pytest.mark.parametrize("before", [True, False])
def test_while_the_stop_has_not_been_read_since_the_edge_started_nothing_is_reset_and_nothing_starts(
    before: bool,
) -> None:
    """A relay pulled now would start the machine when the button, which nobody has looked at, is raised."""
    bench = FabBench(reads=False, facts=(Stopped("laser", True),) if before else ())
    bench.waits(1)
    assert any(output == "laser-tap.red" and active for _, output, active in bench.history)
    for uid in (ALICE, GREGOIRE, BRIGITTE):
        assert bench.tap(uid).reason is Reason.MACHINE_LOCKED_OUT
        bench.waits(6)
    assert not any(output == "laser.interlock" and active for _, output, active in bench.history)
    bench.estop(active=False)
    assert bench.tap(ALICE).reason is (Reason.MACHINE_RESET if before else Reason.WALK_UP)


def test_the_stop_of_one_machine_that_was_not_read_holds_up_no_other() -> None:
    bench = FabBench(reads=False)
    bench.estop("printer", active=False)
    assert bench.tap(BRIGITTE, "printer-tap").reason is Reason.WALK_UP
    assert bench.tap(BRIGITTE).reason is Reason.MACHINE_LOCKED_OUT


def test_a_machine_that_has_no_emergency_stop_waits_for_none() -> None:
    bench = FabBench(reads=False, setups=(replace_setup(LASER, has_estop=False),))
    assert bench.tap(BRIGITTE).reason is Reason.WALK_UP


def test_a_lamp_that_blinks_red_says_that_it_is_stopped() -> None:
    bench = FabBench()
    bench.estop()
    bench.history.clear()
    bench.waits(10)
    assert sum(output == "laser-tap.red" and active for _, output, active in bench.history) >= 9


# Out of service, and rules that change on the way


def test_a_lock_out_waits_for_the_running_session() -> None:
    bench = running()
    bench.swaps(fab_rules(machines=laser(locked_out=True)))
    assert bench.waits(60) == []
    assert bench.runs()
    bench.taps(BRIGITTE)
    bench.waits(6)
    assert bench.tap(BRIGITTE).reason is Reason.MACHINE_LOCKED_OUT


def test_an_urgent_lock_out_does_not() -> None:
    bench = running()
    bench.waits(60)
    (ended,) = bench.swaps(fab_rules(machines=laser(locked_out=True, urgent=True)))
    assert (ended.kind, ended.ended) == (Kind.SESSION_ENDED, text(at(10, 1)))
    assert not bench.runs()


def test_what_a_session_is_was_fixed_when_it_began() -> None:
    bench = running()
    warns = replace(MACHINES["laser"], cuts=False, kind="engraver", hours=spans([(at(9), at(10, 1))]))
    bench.swaps(fab_rules(machines=MACHINES | {"laser": warns}, quotas={}))
    assert kinds(bench.until(at(10, 59))) == [Kind.SESSION_WARNED]
    (ended,) = bench.until(at(11))
    assert (ended.machine_kind, ended.cuts) == ("laser", True)


def test_lockdown_suspension_and_a_lost_certification_end_no_running_session() -> None:
    bench = running()
    rules = fab_rules(certifications={})
    members = rules.members | {"brigitte": replace(rules.members["brigitte"], suspended=True)}
    bench.swaps(replace(rules, members=members))
    bench.state.lockdown = True
    assert bench.waits(60) == []
    assert bench.runs()
    assert bench.tap(BRIGITTE).reason is Reason.SESSION_ENDED


def test_a_machine_that_the_rules_no_longer_know_may_still_be_stopped_by_its_button() -> None:
    bench = running()
    bench.swaps(fab_rules(machines={}))
    assert bench.runs()
    assert kinds(bench.estop()) == [Kind.SESSION_ENDED, Kind.ESTOP]


def test_attended_is_as_the_rules_of_the_moment_say() -> None:
    bench = running()
    bench.moves("brigitte", inside=False)
    bench.swaps(fab_rules(machines=laser(attended=False)))
    bench.waits(400)
    assert bench.runs()


# Power cuts


def session(hour: int, until: int | None = at(11), *, cuts: bool = True) -> Session:
    return Session("laser", "laser", "brigitte", at(hour), until, cuts)


def test_a_power_cut_ends_the_session_at_the_last_second_that_was_recorded() -> None:
    bench = FabBench(sessions=[session(10)], alive_at=at(10, 20, 7), start=at(10, 40))
    (_, ended) = bench.rows
    assert (ended.kind, ended.ended, ended.member) == (Kind.SESSION_ENDED, text(at(10, 20, 7)), "brigitte")
    assert not bench.runs()
    assert bench.tap(BRIGITTE).until == text(at(11, 19, 53)), "forty minutes less seven seconds are left"


def test_a_session_that_only_the_server_still_knows_is_ended() -> None:
    """Its end was in a journal that is lost: without this the laser would be busy for ever."""
    bench = FabBench(alive_at=at(9, 40))
    (ended,) = bench.knows(Ran(session(9)))
    assert (ended.kind, ended.member, ended.ended) == (Kind.SESSION_ENDED, "brigitte", text(at(9, 40)))
    assert bench.knows(Ran(session(9))) == [], "it is said once: own rows stand over a state that lacks them"
    assert bench.tap(REMY).granted


def test_a_state_does_not_end_the_session_that_runs() -> None:
    bench = running()
    (own,) = bench.state.sessions.of_machine("laser")
    assert bench.knows(Ran(own), own=bench.rows[-1].seq) == []
    assert bench.runs()


def test_power_that_comes_back_after_its_end_found_it_ended_before() -> None:
    """A session that the cut ended at 10:20 did not run until 11:00."""
    bench = FabBench(sessions=[session(10)], alive_at=at(10, 20), start=at(14))
    assert [row.ended for row in bench.rows[1:]] == [text(at(10, 20))]


@pytest.mark.parametrize("alive_at", [None, at(9)])
def test_a_session_of_which_nothing_was_recorded_lasted_no_time(alive_at: int | None) -> None:
    bench = FabBench(sessions=[session(10)], alive_at=alive_at, start=at(10, 40))
    assert bench.rows[-1].ended == text(at(10))


def test_sessions_that_ended_and_those_of_others_are_left_alone() -> None:
    over = replace(session(10), end=at(10, 5))
    elsewhere = Session("lathe", "lathe", "remy", at(10))
    bench = FabBench(sessions=[over, elsewhere], alive_at=at(10, 20), start=at(10, 40))
    assert kinds(bench.rows) == [Kind.STARTED]


def test_the_runtime_is_told_while_a_session_runs() -> None:
    bench = FabBench()
    assert not bench.controller.runs_session
    bench.taps(BRIGITTE)
    assert bench.controller.runs_session
    bench.waits(6)
    bench.taps(BRIGITTE)
    assert not bench.controller.runs_session


# Trouble


def test_journal_trouble_refuses_starts_and_nothing_else() -> None:
    bench = FabBench()
    bench.does(JournalTrouble, why="disk full")
    row = bench.tap(BRIGITTE)
    assert (row.granted, row.reason, row.member) == (False, Reason.MACHINE_LOCKED_OUT, "brigitte")
    assert bench.tap(UNKNOWN).reason is Reason.UNKNOWN_CREDENTIAL
    bench.estop()
    bench.estop(active=False)
    assert bench.tap(ALICE).reason is Reason.MACHINE_RESET
    bench.does(JournalTrouble, why=None)
    bench.waits(6)
    assert bench.tap(BRIGITTE).reason is Reason.WALK_UP


@pytest.mark.parametrize("full", [False, True])
def test_journal_trouble_never_keeps_from_stopping(full: bool) -> None:
    bench = running()
    bench.waits(60)
    bench.does(JournalTrouble, why="disk full", full=full)
    bench.taps(BRIGITTE)
    assert not bench.runs()
    assert bench.state.sessions.running("laser", bench.now.at) is None


def test_journal_trouble_does_not_hold_up_the_end() -> None:
    bench = running()
    bench.does(JournalTrouble, why="disk full", full=True)
    bench.until(at(11))
    assert not bench.runs()


def test_without_rules_every_machine_waits() -> None:
    bench = FabBench()
    bench.controller.core.held = None
    assert bench.tap(BRIGITTE).reason is Reason.RULES_STALE
    assert bench.rows[-1].rules_version is None
    bench.waits(10)
    assert any(output == "laser-tap.green" and active for _, output, active in bench.history)
    bench.does(RulesSwapped, held=HeldRules(8, "", FOREVER, fab_rules()))
    assert bench.tap(BRIGITTE).reason is Reason.WALK_UP


def test_stale_rules_start_nothing() -> None:
    bench = FabBench()
    bench.does(RulesSwapped, held=HeldRules(8, "", at(9), fab_rules()))
    assert bench.tap(BRIGITTE).reason is Reason.RULES_STALE
    assert bench.tap(ALICE).reason is Reason.RULES_STALE


def test_what_cannot_be_read_and_what_flutters_is_told() -> None:
    bench = FabBench()
    (row,) = bench.does(CardUnreadable, reader="laser-tap")
    assert (row.kind, row.access_point, row.detail) == (Kind.CARD_UNREADABLE, "laser", "1 time")
    assert bench.does(CardUnreadable, reader="laser-tap") == []
    (began,) = bench.does(InputUnsteady, name="laser.estop")
    (ended,) = bench.does(InputSteady, name="laser.estop", changes=40)
    assert [(row.kind, row.detail) for row in (began, ended)] == [
        (Kind.INPUT_UNSTEADY, "estop"),
        (Kind.INPUT_STEADY, "estop: 40 changes"),
    ]


def test_what_happens_at_the_reader() -> None:
    bench = FabBench()
    (row,) = bench.does(CardsCollided, reader="laser-tap")
    assert (row.kind, row.reader, row.access_point) == (Kind.CARDS_COLLIDED, "laser-tap", "laser")
    assert bench.does(CardGone, reader="laser-tap") == []
    (row,) = bench.does(ReaderFault, reader="laser-tap", why="silent")
    assert (row.kind, row.detail) == (Kind.READER_FAULT, "silent")
    bench.waits(20)
    assert sum(output == "laser-tap.red" and active for _, output, active in bench.history) > 10
    (row,) = bench.does(ReaderRecovered, reader="laser-tap")
    assert row.kind is Kind.READER_RECOVERED
    bench.waits(3)
    assert not bench.outputs["laser-tap.red"]


def test_a_locked_out_machine_is_red() -> None:
    bench = FabBench(rules=fab_rules(machines=laser(locked_out=True)))
    bench.waits(1)
    assert bench.outputs["laser-tap.red"]
    assert not bench.outputs["printer-tap.red"]


def test_a_lamp_is_green_while_a_session_runs() -> None:
    bench = running()
    bench.waits(120)
    assert bench.outputs["laser-tap.green"]
    assert bench.controller.due(bench.now) == pytest.approx(55 * 60), (
        "what does not look at lamps waits for the warning"
    )


# Whatever happens

UIDS = st.sampled_from([ALICE, BRIGITTE, GREGOIRE, REMY, UNKNOWN])
HAPPENINGS = st.one_of(
    st.tuples(st.just("tap"), UIDS),
    st.tuples(st.just("estop"), st.booleans()),
    st.tuples(st.just("moves"), st.sampled_from(["brigitte", "remy"]), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([0.001, 3.0, 5.0, 5.001, 299.999, 300.0, 1700.0, 3600.0, 40000.0])),
    st.tuples(st.just("disk"), st.booleans()),
    st.tuples(st.just("trouble"), st.booleans(), st.booleans()),
    st.tuples(st.just("rules"), st.booleans(), st.booleans()),
    st.tuples(st.just("clock"), st.booleans()),
)
STORIES = st.lists(HAPPENINGS, max_size=30)


def live(bench: FabBench, happening: tuple[object, ...]) -> None:
    match happening:
        case ("tap", bytes(uid)):
            bench.taps(uid)
        case ("estop", bool(active)):
            bench.estop(active=active)
        case ("moves", str(member), bool(inside)):
            bench.moves(member, inside)
        case ("wait", float(seconds)):
            bench.waits(seconds)
        case ("disk", bool(well)):
            bench.disk = well
        case ("trouble", bool(bad), bool(full)):
            bench.does(JournalTrouble, why="disk full" if bad else None, full=bad and full)
        case ("rules", bool(out), bool(urgent)):
            bench.swaps(fab_rules(machines=laser(locked_out=out, urgent=out and urgent)))
        case ("clock", bool(trusted)):
            bench.clock = ClockState.SYNCED if trusted else ClockState.UNKNOWN
            bench.steps()


class Auditor:
    """Counts sessions from rows and acknowledgements alone, and holds them against the interlock."""

    def __init__(self, bench: FabBench) -> None:
        self.bench, self.seen, self.on_disk = bench, 0, 0
        self.open: Row | None = None

    def check(self) -> None:
        bench = self.bench
        if bench.disk and bench.rows:
            self.on_disk = max(self.on_disk, bench.rows[-1].seq)
        for row in bench.rows[self.seen :]:
            if row.kind is Kind.SESSION_STARTED:
                assert self.open is None, "one session at a time"
                self.open = row
            elif row.kind is Kind.SESSION_ENDED:
                assert self.open is not None
                assert self.open.started == row.started
                assert str(row.ended) >= str(row.started)
                self.open = None
        self.seen = len(bench.rows)
        if bench.runs():
            assert bench.controller.runs_session
            if self.open is not None:
                assert self.open.seq <= self.on_disk


@given(STORIES)
def test_the_interlock_is_on_only_while_a_session_runs_whose_start_is_on_disk(story: list[tuple[object, ...]]) -> None:
    bench = FabBench(setups=(LASER,))
    auditor = Auditor(bench)
    for happening in story:
        live(bench, happening)
        auditor.check()
        session = bench.controller.places[0].session  # type: ignore[union-attr]
        assert not bench.runs() or session is not None
        if session is not None and bench.clock is not ClockState.UNKNOWN:
            assert session.over is None or bench.now.at < session.over
            assert bench.state.sessions.running("laser", bench.now.at) == session
    bench.waits(2 * 24 * 3600)
    assert not bench.runs(), "an attended machine that cuts is off when everybody has been checked out"


@given(STORIES)
def test_stopping_one_s_own_session_is_never_refused(story: list[tuple[object, ...]]) -> None:
    bench = FabBench(setups=(LASER,))
    for happening in story:
        live(bench, happening)
    bench.waits(6)
    session = bench.controller.places[0].session  # type: ignore[union-attr]
    if session is not None:
        uid = {"alice": ALICE, "brigitte": BRIGITTE, "gregoire": GREGOIRE, "remy": REMY}[session.member]
        bench.taps(uid)
        assert not bench.runs()
        assert bench.controller.places[0].session is None  # type: ignore[union-attr]


@given(STORIES, st.integers(0, 3 * HOUR // MINUTE))
def test_an_emergency_stop_always_stops(story: list[tuple[object, ...]], minutes: int) -> None:
    bench = FabBench(setups=(LASER,))
    for happening in story:
        live(bench, happening)
    bench.estop()
    assert not bench.runs()
    bench.disk = True
    bench.written()
    bench.waits(minutes * 60)
    bench.steps(CardSeen(bench.now.at, bench.mono, "laser-tap", BRIGITTE, 8, 26, 0.003))
    assert not bench.runs()


def test_a_member_ended_while_a_machine_runs_has_it_to_its_end_and_no_longer() -> None:
    """What runs is not cut in the middle of a piece; it ends when it would have, and is not started again."""
    bench = running(rules=fab_rules(machines=laser(attended=False)))
    rules = fab_rules(machines=laser(attended=False))
    left = {badge: known for badge, known in rules.credentials.items() if known.member != "brigitte"}
    others = {who: known for who, known in rules.members.items() if who != "brigitte"}
    bench.swaps(replace(rules, members=others, credentials=left))
    bench.mono += 60
    assert bench.runs()
    assert bench.tap(BRIGITTE).reason is Reason.UNKNOWN_CREDENTIAL
    assert bench.runs()
    bench.until(at(11))
    assert not bench.runs()
    assert last(bench, Kind.SESSION_ENDED).ended == text(at(11))
    assert bench.tap(BRIGITTE).reason is Reason.UNKNOWN_CREDENTIAL
    assert not bench.runs()
