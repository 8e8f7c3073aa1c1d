"""Readers on the emulated board, polled in virtual time.

The driver is imported inside the functions: the library below it needs the fakes, which loading a board provides.
"""

from typing import TYPE_CHECKING

from edge.events import Sighting
from simulator.board import Board
from simulator.card import Card
from simulator.clock import VirtualClock
from simulator.load import load
from simulator.mfrc522 import Chip as Emulated

if TYPE_CHECKING:
    from edge.hardware.chip import Chip
    from edge.hardware.reader import MfrcReader

POLL_NS = 10_000_000

FOUR = bytes.fromhex("5ea1c0de")
SEVEN = bytes.fromhex("04a1b2c3d4e5f6")
TEN = bytes.fromhex("04a1b2c3d4e5f60718c9")


class Bench:
    """A Pi with up to two readers on SPI bus 0. Loading it makes it the board that the fakes stand for."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.board = Board(clock=self.clock)
        self.emulated: list[Emulated] = [self.board.add_chip(0, 0), self.board.add_chip(0, 1)]
        load(self.board)

    def chip(self, device: int = 0) -> "Chip":
        from edge.hardware.chip import Chip

        return Chip(self.clock, 0, device)

    def reader(self, device: int = 0) -> "MfrcReader":
        from edge.hardware.reader import MfrcReader

        return MfrcReader(("in", "out")[device], self.chip(device), self.clock)

    def lay(self, uid: bytes, sak: int = 0x08, device: int = 0) -> Card:
        """Lay a badge on, and wait until it has power."""
        card = Card(uid, sak)
        self.emulated[device].field.lay(card)
        self.clock.advance(card.power_up_ns)
        return card

    def polls(self, reader: "MfrcReader", count: int = 30) -> list[Sighting]:
        """So many polls at 100 Hz, and what they told."""
        told = []
        for _ in range(count):
            told.append(reader.poll())
            self.clock.advance(POLL_NS)
        return [sighting for sighting in told if sighting is not None]
