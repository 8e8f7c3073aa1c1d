"""The Pi's own two clocks, and how far the wall clock can be believed."""

import time
from pathlib import Path

from policy.terms import ClockState, Instant


class SystemClock:
    """The `Clock` port over the operating system.

    synced: the file systemd-timesyncd makes once network time has been set (systemd-timesyncd.service(8)).
    rtc: the device of a battery clock. Neither: `ClockState.UNKNOWN`. Other time daemons are not asked.
    """

    def __init__(
        self, synced: Path = Path("/run/systemd/timesync/synchronized"), rtc: Path = Path("/dev/rtc0")
    ) -> None:
        self._synced = synced
        self._rtc = rtc

    def now(self) -> Instant:
        """Wall clock, ms since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Give the processor away; the kernel wakes the thread some 80 µs late on a Pi 4."""
        time.sleep(seconds)

    def state(self) -> ClockState:
        """Whether `now` can be believed at this moment."""
        if self._synced.exists():
            return ClockState.SYNCED
        return ClockState.RTC if self._rtc.exists() else ClockState.UNKNOWN
