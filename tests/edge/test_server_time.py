"""The server's signed word about the time: asked for in doubt, believed once and soon, and never later than it came."""

from pathlib import Path

import pytest

from edge.server_time import ANSWER_WITHIN, DOUBT, ServerTime
from policy.instants import text
from policy.terms import HOUR, MINUTE, SECOND, ClockState
from simulator.clock import VirtualClock
from tests.support_edge import TOPICS, Bench, Folder, make_folder
from tests.support_machine import fab_bench
from tests.support_site import at
from wire.errors import WireError
from wire.messages import Status
from wire.row import Kind, Order


def seconds(clock: VirtualClock, number: float) -> None:
    clock.advance(round(number * 1e9))


@pytest.fixture
def lost() -> VirtualClock:
    return VirtualClock(start=0, state=ClockState.UNKNOWN)


def test_a_clock_that_is_trusted_asks_nothing() -> None:
    time = ServerTime(VirtualClock(start=at(10)))
    assert not time.in_doubt
    assert time.question() is None


def test_each_question_is_new_and_good_for_one_answer(lost: VirtualClock) -> None:
    time = ServerTime(lost)
    first, second = time.question(), time.question()
    assert first is not None
    assert first != second
    seconds(lost, 4)
    assert time.answered(first, at(10)) is None
    assert (lost.now(), lost.state()) == (at(10), ClockState.SYNCED)
    assert time.question() is None
    assert time.answered(first, at(11)) is not None
    assert time.answered(second, at(11)) is not None
    assert lost.now() == at(10)


@pytest.mark.parametrize("question", [None, "", "somebody else's"])
def test_an_answer_without_a_question_is_none(lost: VirtualClock, question: str | None) -> None:
    time = ServerTime(lost)
    time.question()
    assert time.answered(question, at(10)) == "this edge did not ask that, or has its answer"
    assert lost.state() is ClockState.UNKNOWN


@pytest.mark.parametrize(("late", "believed"), [(0.0, True), (ANSWER_WITHIN, True), (ANSWER_WITHIN + 0.001, False)])
def test_an_answer_is_good_for_ten_seconds(lost: VirtualClock, late: float, believed: bool) -> None:
    time = ServerTime(lost)
    question = time.question()
    seconds(lost, late)
    assert (time.answered(question, at(10)) is None) is believed
    assert (lost.state() is ClockState.SYNCED) is believed


def test_questions_are_forgotten_when_their_time_is_over(lost: VirtualClock) -> None:
    time = ServerTime(lost)
    for _ in range(100):
        time.question()
        seconds(lost, 30)
    assert len(time._asked) == 1


def test_it_is_not_earlier_than_a_message_was_signed_and_what_has_passed_since() -> None:
    clock = VirtualClock(start=at(9))
    time = ServerTime(clock)
    time.heard(text(at(10)))
    seconds(clock, 60)
    assert time.earliest == at(10, 1)
    time.heard(text(at(9)))
    assert time.earliest == at(10, 1)
    with pytest.raises(WireError, match="no instant"):
        time.heard("soon")


def test_a_trusted_clock_that_goes_back_is_in_doubt_until_the_server_answers() -> None:
    clock = VirtualClock(start=at(10))
    time = ServerTime(clock)
    time.look()
    clock.set(now=at(10) - DOUBT)
    assert not time.in_doubt
    clock.set(now=at(9))
    assert time.in_doubt
    assert time.answered(time.question(), at(9, 0, 1)) is None
    assert not time.in_doubt
    assert clock.now() == at(9), "network time is not overruled"
    assert time.earliest == at(9, 0, 1)


def test_a_server_that_is_ahead_is_asked_once() -> None:
    clock = VirtualClock(start=at(9))
    time = ServerTime(clock)
    time.heard(text(at(10)))
    assert time.in_doubt
    assert time.answered(time.question(), at(10)) is None
    seconds(clock, 3600)
    time.look()
    assert not time.in_doubt
    time.heard(text(at(12)))
    assert time.in_doubt, "it is further ahead than it was"


