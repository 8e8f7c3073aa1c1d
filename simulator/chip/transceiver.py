"""What do the RF commands do, and when? Data sheet 10.3: Transmit, Receive, Transceive, MFAuthent.

Not emulated: RxMultiple; bit rates above 106 kbit/s (no card answers); bytes added to the FIFO while a frame is being
sent (WrErr); answers that grow in the FIFO byte by byte (they show at their end).
"""

from collections.abc import Callable
from enum import IntEnum

from simulator.card import Frame
from simulator.chip.crc import crc_a
from simulator.chip.fifo import Fifo
from simulator.chip.irq import Interrupts, Irq
from simulator.chip.radio import ETU, FRAME_DELAY, GUARD, Bits, card_frame, ns, reader_frame, to_bits, to_bytes
from simulator.chip.registers import Command, Error, Reg, Registers
from simulator.chip.timer import Timer
from simulator.classic import ClassicCard
from simulator.clock import Alarm, VirtualClock
from simulator.field import Field, Voice

START_SEND = 0x80
CRC_ENABLE = 0x80
SPEED = 0x70
RX_NO_ERR = 0x08
FORCE_100_ASK = 0x40
TX_WAIT_RF = 0x20
RECEIVER_OFF = 0x20
VALUES_AFTER_COLL = 0x80
COLL_POS_NOT_VALID = 0x20
AUTHENT_BYTES = 12
FIFTH_BIT = 5 * ETU
"""Start bit and four data bits: where the timer stops (TModeReg's TAuto)."""
MINIMUM_BITS = 4
RECEIVE_ERRORS = Error.COLLISION | Error.CRC | Error.PARITY | Error.PROTOCOL
"""What the receiver clears when it starts."""
SHORTEST_WITH_CRC = 3
LAST_COLLISION = 32


class Modem(IntEnum):
    """ModemState of Status2Reg."""

    IDLE = 0
    WAIT_START = 1
    TX_WAIT = 2
    SENDING = 3
    RX_WAIT = 4
    WAIT_DATA = 5
    RECEIVING = 6


