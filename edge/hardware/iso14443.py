"""How a card's number is read: the frames of ISO 14443-3 type A, over whatever carries them.

A fresh card is IDLE and answers REQA; a card that was halted answers only WUPA. An answer makes it READY, SELECT makes
it ACTIVE, HLTA puts it to HALT. In READY anything unexpected sends a fresh card back to IDLE and a woken one back to
HALT (figure 7 of the standard). So REQA finds newcomers beside a halted card, and HLTA then WUPA calls everybody.
"""

from functools import reduce
from operator import xor
from typing import NamedTuple, Protocol

from edge.hardware.errors import GarbledError, SilenceError

REQA = b"\x26"
WUPA = b"\x52"
SHORT_FRAME = 7
HLTA = b"\x50\x00\x57\xcd"  # with its CRC_A: a constant, so the chip's CRC unit need not be switched
CASCADE_LEVELS = (0x93, 0x95, 0x97)
ANTICOLLISION = 0x20
SELECT = 0x70
CASCADE_TAG = 0x88
LONGEST = 10
"""Bytes of the longest number."""
UID_INCOMPLETE = 0x04


class Radio(Protocol):
    """What carries a frame to the cards and brings back the answer."""

    def exchange(self, frame: bytes, answer: int, bits: int = 0, crc: bool = False) -> bytes:
        """Send a frame and return an answer of exactly so many bytes.

        bits: how many bits of the last byte to send, 0 for all.
        crc: append CRC_A to the frame, check and strip that of the answer.
        Raises SilenceError, CollisionError or GarbledError.
        """


class Badge(NamedTuple):
    """uid: 4, 7 or 10 bytes, cascade tags removed. sak: the answer to the last SELECT."""

    uid: bytes
    sak: int


def request(radio: Radio) -> None:
    """Ask whether a card that is not halted is there (6.4.1). Raises SilenceError when none is."""
    radio.exchange(REQA, answer=2, bits=SHORT_FRAME)


def wake(radio: Radio) -> None:
    """Ask whether any card is there, halted or not (6.4.1). Raises SilenceError when none is."""
    radio.exchange(WUPA, answer=2, bits=SHORT_FRAME)


def halt(radio: Radio) -> None:
    """Send every card in READY or ACTIVE to rest (6.4.3). The standard's "yes" is silence."""
    try:
        radio.exchange(HLTA, answer=1)
    except SilenceError:
        return
    raise GarbledError("a card spoke after HLTA, which asks for silence")


def call_all(radio: Radio) -> None:
    """Bring every card to READY, whatever state it is in. Raises SilenceError when the field is empty."""
    halt(radio)
    wake(radio)


def select(radio: Radio) -> Badge:
    """Read the whole number of the one card that is READY (6.5.3). Leaves it ACTIVE.

    The SAK alone says whether the number goes on: there are 4-byte numbers that begin with 88, which the standard keeps
    for the cascade tag. As no checksum covers the SAK's way over the bus, such a number is read twice.
    Raises SilenceError or GarbledError when the card is torn away or noise gets in, CollisionError when there are two.
    """
    badge = _levels(radio)
    if len(badge.uid) < LONGEST and badge.uid[-4:-3] == bytes([CASCADE_TAG]):
        call_all(radio)
        if _levels(radio) != badge:
            raise GarbledError(f"{badge.uid.hex()} ends in what looks like a cascade tag, and was not read alike twice")
    return badge


def _levels(radio: Radio) -> Badge:
    """Level by level until the SAK says that the number is whole. Where it goes on, the tag must stand.

    Else a byte of the number would be lost.
    """
    uid = b""
    for code in CASCADE_LEVELS:
        part, sak = _level(radio, code)
        if not sak & UID_INCOMPLETE:
            return Badge(uid + part, sak)
        if part[0] != CASCADE_TAG:
            raise GarbledError(
                f"level {code:02X}: SAK {sak:02X} says that the number goes on, and there is no cascade tag"
            )
        uid += part[1:]
    raise GarbledError("the card announces a number of more than 10 bytes")


def _level(radio: Radio, code: int) -> tuple[bytes, int]:
    """One cascade level: anticollision, then SELECT. Returns four bytes of number and the SAK."""
    answer = radio.exchange(bytes([code, ANTICOLLISION]), answer=5)
    if reduce(xor, answer):
        raise GarbledError(f"level {code:02X}: the check byte BCC does not fit")
    sak = radio.exchange(bytes([code, SELECT]) + answer, answer=1, crc=True)
    return answer[:4], sak[0]