# On an edge


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return make_folder(tmp_path / "site")


def statuses(bench: Bench) -> list[Status]:
    return bench.wire.taken("status")


def in_the_dark(folder: Folder) -> Bench:
    """Back from a power cut, without a battery clock, with a link."""
    bench = fab_bench(folder, VirtualClock(start=at(3), state=ClockState.UNKNOWN))
    bench.connect()
    return bench


def test_the_server_sets_the_clock_and_says_so_on_every_row(folder: Folder) -> None:
    bench = in_the_dark(folder)
    asked = statuses(bench)[-1]
    assert (asked.clock, bool(asked.asks)) == (ClockState.UNKNOWN, True)
    bench.clock.advance(2 * 10**9)
    command = bench.order(Order.SET_CLOCK, asked=asked.asks, after=(at(10) - bench.clock.now()) / 1000)
    assert at(10) <= bench.clock.now() < at(10, 0, 1)
    was_set, done = bench.rows()[-2:]
    assert (was_set.kind, was_set.clock) == (Kind.CLOCK_SET, ClockState.SYNCED)
    assert (done.kind, done.granted, done.clock) == (Kind.COMMAND, True, ClockState.SYNCED)
    assert [reply.nonce for reply in bench.wire.taken("reply")] == [command.nonce]
    told = statuses(bench)[-1]
    assert (told.clock, told.asks) == (ClockState.SYNCED, None), "at once"


def test_each_status_asks_anew_until_then(folder: Folder) -> None:
    bench = in_the_dark(folder)
    bench.wait(65)
    asked = [status.asks for status in statuses(bench)]
    assert len(set(asked)) == len(asked) >= 3
    assert None not in asked


def test_an_old_answer_sets_nothing(folder: Folder) -> None:
    bench = in_the_dark(folder)
    asked = statuses(bench)[-1].asks
    bench.wait(11)
    bench.order(Order.SET_CLOCK, asked=asked)
    assert bench.clock.state() is ClockState.UNKNOWN
    assert not bench.wire.taken("reply")[0].done


def test_after_a_jump_back_commands_wait_for_the_servers_word(folder: Folder) -> None:
    """Who can set an edge's clock back must not be able to use an order that he kept from it."""
    bench = fab_bench(folder, VirtualClock(start=at(10)))
    bench.connect()
    bench.clock.set(now=at(9))
    bench.order(Order.OPEN, "front")
    assert not bench.pins.is_active("strike")
    asked = statuses(bench)[-1]
    assert (asked.clock, bool(asked.asks)) == (ClockState.SYNCED, True)
    bench.order(Order.SET_CLOCK, asked=asked.asks)
    bench.order(Order.OPEN, "front")
    assert bench.pins.is_active("strike")
    assert statuses(bench)[-1].asks is None


def test_every_signed_message_counts(folder: Folder) -> None:
    bench = fab_bench(folder, VirtualClock(start=at(10)))
    bench.give_rules(folder.rules(8))
    assert bench.edge.storage.server_time.earliest >= at(9)
    late = folder.rules(9)
    bench.wire.say(TOPICS.rules, type(late)(9, text(at(12)), late.not_after, late.body))
    bench.settle()
    assert bench.edge.storage.server_time.earliest >= at(12)


def test_after_a_restart_it_is_not_earlier_than_the_newest_row(folder: Folder) -> None:
    bench = fab_bench(folder, VirtualClock(start=at(10)))
    bench.edge.stop()
    bench = Bench(folder, VirtualClock(start=at(10) - HOUR), config=bench.config)
    assert bench.edge.storage.server_time.in_doubt


def test_a_reader_that_falls_silent_is_told_within_five_seconds(folder: Folder) -> None:
    bench = fab_bench(folder)
    bench.connect()
    statuses(bench)
    for why in ("no answer", "stuck"):
        bench.readers[0].fault(why)
        bench.wait(5 * SECOND / 1000)
        assert statuses(bench)[0].readers["front-in"] == why
        bench.readers[0].recover()
        bench.wait(MINUTE / 1000)
        statuses(bench)
