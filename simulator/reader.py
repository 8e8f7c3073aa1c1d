"""A badge reader without a chip: the Reader port for tests, replay and the simulated world, at no cost of radio or bus.

It says what the MFRC522 driver says on the emulated chip, only at once instead of after a few polls. The tests in
tests/contract hold the two together.
"""

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
from edge.ports import Clock
from edge.taps import SameTap, Unread

COST = {4: (26, 0.00287), 7: (46, 0.00522), 10: (66, 0.00757)}
"""What the driver needs to read a badge, by the length of its number: SPI transfers, seconds (emulated)."""

CLASSIC = 0x08
"""The SAK of a Mifare Classic 1K."""


class SimulatedReader:
    """The `Reader` port, and a field for the test to fill: lay badges on and take them away between polls."""

    def __init__(self, name: str, clock: Clock) -> None:
        """name: as in edge.toml."""
        self.name = name
        self._clock = clock
        self._laid: dict[bytes, int] = {}
        self.unreadable = False
        """Whether a card lies there that answers and cannot be read."""
        self._same = SameTap()
        self._unread = Unread()
        self._known: bytes | None = None
        self._several = False
        self._crowded = False
        self._why: str | None = None
        self._reported = False

    def lay(self, uid: bytes, sak: int = CLASSIC) -> None:
        """Lay a badge on the reader. uid: 4, 7 or 10 bytes; any other length raises ValueError."""
        if len(uid) not in COST:
            raise ValueError(f"a badge number of {len(uid)} bytes ({uid.hex()}): the standard knows 4, 7 and 10")
        self._laid[uid] = sak

    def take(self, uid: bytes) -> None:
        """Take a badge away. Raises KeyError when it is not there."""
        del self._laid[uid]

    def fault(self, why: str) -> None:
        """Let the reader stop to answer. why: as in `ReaderFault`."""
        self._why = why

    def recover(self) -> None:
        """Let the reader answer again."""
        self._why = None

    def poll(self) -> Sighting | None:
        """As in edge/ports.py."""
        if self._reported or self._why is not None:
            return self._poll_faulty()
        if self._several:
            return self._watch_several()
        if self._known is not None:
            return self._watch_one(self._known)
        return self._watch_empty()

    @property
    def unidentified(self) -> bool:
        """As in edge/ports.py."""
        return not self._reported and (self._crowded or self._unread.lasts)

    def close(self) -> None:
        """Switch the field off: whatever lies there is seen no more."""
        self._laid.clear()

    def _poll_faulty(self) -> Sighting | None:
        if self._why is None:
            self._reported = False
            return ReaderRecovered(*self._when())
        if self._reported:
            return None
        self._reported = True
        return ReaderFault(*self._when(), self._why)

    def _watch_empty(self) -> Sighting | None:
        at, mono, name = self._when()
        if self.unreadable or not self._laid:
            return CardUnreadable(at, mono, name) if self._unread.look(self.unreadable, mono) else None
        self._unread.read()
        if len(self._laid) > 1:
            return self._collide()
        self._known = next(iter(self._laid))
        if not self._same.begins(self._known, mono):
            return CardBack(at, mono, name, self._known)
        transfers, seconds = COST[len(self._known)]
        return CardSeen(at, mono, name, self._known, self._laid[self._known], transfers, seconds)

    def _watch_one(self, known: bytes) -> Sighting | None:
        if len(self._laid) > 1:
            return self._collide()
        if known in self._laid:
            self._same.lies(known, self._clock.monotonic())
            return None
        self._known, self._crowded = None, False
        self._same.ends()
        return CardGone(*self._when())

    def _watch_several(self) -> Sighting | None:
        """One that is left of several is known from here on, but not read."""
        if len(self._laid) > 1:
            return None
        self._several = False
        self._known = next(iter(self._laid), None)
        self._crowded = self._known is not None
        return CardGone(*self._when()) if self._known is None else None

    def _collide(self) -> CardsCollided:
        self._several, self._crowded, self._known = True, True, None
        self._same.ends()
        return CardsCollided(*self._when())

    def _when(self) -> tuple[int, float, str]:
        return self._clock.now(), self._clock.monotonic(), self.name
