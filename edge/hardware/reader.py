"""The Reader port over an MFRC522: what changed in the field, when and at what cost; and the reader's own health."""

from edge.events import (
    CardBack,
    CardGone,
    CardsCollided,
    CardSeen,
    CardUnreadable,
    ReaderFault,
    ReaderRecovered,
    Sighting,
)
from edge.hardware.chip import Chip
from edge.hardware.errors import ChipError, RadioError
from edge.hardware.field import Crowd, Field
from edge.hardware.iso14443 import Badge, halt
from edge.ports import Clock
from edge.taps import SameTap, Unread
from policy.terms import Instant

RETRY_SECONDS = 1.0
"""From one try to set up a faulty chip to the next."""


class MfrcReader:
    """One badge reader. Belongs to the thread that polls it.

    Each look at the field brings the chip's vital registers along, so a chip that is unplugged or was reset is noticed
    at the next poll. A single bad transfer is not a fault: the registers are read again first.
    """

    def __init__(self, name: str, chip: Chip, clock: Clock) -> None:
        """name: as in edge.toml."""
        self.name = name
        self.chip = chip
        self._clock = clock
        self._field = Field(chip)
        self._same = SameTap()
        self._unread = Unread()
        self._faulty = False
        self._retry_at = 0.0

    def poll(self) -> Sighting | None:
        """As in edge/ports.py. An empty field costs at most seven SPI transfers and half a millisecond."""
        try:
            return self._recover() if self._faulty else self._look()
        except ChipError:
            return self._suspect()
        except OSError as error:
            return self._fail(f"the SPI bus fails: {error}")

    @property
    def unidentified(self) -> bool:
        """As in edge/ports.py."""
        return not self._faulty and (self._field.crowded or self._unread.lasts)

    def close(self) -> None:
        """Switch the field off. The reset line stays as it is, and so does every other line."""
        self.chip.Close_MFRC522()

    def _look(self) -> Sighting | None:
        started, transfers = self._clock.monotonic(), self.chip.transfers
        change = self._field.look()
        now, mono = self._clock.now(), self._clock.monotonic()
        if change is None:
            return self._nothing_new(now, mono)
        self._unread.read()
        if not isinstance(change, Badge):
            self._same.ends()
            return (CardsCollided if change is Crowd.SEVERAL else CardGone)(now, mono, self.name)
        if not self._same.begins(change.uid, mono):
            return CardBack(now, mono, self.name, change.uid)
        cost = self.chip.transfers - transfers
        return CardSeen(now, mono, self.name, change.uid, change.sak, cost, mono - started)

    def _nothing_new(self, now: Instant, mono: float) -> CardUnreadable | None:
        if self._field.there is not None:
            self._same.lies(self._field.there.uid, mono)
        return CardUnreadable(now, mono, self.name) if self._unread.look(self._field.unread, mono) else None

    def _suspect(self) -> Sighting | None:
        try:
            why = self.chip.health()
        except OSError as error:
            why = f"the SPI bus fails: {error}"
        return self._fail(why) if why else None

    def _fail(self, why: str) -> ReaderFault | None:
        if self._faulty:
            return None
        self._faulty = True
        self._retry_at = self._clock.monotonic()
        return ReaderFault(self._clock.now(), self._clock.monotonic(), self.name, why)

    def _recover(self) -> ReaderRecovered | None:
        """Set the chip up anew: well again once an exchange ends, by the timer, as nobody answers a HLTA.

        What lay in the field before is still known: a badge left lying is no second tap.
        """
        if self._clock.monotonic() < self._retry_at:
            return None
        self._retry_at = self._clock.monotonic() + RETRY_SECONDS
        self.chip.MFRC522_Init()
        if self.chip.health():
            return None
        try:
            halt(self.chip)
        except RadioError:
            return None
        self._faulty = False
        return ReaderRecovered(self._clock.now(), self._clock.monotonic(), self.name)
