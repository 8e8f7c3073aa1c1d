"""Virtual time passes when told to, in order, for everybody."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from edge.ports import Clock
from policy.terms import ClockState
from simulator.clock import VirtualClock


def test_it_is_the_clock_of_an_edge() -> None:
    clock: Clock = VirtualClock(start=1_000)
    assert (clock.now(), clock.monotonic(), clock.state()) == (1_000, 0.0, ClockState.SYNCED)


def test_a_sleep_costs_the_waking_too() -> None:
    clock = VirtualClock()
    clock.sleep(0.001)
    assert clock.ns == 1_080_000


def test_the_wall_shows_whole_milliseconds() -> None:
    clock = VirtualClock(start=5_000)
    clock.advance(1_999_999)
    assert clock.now() == 5_001


def test_a_step_of_the_wall_leaves_durations_alone() -> None:
    clock = VirtualClock(start=5_000)
    clock.advance(2_000_000)
    clock.set(now=100_000, state=ClockState.UNKNOWN)
    assert (clock.now(), clock.monotonic(), clock.state()) == (100_000, 0.002, ClockState.UNKNOWN)
    clock.advance(3_000_000)
    assert clock.now() == 100_003


def test_its_trust_can_change_alone() -> None:
    clock = VirtualClock(start=5_000)
    clock.set(state=ClockState.RTC)
    assert (clock.now(), clock.state()) == (5_000, ClockState.RTC)


def test_alarms_ring_in_order_and_at_their_time() -> None:
    clock = VirtualClock()
    rung: list[tuple[str, int]] = []
    clock.at(30, lambda: rung.append(("late", clock.ns)))
    clock.at(10, lambda: rung.append(("early", clock.ns)))
    clock.after(10, lambda: rung.append(("after it", clock.ns)))
    clock.advance(29)
    assert rung == [("early", 10), ("after it", 10)]
    clock.advance(1)
    assert rung[2:] == [("late", 30)]


def test_an_alarm_can_set_another_within_the_same_step() -> None:
    clock = VirtualClock()
    rung: list[int] = []
    clock.at(10, lambda: clock.after(5, lambda: rung.append(clock.ns)))
    clock.advance(100)
    assert rung == [15]
    assert clock.ns == 100


def test_a_cancelled_alarm_is_silent() -> None:
    clock = VirtualClock()
    rung: list[int] = []
    clock.at(10, lambda: rung.append(1)).cancel()
    clock.advance(100)
    assert rung == []


def test_what_should_have_been_happens_at_the_next_move() -> None:
    clock = VirtualClock()
    clock.advance(100)
    rung: list[int] = []
    clock.at(10, lambda: rung.append(clock.ns))
    clock.advance(0)
    assert rung == [100]


@given(st.lists(st.integers(0, 10**12), max_size=20), st.lists(st.integers(0, 10**12), max_size=20))
def test_time_never_goes_back(steps: list[int], alarms: list[int]) -> None:
    clock = VirtualClock()
    seen: list[int] = []
    for at in alarms:
        clock.at(at, lambda: seen.append(clock.ns))
    for step in steps:
        clock.advance_to(step)
        seen.append(clock.ns)
    assert seen == sorted(seen)


def test_threads_share_it_without_losing_time() -> None:
    clock = VirtualClock()
    rung: list[int] = []
    for at in range(0, 4_000, 10):
        clock.at(at, lambda: rung.append(clock.ns))

    def pass_time() -> None:
        for _ in range(1_000):
            clock.advance(1)

    threads = [threading.Thread(target=pass_time) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.ns == 4_000
    assert rung == list(range(0, 4_000, 10))


class Paced(VirtualClock):
    """A clock whose sleeps end when somebody outside says so, as one that keeps pace with real time would."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_for: list[int] = []

    def _reach(self, ns: int) -> None:
        self.waited_for.append(ns)
        super()._reach(ns)


def test_a_paced_clock_overrides_one_method() -> None:
    clock = Paced()
    clock.sleep(0.5)
    clock.advance(1_000)
    assert clock.waited_for == [500_080_000]
    assert clock.ns == 500_081_000
