"""The Pi's own two clocks, and how far the wall clock can be believed."""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from policy.terms import ClockState, Instant

AGREES = 60.0
"""Seconds by which a battery clock that is well may be off the wall clock that was set from it."""
STA_UNSYNC = 0x0040
"""Bit of the kernel's clock status: nobody sets this clock (adjtimex(2))."""


@cache
def _adjtimex() -> Callable[[], tuple[int, int]]:
    """Makes what asks the kernel: the answer of adjtimex(2), negative for an error, and the clock's status."""
    import ctypes  # milliseconds that an edge with systemd-timesyncd need not spend

    class Timex(ctypes.Structure):
        """The first fields of struct timex, and room for the rest."""

        _fields_ = (
            ("modes", ctypes.c_uint),
            ("offset", ctypes.c_long),
            ("freq", ctypes.c_long),
            ("maxerror", ctypes.c_long),
            ("esterror", ctypes.c_long),
            ("status", ctypes.c_int),
            ("rest", ctypes.c_byte * 256),
        )

    adjtimex, timex = ctypes.CDLL(None).adjtimex, Timex

    def ask() -> tuple[int, int]:
        told = timex()  # modes 0: only read
        return adjtimex(ctypes.byref(told)), told.status

    return ask


def kernel_is_synced() -> bool:
    """Whether a time daemon of any kind (chronyd with rtcsync, ntpd, systemd-timesyncd) steers the kernel's clock.

    Setting the clock by hand, as fake-hwclock and systemd do at boot, leaves STA_UNSYNC as it is. False where the
    kernel cannot be asked.
    """
    try:
        answer, status = _adjtimex()()
    except (OSError, AttributeError):
        return False
    return answer >= 0 and not status & STA_UNSYNC


class SystemClock:
    """The `Clock` port over the operating system.

    synced: the file systemd-timesyncd makes once network time has been set (systemd-timesyncd.service(8)).
    kernel: whether another time daemon has set it. rtc: where the kernel tells the seconds since 1970 of a battery
    clock (Linux, Documentation/ABI/testing/rtc-cdev). Else it is what `adopt` was told, else `ClockState.UNKNOWN`: what
    fake-hwclock or systemd set at boot is when the Pi last ran. Once set, a clock stays believed while the network is
    away: it drifts by some seconds a day.
    """

    def __init__(
        self,
        synced: Path = Path("/run/systemd/timesync/synchronized"),
        rtc: Path = Path("/sys/class/rtc/rtc0/since_epoch"),
        kernel: Callable[[], bool] = kernel_is_synced,
    ) -> None:
        self._synced_file = synced
        self._rtc = rtc
        self._kernel = kernel
        self._synced = self._carried = False
        self._adopted: tuple[Instant, float] | None = None

    def now(self) -> Instant:
        """Wall clock, ms since 1970 UTC."""
        adopted = self._adopted
        if adopted is None:
            return time.time_ns() // 1_000_000
        at, mono = adopted
        return at + round((time.monotonic() - mono) * 1000)

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Give the processor away; the kernel wakes the thread some 80 µs late on a Pi 4."""
        time.sleep(seconds)

    def state(self) -> ClockState:
        """Whether `now` can be believed at this moment."""
        if not self._synced:
            self._synced = self._synced_file.exists() or self._kernel()
        if self._synced:
            self._adopted = None
            return ClockState.SYNCED
        if self._adopted is not None:
            return ClockState.SYNCED
        self._carried = self._carried or self._rtc_agrees()
        return ClockState.RTC if self._carried else ClockState.UNKNOWN

    def adopt(self, now: Instant) -> None:
        """As in edge/ports.py. The system's clock, which is not ours to set, stays as it is."""
        if self.state() is ClockState.UNKNOWN:
            self._adopted = (now, time.monotonic())

    def _rtc_agrees(self) -> bool:
        """Whether there is a battery clock and it says the same.

        Every Pi 5 has one, most of them no battery: it then begins at 1970, and systemd sets the wall clock to when it
        last ran. That is the hour of the power cut, and the door would go by its staff hours all night.
        """
        try:
            return abs(int(self._rtc.read_text()) - time.time()) < AGREES
        except (OSError, ValueError):
            return False
