"""The system's clocks: units, order, and what is believed of them."""

import ctypes
import struct
import time
from pathlib import Path

import pytest

from edge.hardware.clock import SystemClock, kernel_is_synced
from policy.terms import ClockState


def system(folder: Path, *, kernel: bool = False) -> SystemClock:
    """A system that has the files of this folder."""
    return SystemClock(folder / "synchronized", folder / "rtc", lambda: kernel)


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
    assert system(tmp_path).state() is state


@pytest.mark.parametrize("says", ["0", "86", "{late}", "", "no clock"])
def test_a_battery_clock_that_lost_its_time_is_not_believed(tmp_path: Path, says: str) -> None:
    (tmp_path / "rtc").write_text(says.replace("{late}", f"{time.time() - 7200:.0f}") + "\n")
    assert system(tmp_path).state() is ClockState.UNKNOWN


def test_a_battery_clock_is_asked_until_it_agrees_and_then_no_more(tmp_path: Path) -> None:
    clock = system(tmp_path)
    assert clock.state() is ClockState.UNKNOWN
    (tmp_path / "rtc").write_text(f"{time.time():.0f}\n")
    assert clock.state() is ClockState.RTC
    (tmp_path / "rtc").unlink()
    assert clock.state() is ClockState.RTC


def test_network_time_is_asked_for_anew_each_time(tmp_path: Path) -> None:
    clock = system(tmp_path)
    assert clock.state() is ClockState.UNKNOWN
    (tmp_path / "synchronized").touch()
    assert clock.state() is ClockState.SYNCED


def test_another_time_daemon_is_asked_of_the_kernel(tmp_path: Path) -> None:
    assert system(tmp_path, kernel=True).state() is ClockState.SYNCED
    assert system(tmp_path, kernel=False).state() is ClockState.UNKNOWN


def test_a_clock_that_was_set_is_believed_while_the_network_is_away(tmp_path: Path) -> None:
    """After nine hours without a server chronyd lets the kernel say that nobody sets its clock."""
    answers = [True, False, False]
    clock = SystemClock(tmp_path / "synchronized", tmp_path / "rtc", lambda: answers.pop(0))
    assert [clock.state() for _ in range(3)] == [ClockState.SYNCED] * 3


def test_the_kernel_is_asked_as_struct_timex_lies_in_memory() -> None:
    """A second reading of adjtimex(2): modes, then four longs, then the status."""
    memory = ctypes.create_string_buffer(512)
    answer = ctypes.CDLL(None).adjtimex(memory)
    *_, status = struct.unpack_from("@I4li", memory)
    assert kernel_is_synced() is (answer >= 0 and not status & 0x40)


@pytest.mark.parametrize("name", ["fake-hwclock.data", "clock"])
def test_what_somebody_wrote_down_before_the_power_cut_is_no_clock(tmp_path: Path, name: str) -> None:
    """fake-hwclock's file, systemd's (/var/lib/systemd/timesync/clock): the hour at which the Pi last ran."""
    (tmp_path / name).write_text("2026-11-24 09:00:00\n")
    assert system(tmp_path).state() is ClockState.UNKNOWN
