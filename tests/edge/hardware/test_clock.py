"""The system's clocks: units, order, and what is believed of them."""

import time
from pathlib import Path

import pytest

from edge.hardware.clock import SystemClock
from policy.terms import ClockState


def test_now_is_in_milliseconds_since_1970() -> None:
    before = time.time()
    now = SystemClock().now()
    assert before * 1000 - 1 <= now <= time.time() * 1000 + 1


def test_monotonic_is_in_seconds_and_passes_while_asleep() -> None:
    clock = SystemClock()
    start = clock.monotonic()
    clock.sleep(0.002)
    assert 0.002 <= clock.monotonic() - start < 2


@pytest.mark.parametrize(
    ("present", "state"),
    [
        ((), ClockState.UNKNOWN),
        (("rtc",), ClockState.RTC),
        (("synchronized",), ClockState.SYNCED),
        (("rtc", "synchronized"), ClockState.SYNCED),
    ],
)
def test_state_follows_the_two_files(tmp_path: Path, present: tuple[str, ...], state: ClockState) -> None:
    for name in present:
        (tmp_path / name).write_text(f"{time.time():.0f}\n")
    assert SystemClock(tmp_path / "synchronized", tmp_path / "rtc").state() is state


@pytest.mark.parametrize("says", ["0", "86", "{late}", "", "no clock"])
def test_a_battery_clock_that_lost_its_time_is_not_believed(tmp_path: Path, says: str) -> None:
    (tmp_path / "rtc").write_text(says.replace("{late}", f"{time.time() - 7200:.0f}") + "\n")
    assert SystemClock(tmp_path / "synchronized", tmp_path / "rtc").state() is ClockState.UNKNOWN


def test_a_battery_clock_is_asked_until_it_agrees_and_then_no_more(tmp_path: Path) -> None:
    clock = SystemClock(tmp_path / "synchronized", tmp_path / "rtc")
    assert clock.state() is ClockState.UNKNOWN
    (tmp_path / "rtc").write_text(f"{time.time():.0f}\n")
    assert clock.state() is ClockState.RTC
    (tmp_path / "rtc").unlink()
    assert clock.state() is ClockState.RTC


def test_network_time_is_asked_for_anew_each_time(tmp_path: Path) -> None:
    clock = SystemClock(tmp_path / "synchronized", tmp_path / "rtc")
    assert clock.state() is ClockState.UNKNOWN
    (tmp_path / "synchronized").touch()
    assert clock.state() is ClockState.SYNCED
