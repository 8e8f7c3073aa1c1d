"""How does a badge answer? ISO/IEC 14443-3 type A, up to the point where a badge is selected or halted.

Not emulated: parity, ISO/IEC 14443-4 (a RATS is an error to these cards), and the little while for which a real card
outlives the loss of its field.
"""

from dataclasses import dataclass
from enum import Enum

from simulator.chip.crc import crc_a
from simulator.chip.radio import Bits, to_bits, to_bytes

REQA: Bits = to_bits(b"\x26", 7)
WUPA: Bits = to_bits(b"\x52", 7)
HLTA = bytes.fromhex("5000")
SELECT_LEVELS = (0x93, 0x95, 0x97)
CASCADE_TAG = 0x88
CASCADE_BIT = 0x04
POWER_UP_NS = 5_000_000
"""The longest that the standard gives a card to wake in a steady field."""


class State(Enum):
    """Figure 7 of the standard. The starred states fall back to HALT instead of IDLE."""

    POWER_OFF = "power off"
    IDLE = "idle"
    READY = "ready"
    ACTIVE = "active"
    HALT = "halt"
    READY_STAR = "ready*"
    ACTIVE_STAR = "active*"


FALL_BACK = {
    State.READY: State.IDLE,
    State.ACTIVE: State.IDLE,
    State.READY_STAR: State.HALT,
    State.ACTIVE_STAR: State.HALT,
}
"""Where an unexpected or broken frame leads; in the other states it changes nothing."""
SELECTED = {State.READY: State.ACTIVE, State.READY_STAR: State.ACTIVE_STAR}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of the reader's. encrypted: through the chip's Crypto-1 unit (the bits are in clear all the same)."""

    bits: Bits
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a card sends back. split: how many bits of the first byte the reader has sent itself (bit anticollision)."""

    bits: Bits
    split: int = 0


class Card:
    """A badge that can be found, selected and halted, and no more.

    uid: 4, 7 or 10 bytes. sak: the answer to the last SELECT. atqa: two bytes in the order in which they are sent.
    power_up_ns: how long it takes to wake in a field.
    Raises ValueError for a UID of another length, or a SAK that says that it is not whole. A number that begins with
    the cascade tag 88 is against the standard, and sold all the same.
    """

    def __init__(self, uid: bytes, sak: int = 0x00, atqa: bytes | None = None, power_up_ns: int = POWER_UP_NS) -> None:
        _check(uid, sak)
        self.uid = uid
        self.sak = sak
        self.atqa = atqa or bytes([0x04 | (len(uid) - 4) // 3 << 6, 0x00])
        self.power_up_ns = power_up_ns
        self.state = State.POWER_OFF
        self._levels = cascade(uid)
        self._level = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.uid.hex()}, {self.state.value})"

    def power_on(self) -> None:
        """The field is strong enough and has been for long enough."""
        self.state = State.IDLE

    def power_off(self) -> None:
        """The field is gone, and all that the card knew with it."""
        self.state = State.POWER_OFF

    def hear(self, frame: Frame) -> Answer | None:
        """Take a whole frame of the reader's; None is silence."""
        if self.state is State.POWER_OFF:
            return None
        if frame.encrypted:
            return self.silence()
        if frame.bits in (REQA, WUPA):
            return self._wake(frame.bits)
        if self.state in SELECTED:
            return self._anticollision(frame.bits)
        if self.state in (State.ACTIVE, State.ACTIVE_STAR):
            return self._active(frame.bits)
        return None

    def silence(self) -> Answer | None:
        """An error, or something that is not for this card: back to IDLE or HALT, without a word."""
        self.state = FALL_BACK.get(self.state, self.state)
        return None

    def command(self, command: bytes) -> Answer | None:
        """A frame with a right CRC (taken off here) for the selected card. This one knows none."""
        del command
        return self.silence()

    def _wake(self, bits: Bits) -> Answer | None:
        if self.state is State.IDLE:
            self.state = State.READY
        elif self.state is State.HALT and bits == WUPA:
            self.state = State.READY_STAR
        else:
            return self.silence()
        self._level = 0
        return Answer(to_bits(self.atqa))

    def _anticollision(self, bits: Bits) -> Answer | None:
        sent = to_bytes(bits)
        if len(bits) < 16 or sent[0] != SELECT_LEVELS[self._level]:
            return self.silence()
        if sent[1] == 0x70:
            return self._select(bits, sent)
        known = bits[16:]
        count = (sent[1] >> 4) * 8 + (sent[1] & 0x0F)
        if count != len(bits) or not 16 <= count < 56 or sent[1] & 0x08:
            return self.silence()
        own = to_bits(self._levels[self._level])
        if own[: len(known)] != known:
            return None
        return Answer(own[len(known) :], split=len(known) % 8)

    def _select(self, bits: Bits, sent: bytes) -> Answer | None:
        body = without_crc(bits)
        if body is None or sent[2:7] != self._levels[self._level]:
            return self.silence()
        self._level += 1
        if self._level < len(self._levels):
            return with_crc(bytes([CASCADE_BIT]))
        self.state = SELECTED[self.state]
        return with_crc(bytes([self.sak]))

    def _active(self, bits: Bits) -> Answer | None:
        body = without_crc(bits)
        if body == HLTA:
            self.state = State.HALT
            return None
        return self.silence() if body is None else self.command(body)


def with_crc(data: bytes) -> Answer:
    """An answer of whole bytes with its CRC_A behind them."""
    return Answer(to_bits(data + crc_a(data)))


def cascade(uid: bytes) -> tuple[bytes, ...]:
    """What the anticollision of each cascade level yields: four bytes and their BCC (exclusive or)."""
    parts = []
    while len(uid) > 4:
        parts.append(bytes([CASCADE_TAG]) + uid[:3])
        uid = uid[3:]
    parts.append(uid)
    return tuple(part + bytes([part[0] ^ part[1] ^ part[2] ^ part[3]]) for part in parts)


def _check(uid: bytes, sak: int) -> None:
    if len(uid) not in (4, 7, 10):
        raise ValueError(f"UID {uid.hex()}: {len(uid)} bytes; give 4, 7 or 10")
    if not 0 <= sak <= 0xFF or sak & CASCADE_BIT:
        raise ValueError(f"SAK {sak:#04x}: give a byte without bit 3 (0x04), which says that the UID is not complete")


def without_crc(bits: Bits) -> bytes | None:
    """The frame without its CRC, None when it has none or a wrong one."""
    data = to_bytes(bits)
    if len(bits) % 8 or len(data) < 3 or crc_a(data[:-2]) != data[-2:]:
        return None
    return data[:-2]