class Transceiver:
    """The RF half of the chip: takes bytes from the FIFO into the field, and puts answers there when they are over."""

    def __init__(
        self, clock: VirtualClock, regs: Registers, irq: Interrupts, fifo: Fifo, timer: Timer, field: Field
    ) -> None:
        self._clock = clock
        self._regs = regs
        self._irq = irq
        self._fifo = fifo
        self._timer = timer
        self._field = field
        self._pending: list[Alarm] = []
        self._voices: list[Voice] = []
        self.command = Command.IDLE
        self.modem = Modem.IDLE
        self.crypto = False

    @property
    def fifo_is_busy(self) -> bool:
        """Whether a byte written to the FIFO now is a WrErr."""
        return self.modem >= Modem.SENDING

    def reset(self) -> None:
        """Everything off and forgotten."""
        self.stop()
        self.crypto = False

    def stop(self) -> None:
        """Break off what is going on (the host writes Idle, or another command)."""
        for alarm in self._pending:
            alarm.cancel()
        self._pending.clear()
        self.command = Command.IDLE
        self.modem = Modem.IDLE

    def start(self, command: Command) -> None:
        """Begin one of the four RF commands."""
        self.stop()
        self.command = command
        if command is Command.TRANSCEIVE:
            self.modem = Modem.WAIT_START
        elif command is Command.RECEIVE:
            self.modem = Modem.WAIT_DATA
            self._expect()
        else:
            self._ready_to_send()

    def start_send(self) -> None:
        """BitFramingReg's StartSend is written; it works in Transceive only, and not while a frame is on its way."""
        if self.command is Command.TRANSCEIVE and self.modem in (Modem.WAIT_START, Modem.WAIT_DATA):
            self._ready_to_send()

    def field_switched(self) -> None:
        """The antenna is on, or off. A transmission may have waited for it (TxWaitRF)."""
        if self.modem is Modem.TX_WAIT:
            self._ready_to_send()

    def _ready_to_send(self) -> None:
        if self._regs.has(Reg.MODE, TX_WAIT_RF) and not self._field.on:
            self.modem = Modem.TX_WAIT
        elif self.command is Command.MF_AUTHENT:
            self._authenticate()
        elif len(self._fifo):
            self._send(self._fifo.take())
        elif self.command is Command.TRANSMIT:
            self._finish()

    def _send(self, data: bytes) -> None:
        bits = to_bits(data, self._regs[Reg.BIT_FRAMING] & 0x07)
        if self._regs.has(Reg.TX_MODE, CRC_ENABLE):
            bits += to_bits(crc_a(data))
        started = self._clock.ns
        self.modem = Modem.SENDING
        self._later(reader_frame(len(bits)), lambda: self._sent(bits, started))

    def _sent(self, bits: Bits, started: int) -> None:
        self._transmission_over()
        self._voices = self._field.hear(Frame(bits, self.crypto), started) if self._intelligible else []
        if self.command is Command.TRANSMIT:
            self._finish()
        else:
            self.modem = Modem.WAIT_DATA
            self._expect()

    def _transmission_over(self) -> None:
        self._irq.request(Irq.TX)
        self._timer.start_after_transmission()

    @property
    def _intelligible(self) -> bool:
        """Cards understand full amplitude modulation at 106 kbit/s."""
        return self._regs.has(Reg.TX_ASK, FORCE_100_ASK) and not self._regs[Reg.TX_MODE] & SPEED

    def _expect(self) -> None:
        """Receive the answers that are about to begin, unless the receiver is off or set to another bit rate."""
        self._regs[Reg.COLL] |= COLL_POS_NOT_VALID
        self._regs[Reg.ERROR] &= ~RECEIVE_ERRORS
        deaf = self._regs.has(Reg.COMMAND, RECEIVER_OFF) or self._regs[Reg.RX_MODE] & SPEED
        if self._voices and not deaf and self._voices[0].start >= self._clock.ns:
            self._pending.append(self._clock.at(self._voices[0].start, self._answer_begins))

    def _answer_begins(self) -> None:
        self.modem = Modem.RECEIVING
        self._later(FIFTH_BIT, self._fifth_bit)
        self._pending.append(self._clock.at(max(voice.end for voice in self._voices), self._answer_over))

    def _fifth_bit(self) -> None:
        if any(len(voice.until(self._clock.ns)) >= MINIMUM_BITS for voice in self._voices):
            self._timer.stop_on_answer()

    def _answer_over(self) -> None:
        bits, collision = self._field.received(self._voices)
        self._voices = []
        if len(bits) < (MINIMUM_BITS if self._regs.has(Reg.RX_MODE, RX_NO_ERR) else 1):
            self.modem = Modem.WAIT_DATA
            return
        if collision is not None:
            bits = self._collided(bits, collision)
        self._store(bits)
        self.modem = Modem.WAIT_START
        self._irq.request(Irq.RX)
        if self.command is Command.RECEIVE:
            self._finish()

    def _collided(self, bits: Bits, index: int) -> Bits:
        """Report a collision. Its position counts from the first bit of the FIFO's first byte: RxAlign is included."""
        self._error(Error.COLLISION)
        position = self._align + index + 1
        keep = self._regs[Reg.COLL] & VALUES_AFTER_COLL
        self._regs[Reg.COLL] = keep | (position & 0x1F if position <= LAST_COLLISION else COLL_POS_NOT_VALID)
        return bits if keep else bits[:index] + (0,) * (len(bits) - index)

    def _store(self, bits: Bits) -> None:
        data = to_bytes(bits, self._align)
        self._regs[Reg.CONTROL] = (self._align + len(bits)) % 8
        if self._regs.has(Reg.RX_MODE, CRC_ENABLE):
            data = self._without_crc(data, len(bits))
        kept = [self._fifo.put(byte) for byte in data]
        if not all(kept):
            self._error(Error.OVERFLOW)

    def _without_crc(self, data: bytes, bits: int) -> bytes:
        """The receiver keeps a checksum to itself; an answer too short to have one is passed on."""
        if bits % 8 or len(data) < SHORTEST_WITH_CRC:
            self._error(Error.CRC)
            return data
        if crc_a(data[:-2]) != data[-2:]:
            self._error(Error.CRC)
        return data[:-2]

    @property
    def _align(self) -> int:
        return self._regs[Reg.BIT_FRAMING] >> 4 & 0x07

    def _authenticate(self) -> None:
        """MFAuthent: command, block, six bytes of key, four of the UID. Too few of them: it waits for ever."""
        if len(self._fifo) < AUTHENT_BYTES:
            return
        data = self._fifo.take(AUTHENT_BYTES)
        started = self._clock.ns
        self.modem = Modem.SENDING
        self._later(reader_frame(32), lambda: self._challenge(data, started))

    def _challenge(self, data: bytes, started: int) -> None:
        self.modem = Modem.WAIT_DATA
        self._transmission_over()
        card = self._field.challenge(data[1], started) if self._intelligible else None
        if card is not None:
            self._later(FRAME_DELAY + FIFTH_BIT, self._timer.stop_on_answer)
            proof = FRAME_DELAY + card_frame(32) + GUARD + reader_frame(64)
            self._later(proof, lambda: self._prove(card, data))

    def _prove(self, card: ClassicCard, data: bytes) -> None:
        """With the wrong key the card is silent, and the command stays until the host ends it."""
        self._transmission_over()
        if card in self._field.cards and card.authenticate(data[0], data[1], data[2:8], data[8:]):
            self._later(FRAME_DELAY + FIFTH_BIT, self._timer.stop_on_answer)
            self._later(FRAME_DELAY + card_frame(32), self._authenticated)

    def _authenticated(self) -> None:
        self.crypto = True
        self._finish()

    def _finish(self) -> None:
        """A command that ends by itself goes to Idle and says so."""
        self.stop()
        self._irq.request(Irq.IDLE)

    def _error(self, error: Error) -> None:
        self._regs.set_error(error)
        self._irq.request(Irq.ERROR)

    def _later(self, periods: int, act: Callable[[], object]) -> None:
        self._pending = [alarm for alarm in self._pending if alarm.at >= self._clock.ns]
        self._pending.append(self._clock.after(ns(periods), act))
