"""What if chip and cards are hostile? Answers on the SPI bus, and frames in the field, as nobody honest gives them."""

from copy import copy
from random import Random
from typing import Any

from edge.events import CardSeen
from edge.hardware.errors import CollisionError, GarbledError, SilenceError
from edge.hardware.field import Field
from edge.hardware.iso14443 import Badge
from simulator.board import Board
from simulator.clock import VirtualClock
from simulator.load import load

LOOKS = 3
"""Looks at the field in one round: enough for a badge that comes and lies."""
UID_BYTES = (4, 7, 10)
FIRST_BYTES = b"\x88\x88\x88\x04\x08\xff"
"""Of a level's number: the cascade tag, and others."""
SAKS = b"\x04\x04\x04\x08\x20\x00\xff"
"""The number goes on, or is whole."""


class HostileRadio:
    """Carries frames to a card that answers as it likes, mostly with something that looks right."""

    def __init__(self, luck: Random) -> None:
        self._luck = luck
        self.said: list[bytes] = []

    def exchange(self, frame: bytes, answer: int, bits: int = 0, crc: bool = False) -> bytes:  # noqa: ARG002
        drawn = self._luck.random()
        if drawn < 0.12:
            raise self._luck.choice((SilenceError, CollisionError, GarbledError))("hostile")
        self.said.append(self._answer(answer, drawn))
        return self.said[-1]

    def _answer(self, length: int, drawn: float) -> bytes:
        if length == 5 and drawn < 0.85:  # a number with its check byte, often with a cascade tag
            number = [self._luck.choice(FIRST_BYTES), *self._luck.randbytes(3)]
            return bytes([*number, number[0] ^ number[1] ^ number[2] ^ number[3]])
        if length == 1 and drawn < 0.85:
            return bytes([self._luck.choice(SAKS)])
        return self._luck.randbytes(length)


class HostileBus:
    """The SPI bus of a chip that answers as it likes; often its signs of health are well."""

    def __init__(self, luck: Random, healthy: dict[int, int]) -> None:
        """healthy: the registers by which the driver judges a chip, and what a well one says."""
        self._luck = luck
        self._healthy = healthy
        self._health = luck.random()
        self._constant = luck.choice((None, None, 0x00, 0xFF, 0x92))

    def xfer2(self, sent: list[int]) -> list[int]:
        """As spidev: as many bytes as were sent. A byte that names a register brings it in the next one."""
        if self._constant is not None and self._luck.random() < 0.7:
            return [self._constant] * len(sent)
        answer = list(self._luck.randbytes(len(sent)))
        if self._luck.random() < self._health:
            for place, byte in enumerate(sent[:-1], 1):
                answer[place] = self._healthy.get(byte >> 1 & 0x3F, answer[place])
        return answer

    def close(self) -> None:
        """As spidev."""


class Radios:
    """The real driver over a hostile bus, and the real field over a hostile radio."""

    def __init__(self) -> None:
        self._clock = VirtualClock()
        board = Board(self._clock)
        board.add_chip(0, 0)
        load(board)
        from edge.hardware.chip import Chip

        self._chip: Any = Chip(self._clock)
        self._healthy = {register.address: value for register, value in self._chip._noted.items()}

    def frames(self, luck: Random) -> str | None:
        """One hostile card; what went wrong, None for nothing."""
        radio = HostileRadio(luck)
        field = Field(radio)
        for _ in range(LOOKS):
            found = field.look()
            if isinstance(found, Badge) and len(found.uid) not in UID_BYTES:
                return f"a badge number of {len(found.uid)} bytes out of frames {[said.hex() for said in radio.said]}"
        return None

    def bus(self, luck: Random) -> str | None:
        """One hostile chip; what went wrong, None for nothing."""
        from edge.hardware.reader import MfrcReader

        chip = copy(self._chip)
        chip.spi = HostileBus(luck, self._healthy)
        reader = MfrcReader("in", chip, self._clock)
        for _ in range(LOOKS):
            seen = reader.poll()
            if isinstance(seen, CardSeen) and len(seen.uid) not in UID_BYTES:
                return f"a badge number of {len(seen.uid)} bytes, {seen.uid.hex()}"
        return None
