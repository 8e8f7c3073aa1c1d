"""A trusted clock that is set while people are inside and machines run: nobody is shut out, nothing hangs on it."""

import pytest
from msgspec.structs import replace

from edge.core import Memory
from edge.memory import recall
from policy.instants import text
from policy.presence import Move
from policy.reasons import Reason
from policy.ruleset import AntiPassback
from policy.terms import DAY, HOUR, MINUTE, SECOND
from tests.support_fablab import MACHINES, FabBench, fab_rules, kinds
from tests.support_site import ALICE, BRIGITTE, REMY, at
from wire.row import Kind, Row

JUMPS = [-400 * DAY, -DAY, -HOUR, -5 * MINUTE, -3 * SECOND, 3 * SECOND, 5 * MINUTE, HOUR, DAY, 400 * DAY]


def jumps(bench: FabBench, by: int) -> list[Row]:
    """The clock is set, and the edge looks at it."""
    bench.start += by
    return bench.steps()


@pytest.mark.parametrize("by", JUMPS)
def test_each_jump_is_a_row_that_says_from_and_to(by: int) -> None:
    bench = FabBench()
    bench.waits(60)
    was = bench.now.at
    (row,) = jumps(bench, by)
    assert (row.kind, row.detail) == (Kind.CLOCK_SET, f"from {text(was)} to {text(was + by)}")
    assert bench.steps() == [], "said once"


@pytest.mark.parametrize("by", [-2 * SECOND, -1, 0, 1, 2 * SECOND])
def test_a_clock_that_is_slewed_was_not_set(by: int) -> None:
    assert jumps(FabBench(), by) == []


@pytest.mark.parametrize("by", JUMPS)
def test_who_leaves_after_a_jump_is_out_and_may_come_back(by: int) -> None:
    """In the rain before a door with hard anti-passback: an entry dated in the future would keep them there."""
    bench = FabBench(rules=fab_rules(anti_passback=AntiPassback.HARD), inside=(), start=at(10) - by)
    bench.taps(ALICE, "front-in")
    assert bench.state.presence.moves["alice"] == Move(at(10) - by, inside=True)
    bench.mono += 60
    jumps(bench, by)
    bench.mono += 60
    assert bench.tap(ALICE, "front-out").reason is Reason.EGRESS
    assert bench.state.presence.moves["alice"] == Move(at(10, 2), inside=False)
    bench.mono += 60
    assert bench.tap(ALICE, "front-in").reason is Reason.STAFF


@pytest.mark.parametrize("by", JUMPS)
def test_who_came_by_a_wrong_clock_is_inside_by_the_right_one(by: int) -> None:
    bench = FabBench(inside=(), start=at(10))
    bench.taps(REMY, "front-in")
    assert bench.state.presence.moves["remy"].inside
    bench.mono += 60
    jumps(bench, by)
    assert bench.state.presence.moves["remy"] == Move(at(10) + by, inside=True)
    bench.mono += 60
    jumps(bench, -by)
    assert bench.state.presence.moves["remy"] == Move(at(10), inside=True), "there and back again"


def test_what_others_saw_is_not_dated_by_this_clock() -> None:
    bench = FabBench()
    before = dict(bench.state.presence.moves)
    jumps(bench, -HOUR)
    assert bench.state.presence.moves == before


@pytest.mark.parametrize("by", JUMPS)
def test_after_a_power_cut_the_rows_tell_the_same(by: int) -> None:
    bench = FabBench(inside=(), start=at(10))
    bench.taps(REMY, "front-in")
    bench.mono += 60
    jumps(bench, by)
    bench.mono += 60
    bench.taps(BRIGITTE, "front-in")
    lived = {who: bench.state.presence.moves.get(who) for who in ("remy", "brigitte")}
    told = recall(reversed(bench.rows), Memory("b2")).knowledge.state.presence.moves
    assert {who: told.get(who) for who in lived} == lived


@pytest.mark.parametrize("by", JUMPS)
def test_a_strike_falls_back_when_its_seconds_are_over(by: int) -> None:
    bench = FabBench()
    bench.taps(ALICE, "front-in")
    assert bench.outputs["strike"]
    bench.mono += 1
    jumps(bench, by)
    assert bench.outputs["strike"]
    bench.waits(3.9)
    assert bench.outputs["strike"]
    bench.waits(0.2)
    assert not bench.outputs["strike"]


