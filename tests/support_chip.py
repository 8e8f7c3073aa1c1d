"""A host for the emulated chip, written against the data sheet and nothing else: no library, no driver of ours."""

from dataclasses import dataclass

from simulator.card import Card
from simulator.chip.crc import crc_a
from simulator.chip.registers import Command, Reg
from simulator.clock import VirtualClock
from simulator.mfrc522 import Chip

MS = 1_000_000
SELECT = (0x93, 0x95, 0x97)


@dataclass(frozen=True)
class Reply:
    """What a Transceive has brought: bytes, valid bits of the last one (0: all), flags, and how long it took in ms."""

    data: bytes
    last_bits: int
    irq: int
    error: int
    coll: int
    ms: float


class Host:
    """A chip on a clock of its own, spoken to byte by byte. Transfers cost nothing unless told otherwise."""

    def __init__(self, overhead_ns: int = 0, set_up: bool = True) -> None:
        self.clock = VirtualClock()
        self.chip = Chip(self.clock, overhead_ns=overhead_ns)
        if set_up:
            self.set_up()

    def read(self, reg: int) -> int:
        return self.chip.transfer(bytes([reg << 1 | 0x80, 0]))[1]

    def write(self, reg: int, *values: int) -> None:
        self.chip.transfer(bytes([reg << 1, *values]))

    def set_up(self) -> None:
        """Timer of 5 ms by TAuto (25 µs ticks), full modulation, antenna on."""
        for reg, value in (
            (Reg.T_MODE, 0x80),
            (Reg.T_PRESCALER, 0xA9),
            (Reg.T_RELOAD_H, 0),
            (Reg.T_RELOAD_L, 199),
            (Reg.TX_ASK, 0x40),
            (Reg.MODE, 0x3D),
            (Reg.TX_CONTROL, 0x83),
        ):
            self.write(reg, value)

    def lay(self, *cards: Card) -> None:
        """Lay cards on and give them time to wake."""
        for card in cards:
            self.chip.field.lay(card)
        self.clock.advance(max(card.power_up_ns for card in cards))

    def send(self, data: bytes, last_bits: int = 0, align: int = 0) -> None:
        """Start a Transceive without waiting for its end."""
        self.write(Reg.COMMAND, Command.IDLE)
        self.write(Reg.COM_IRQ, 0x7F)
        self.write(Reg.FIFO_LEVEL, 0x80)
        self.write(Reg.FIFO_DATA, *data)
        self.write(Reg.COMMAND, Command.TRANSCEIVE)
        self.write(Reg.BIT_FRAMING, 0x80 | align << 4 | last_bits)

    def exchange(self, data: bytes, last_bits: int = 0, align: int = 0) -> Reply:
        """Send a frame and wait, a microsecond at a time, for an answer or the timer."""
        self.clock.advance(100_000)
        self.send(data, last_bits, align)
        start = self.clock.ns
        while not self.read(Reg.COM_IRQ) & 0x21:
            self.clock.advance(1_000)
            assert self.clock.ns < start + 100 * MS, "neither an answer nor the timer"
        irq, over = self.read(Reg.COM_IRQ), self.clock.ns
        data = bytes(self.read(Reg.FIFO_DATA) for _ in range(self.read(Reg.FIFO_LEVEL)))
        valid = self.read(Reg.CONTROL) & 0x07
        return Reply(data, valid, irq, self.read(Reg.ERROR), self.read(Reg.COLL), (over - start) / MS)

    def reqa(self) -> Reply:
        return self.exchange(b"\x26", last_bits=7)

    def wupa(self) -> Reply:
        return self.exchange(b"\x52", last_bits=7)

    def halt(self) -> Reply:
        return self.exchange(with_crc(b"\x50\x00"))

    def anticollision(self, level: int = 0) -> Reply:
        return self.exchange(bytes([SELECT[level], 0x20]))

    def select(self, level: int, part: bytes) -> Reply:
        return self.exchange(with_crc(bytes([SELECT[level], 0x70]) + part))

    def uid(self) -> bytes:
        """The UID of a card that is alone and READY, selected level by level."""
        uid = b""
        for level in range(3):
            part = self.anticollision(level).data
            sak = self.select(level, part).data[0]
            uid += part[:4] if not sak & 0x04 else part[1:4]
            if not sak & 0x04:
                return uid
        raise AssertionError("three levels and no end")

    def resolve(self) -> bytes:
        """The UID of one of several READY cards: after each collision, go on with those that sent a 1 there.

        As in ISO/IEC 14443-3, 6.5.3. CollPos counts from the first bit of the first byte in the FIFO.
        """
        uid = b""
        for level in range(3):
            part = self._resolve_level(level)
            sak = self.select(level, part).data[0]
            uid += part[1:4] if sak & 0x04 else part[:4]
            if not sak & 0x04:
                return uid
        raise AssertionError("three levels and no end")

    def _resolve_level(self, level: int) -> bytes:
        known: list[int] = []
        while True:
            whole, rest = divmod(len(known), 8)
            sent = bytes([SELECT[level], (2 + whole) << 4 | rest]) + packed(known)
            reply = self.exchange(sent, last_bits=rest, align=rest)
            bits = [reply.data[i // 8] >> (i % 8) & 1 for i in range(len(reply.data) * 8)][rest:]
            if not reply.error & 0x08:
                return packed(known + bits)
            assert not reply.coll & 0x20
            position = (reply.coll & 0x1F or 32) - rest
            known += [*bits[: position - 1], 1]


def with_crc(data: bytes) -> bytes:
    return data + crc_a(data)


def packed(bits: list[int]) -> bytes:
    """Bytes from bits, least significant first."""
    return bytes(sum(bit << i for i, bit in enumerate(bits[start : start + 8])) for start in range(0, len(bits), 8))
