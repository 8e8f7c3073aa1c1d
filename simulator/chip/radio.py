"""How long is a frame in the air, and what is heard of several at once? ISO/IEC 14443-3, type A, 106 kbit/s.

Parity bits take their time but are neither computed nor checked. Answers of several cards start on the same bit, as the
standard's fixed frame delay demands.
"""

import random
from dataclasses import dataclass, field
from itertools import zip_longest

Bits = tuple[int, ...]
"""Data bits in the order in which they are sent (least significant first), without parity."""

FC = 13_560_000
"""Carrier, Hz."""
ETU = 128
"""One bit, in carrier periods: 9.44 µs."""
FRAME_DELAY = 1236
"""From a frame's end to the answer, in carrier periods: 91 µs, after a last bit 1 (table 4 of the standard).

The standard counts from the last pause within the frame, not from its end, and less after a 0: an answer comes here
about 30 µs later than a real card's.
"""
GUARD = 1172
"""What the reader has to wait after an answer before it speaks again, in carrier periods: 86 µs."""


def ns(periods: int) -> int:
    """Carrier periods as nanoseconds."""
    return (periods * 1_000_000_000 + FC // 2) // FC


def to_bits(data: bytes, last_bits: int = 0) -> Bits:
    """The bits of these bytes; of the last byte only so many, or all when 0."""
    count = len(data) * 8 - ((8 - last_bits) if last_bits and data else 0)
    return tuple(data[i // 8] >> (i % 8) & 1 for i in range(count))


def to_bytes(bits: Bits, align: int = 0) -> bytes:
    """Bytes from bits, the first bit at position `align` of the first byte. What is missing is 0."""
    packed = bytearray((align + len(bits) + 7) // 8)
    for i, bit in enumerate(bits, start=align):
        packed[i // 8] |= bit << (i % 8)
    return bytes(packed)


def reader_frame(bits: int) -> int:
    """Duration of a reader's frame in carrier periods: start, bits, parity of each whole byte, end (0 and silence)."""
    return (1 + bits + bits // 8 + 2) * ETU


def card_frame(bits: int, split: int = 0) -> int:
    """Duration of an answer in carrier periods. split: bits of the first byte that the reader has sent itself."""
    return (1 + bits + (split + bits) // 8 + 1) * ETU


def bits_until(periods: int) -> int:
    """How many whole data bits of an answer are over after so many carrier periods."""
    coded = max(0, periods // ETU - 1)
    return coded - coded // 9


def merge(streams: list[Bits]) -> tuple[Bits, int | None]:
    """What the receiver hears of answers sent at once, and the index of the first collision.

    A bit sent as 0 and as 1 is modulated in both halves: the decoder says 1 and reports it.
    """
    heard: list[int] = []
    first: int | None = None
    for i, sent in enumerate(zip_longest(*streams)):
        values = {bit for bit in sent if bit is not None}
        if len(values) > 1 and first is None:
            first = i
        heard.append(max(values))
    return tuple(heard), first


@dataclass
class Noise:
    """Turns bits over at random: `rate` of all bits, the same ones for the same seed."""

    rate: float
    seed: int
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def spoil(self, bits: Bits) -> Bits:
        """These bits after their way through the air."""
        return tuple(bit ^ (self._random.random() < self.rate) for bit in bits)
