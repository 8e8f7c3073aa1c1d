"""The system's clock and the virtual one behave alike: the same cases for both."""

import time
from pathlib import Path
from typing import Protocol

import pytest

from edge.hardware.clock import SystemClock
from edge.ports import Clock
from policy.terms import DAY, HOUR, ClockState
from simulator.clock import VirtualClock
from simulator.pace import Pace, PacedClock


class Rig(Protocol):
    """A clock, and a hand that brings network time."""

    clock: Clock

    def network_time(self) -> None: ...


class OfTheSystem:
    def __init__(self, folder: Path) -> None:
        self._synced = folder / "synchronized"
        self.clock = SystemClock(self._synced, folder / "rtc", lambda: False)

    def network_time(self) -> None:
        self._synced.touch()


class Virtual:
    def __init__(self, _: Path) -> None:
        self.clock: VirtualClock = VirtualClock(start=time.time_ns() // 1_000_000, state=ClockState.UNKNOWN)

    def network_time(self) -> None:
        self.clock.set(now=time.time_ns() // 1_000_000, state=ClockState.SYNCED)


class Paced(Virtual):
    def __init__(self, _: Path) -> None:
        self.clock = PacedClock(Pace.starting(time.time_ns() // 1_000_000), ClockState.UNKNOWN)


@pytest.fixture(params=[OfTheSystem, Virtual, Paced])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    made: Rig = request.param(tmp_path)
    return made


def test_it_is_in_doubt_until_somebody_says_what_time_it_is(rig: Rig) -> None:
    assert rig.clock.state() is ClockState.UNKNOWN
    adopted = rig.clock.now() + 400 * DAY
    rig.clock.adopt(adopted)
    assert rig.clock.state() is ClockState.SYNCED
    assert adopted <= rig.clock.now() < adopted + HOUR


def test_what_was_adopted_runs_on(rig: Rig) -> None:
    rig.clock.adopt(1_000_000)
    before, mono = rig.clock.now(), rig.clock.monotonic()
    rig.clock.sleep(0.02)
    passed = (rig.clock.monotonic() - mono) * 1000
    assert rig.clock.now() - before == pytest.approx(passed, abs=2)


def test_the_monotonic_clock_knows_nothing_of_it(rig: Rig) -> None:
    before = rig.clock.monotonic()
    rig.clock.adopt(1_000_000)
    assert 0 <= rig.clock.monotonic() - before < 60


def test_a_clock_that_is_believed_is_told_nothing(rig: Rig) -> None:
    rig.clock.adopt(1_000_000)
    rig.clock.adopt(9_000_000_000)
    assert rig.clock.now() < HOUR + 1_000_000
    rig.network_time()
    assert rig.clock.state() is ClockState.SYNCED
    rig.clock.adopt(1_000_000)
    assert rig.clock.now() > 400 * DAY


def test_network_time_takes_over(rig: Rig) -> None:
    rig.clock.adopt(1_000_000)
    rig.network_time()
    assert rig.clock.state() is ClockState.SYNCED
    assert abs(rig.clock.now() - time.time_ns() // 1_000_000) < HOUR
