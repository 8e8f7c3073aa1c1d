"""The Pi's own two clocks, and how far the wall clock can be believed."""

import time
from pathlib import Path

from policy.terms import ClockState, Instant

AGREES = 60.0
"""Seconds by which a battery clock that is well may be off the wall clock that was set from it."""


class SystemClock:
    """The `Clock` port over the operating system.

    synced: the file systemd-timesyncd makes once network time has been set (systemd-timesyncd.service(8)).
    rtc: where the kernel tells the seconds since 1970 of a battery clock (Linux, Documentation/ABI/testing/rtc-cdev).
    Neither: `ClockState.UNKNOWN`. Other time daemons are not asked.
    """

    def __init__(
        self,
        synced: Path = Path("/run/systemd/timesync/synchronized"),
        rtc: Path = Path("/sys/class/rtc/rtc0/since_epoch"),
    ) -> None:
        self._synced = synced
        self._rtc = rtc
        self._carried = False

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
        self._carried = self._carried or self._rtc_agrees()
        return ClockState.RTC if self._carried else ClockState.UNKNOWN

    def _rtc_agrees(self) -> bool:
        """Whether there is a battery clock and it says the same.

        Every Pi 5 has one, most of them no battery: it then begins at 1970, and systemd sets the wall clock to when it
        last ran. That is the hour of the power cut, and the door would go by its staff hours all night.
        """
        try:
            return abs(int(self._rtc.read_text()) - time.time()) < AGREES
        except (OSError, ValueError):
            return False
