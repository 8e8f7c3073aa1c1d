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
        (("rtc0",), ClockState.RTC),
        (("synchronized",), ClockState.SYNCED),
        (("rtc0", "synchronized"), ClockState.SYNCED),
    ],
)
def test_state_follows_the_two_files(tmp_path: Path, present: tuple[str, ...], state: ClockState) -> None:
    for name in present:
        (tmp_path / name).touch()
    assert SystemClock(tmp_path / "synchronized", tmp_path / "rtc0").state() is state


def test_state_is_asked_anew_each_time(tmp_path: Path) -> None:
    clock = SystemClock(tmp_path / "synchronized", tmp_path / "rtc0")
    assert clock.state() is ClockState.UNKNOWN
    (tmp_path / "synchronized").touch()
    assert clock.state() is ClockState.SYNCED