# Sessions


def running(**changes: object) -> FabBench:
    """Brigitte runs the laser since ten, for an hour; the rules name no end of the day that a jump could reach."""
    bench = FabBench(rules=fab_rules(machines=MACHINES | {"laser": replace(MACHINES["laser"], attended=False)}))
    bench.taps(BRIGITTE)
    assert bench.runs()
    return bench


@pytest.mark.parametrize("by", JUMPS)
def test_a_session_lasts_as_long_as_it_would_have(by: int) -> None:
    bench = running()
    bench.waits(20 * 60)
    rows = jumps(bench, by)
    assert kinds(rows)[:3] == [Kind.CLOCK_SET, Kind.SESSION_ENDED, Kind.SESSION_STARTED]
    assert rows[1].ended == rows[1].started == text(at(10)), "what was told before has no length"
    assert (rows[2].started, rows[2].until) == (text(at(10) + by), text(at(11) + by))
    assert bench.runs()
    bench.waits(39 * 60)
    assert bench.runs()
    bench.waits(2 * 60)
    assert not bench.runs()
    ended = next(row for row in reversed(bench.rows) if row.kind is Kind.SESSION_ENDED)
    assert ended.ended == text(at(11) + by)
    sessions = bench.state.sessions.of_member("brigitte", "laser")
    assert sum(session.seconds(at(0) - 500 * DAY, at(0) + 500 * DAY) for session in sessions) == 3600


@pytest.mark.parametrize("by", [-HOUR, -3 * SECOND, 3 * SECOND, HOUR])
def test_a_clock_that_is_set_there_and_back_again_loses_no_second_of_a_session(by: int) -> None:
    bench = running()
    for jump in (by, -by, by, -by):
        bench.waits(60)
        jumps(bench, jump)
        assert bench.state.sessions.running("laser", bench.now.at) is not None
    told = [row.started for row in bench.rows if row.kind is Kind.SESSION_STARTED]
    assert len(set(told)) == len(told), "each is told of as a session of its own"
    bench.waits(HOUR / SECOND)
    assert not bench.runs()
    sessions = bench.state.sessions.of_member("brigitte", "laser")
    assert sum(session.seconds(at(0), at(0) + DAY) for session in sessions) in (3599, 3600)


@pytest.mark.parametrize("by", [-DAY, -HOUR, -5 * MINUTE, 5 * MINUTE, HOUR, DAY])
def test_its_holder_stops_it_and_nobody_finds_a_ghost_of_it_later(by: int) -> None:
    bench = running()
    bench.waits(20 * 60)
    jumps(bench, by)
    assert bench.tap(BRIGITTE).reason is Reason.SESSION_ENDED
    assert not bench.runs()
    for minutes in range(0, 26 * 60, 7):
        assert bench.state.sessions.running("laser", bench.now.at + minutes * MINUTE) is None


def test_a_start_that_waits_for_the_disk_gets_its_power_after_a_jump() -> None:
    bench = FabBench()
    bench.disk = False
    bench.taps(BRIGITTE)
    jumps(bench, HOUR)
    assert not bench.runs()
    bench.written()
    assert bench.runs()


def test_five_minutes_alone_are_five_minutes() -> None:
    bench = FabBench()
    bench.taps(BRIGITTE)
    bench.moves("brigitte", inside=False)
    bench.waits(60)
    jumps(bench, HOUR)
    bench.waits(3 * 60)
    assert bench.runs()
    bench.waits(2 * 60)
    assert not bench.runs()


def test_rows_keep_their_order_and_say_what_their_clock_is() -> None:
    bench = FabBench()
    for by in JUMPS:
        bench.mono += 10
        jumps(bench, by)
        bench.taps(ALICE, "front-in")
    assert [row.seq for row in bench.rows] == list(range(1, len(bench.rows) + 1))
    assert [row.mono_ms for row in bench.rows] == sorted(row.mono_ms for row in bench.rows)
