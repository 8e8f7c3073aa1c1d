"""Does virtual time keep pace with real time, and stay exact inside an exchange with a chip?"""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.board import Board
from simulator.pace import SPEEDS, Anchor, Pace, PacedClock

START = 1_800_000_000_000
SECOND = 1_000_000_000


class Real:
    """A CLOCK_MONOTONIC that a test moves."""

    def __init__(self) -> None:
        self.ns = 5 * SECOND

    def __call__(self) -> int:
        return self.ns


def test_virtual_time_passes_at_the_speed() -> None:
    real = Real()
    pace = Pace.starting(START, 10, real)
    real.ns += 3 * SECOND
    assert pace.now() == START + 30_000


def test_it_says_what_it_showed_some_real_seconds_ago() -> None:
    real = Real()
    pace = Pace.starting(START, 60, real)
    real.ns += 10 * SECOND
    pace.change(1)
    real.ns += 4 * SECOND
    assert [pace.at(ago) for ago in (0, 3, 9, 99)] == [START + 604_000, START + 601_000, START + 300_000, START]
    assert pace.at(-60) == START + 664_000, "what is ahead is as far ahead"


def test_it_stands_still_when_paused_and_goes_on_from_there() -> None:
    real = Real()
    pace = Pace.starting(START, 60, real)
    real.ns += SECOND
    pace.change(0)
    real.ns += 1000 * SECOND
    assert pace.now() == START + 60_000
    pace.change(1)
    real.ns += SECOND
    assert pace.now() == START + 61_000


@given(st.lists(st.tuples(st.sampled_from(SPEEDS), st.integers(0, 10**10)), max_size=20))
def test_it_never_goes_back_whatever_the_changes(changes: list[tuple[int, int]]) -> None:
    real = Real()
    pace = Pace.starting(START, 1, real)
    before = pace.now_ns()
    for speed, passed in changes:
        real.ns += passed
        pace.change(speed)
        assert pace.now_ns() >= before
        before = pace.now_ns()


def test_an_anchor_that_comes_late_does_not_turn_time_back() -> None:
    real = Real()
    pace = Pace.starting(START, 60, real)
    slower = Anchor(pace.now_ns(), real.ns, 1)
    real.ns += SECOND
    reached = pace.now_ns()
    pace.follow(slower)
    assert pace.now_ns() == reached


def test_two_processes_agree_by_the_anchor_alone() -> None:
    real = Real()
    one = Pace.starting(START, 10, real)
    other = Pace(one.anchor, real)
    real.ns += 12_345_678
    assert one.now_ns() == other.now_ns()


def test_a_speed_that_is_not_offered_is_refused() -> None:
    with pytest.raises(ValueError, match="speed 7: use one of 0, 1, 10, 60"):
        Pace.starting(START).change(7)


def test_real_seconds_to_a_virtual_deadline() -> None:
    real = Real()
    pace = Pace.starting(START, 10, real)
    assert pace.real_seconds(pace.now_ns() + 20 * SECOND) == pytest.approx(2.0)
    assert pace.real_seconds(pace.now_ns() - 1) == 0.0
    pace.change(0)
    assert pace.real_seconds(pace.now_ns() + SECOND) is None


def slept(pace: Pace, seconds: float) -> threading.Thread:
    """A thread that sleeps so many virtual seconds on the pace."""
    until = pace.now_ns() + round(seconds * SECOND)
    thread = threading.Thread(target=pace.wait, args=(until,), daemon=True)
    thread.start()
    return thread


def test_who_sleeps_when_time_stands_still_wakes_when_it_moves_again() -> None:
    pace = Pace.starting(START, 0)
    thread = slept(pace, 0.5)
    pace.change(60)
    thread.join(5)
    assert not thread.is_alive()
    assert pace.now() >= START + 500


def test_the_end_wakes_everybody() -> None:
    pace = Pace.starting(START, 0)
    thread = slept(pace, 3600)
    pace.stop()
    thread.join(5)
    assert not thread.is_alive()


def test_a_change_of_speed_is_told() -> None:
    pace, told = Pace.starting(START), []
    pace.on_change(lambda: told.append(pace.speed))
    pace.change(60)
    pace.follow(Anchor(pace.now_ns(), 0, 10))
    assert told == [60, 10]


def test_polls_are_skipped_when_time_flies_and_nothing_moves() -> None:
    pace = Pace.starting(START, 60)
    before = pace.now_ns()
    pace.wait(before + 10_000_000, at_least=0.02)
    assert pace.now_ns() - before >= 60 * 20_000_000


def test_no_poll_is_skipped_when_something_moves() -> None:
    pace = Pace.starting(START, 60)
    done = threading.Event()

    def long() -> None:
        pace.wait(pace.now_ns() + 10_000_000, at_least=30)
        done.set()

    threading.Thread(target=long, daemon=True).start()
    pace.stir()
    assert done.wait(5)


def test_a_chip_takes_its_exact_time_whatever_the_pace() -> None:
    clock = PacedClock(Pace.starting(START, 60))
    chip = Board(clock).add_chip(0, 0)
    chip.transfer(bytes([0x80 | 0x37 << 1, 0]))
    began = clock.monotonic()
    chip.transfer(bytes([0x80 | 0x37 << 1, 0]))
    clock.sleep(0.001)
    assert clock.monotonic() - began == pytest.approx(21.6e-6 + 80e-6 + 1e-3, abs=1e-9)


def test_the_chips_time_catches_up_between_two_polls() -> None:
    real = Real()
    pace = Pace.starting(START, 1, real)
    clock = PacedClock(pace)
    clock.advance(1000)
    real.ns += SECOND
    assert clock.monotonic() == pytest.approx(1e-6), "an exchange is under way"
    pace.stop()
    clock.sleep(0.01)
    assert clock.monotonic() == pytest.approx(1.0)


def test_who_talks_to_no_chip_reads_the_pace() -> None:
    real = Real()
    clock = PacedClock(Pace.starting(START, 10, real))
    clock.advance(1000)
    clock.fall_silent()
    real.ns += SECOND
    assert clock.now() == START + 10_000
    assert clock.monotonic() == pytest.approx(10.0)
    assert clock.real_timeout(12.0) == pytest.approx(0.2)
