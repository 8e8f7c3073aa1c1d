"""What does an NXP MFRC522 do with a byte on its SPI bus? Product data sheet rev. 3.9, chapters 8 to 10.

The parts are in simulator/chip/. Not emulated: the self test, other interfaces than SPI, the analogue part (what is
written to its registers stays there), parity, Crypto-1 (an authentication succeeds with the card's key, fails with
another, and takes its time). Whatever takes time on the chip takes virtual time: nothing shows before it is over.
"""

import random
from collections.abc import Callable
from enum import Enum

from simulator.chip.coprocessor import Coprocessor
from simulator.chip.fifo import Fifo
from simulator.chip.irq import Interrupts, Irq
from simulator.chip.registers import Command, Error, Reg, Registers
from simulator.chip.timer import Timer
from simulator.chip.transceiver import START_SEND, Transceiver
from simulator.clock import Alarm, VirtualClock
from simulator.field import Field

OVERHEAD_NS = 20_000
"""What the kernel and the driver add to one transfer: the model of promises.md, to be measured on the board."""
FASTEST_HZ = 10_000_000
READ = 0x80
FLUSH = 0x80
POWER_DOWN = 0x10
RECEIVER_OFF = 0x20
ANTENNA = 0x03
CRYPTO_ON = 0x08
STOP_NOW = 0x80
START_NOW = 0x40
WAKE_NS = 37_740
"""1024 periods of the 27.12 MHz oscillator after a reset or a power down, data sheet 8.8.4."""
BUFFER = 25
"""Bytes of the internal buffer that Mem moves."""
RF_COMMANDS = (Command.TRANSMIT, Command.RECEIVE, Command.TRANSCEIVE, Command.MF_AUTHENT)


class Fault(Enum):
    """What can be wrong with the chip or its wires for as long as it lasts."""

    NONE = "none"
    DEAD_LOW = "unplugged, every byte reads 0x00"
    DEAD_HIGH = "unplugged, every byte reads 0xff"
    RESET_STUCK = "the RST pin is stuck low"


class Chip:
    """One reader chip with its antenna. `field` takes the cards.

    version: what VersionReg says (0x91 and 0x92 are NXP's). overhead_ns: the cost of a transfer beside its bits.
    seed: for GenerateRandomID.
    transfers, bytes: what has gone over the bus so far.
    """

    def __init__(
        self, clock: VirtualClock, version: int = 0x92, overhead_ns: int = OVERHEAD_NS, seed: int = 522
    ) -> None:
        self.version = version
        self.overhead_ns = overhead_ns
        self.transfers = 0
        self.bytes = 0
        self.field = Field(clock)
        self.irq = Interrupts()
        self._clock = clock
        self._random = random.Random(seed)
        self._fault = Fault.NONE
        self._in_reset = False
        self._deaf_until = 0
        self._regs = Registers()
        self._fifo = Fifo(self.irq)
        self._timer = Timer(clock, self._regs, self.irq)
        self._rf = Transceiver(clock, self._regs, self.irq, self._fifo, self._timer, self.field)
        self._buffer = bytes(BUFFER)
        self._crc = Coprocessor(clock, self._regs, self.irq, self._fifo)
        self._waking: Alarm | None = None
        self._reads = self._readers()
        self._writes = self._writers()

    @property
    def fault(self) -> Fault:
        """What is wrong at the moment."""
        return self._fault

    @fault.setter
    def fault(self, fault: Fault) -> None:
        """Break or mend. A fault takes power away or holds the reset: mending does not bring back what was set up."""
        with self._clock.lock:
            if fault is not self._fault:
                self.brown_out()
            self._fault = fault

    @property
    def timer_stuck(self) -> bool:
        """Whether the timer does not run, with every register as it should be."""
        return self._timer.stuck

    @timer_stuck.setter
    def timer_stuck(self, stuck: bool) -> None:
        with self._clock.lock:
            self._timer.stuck = stuck

    def brown_out(self) -> None:
        """The supply dips: registers at their reset values, antenna off, and nobody is told."""
        with self._clock.lock:
            self._reset()

    def reset_pin(self, level: int) -> None:
        """The RST pin (NRSTPD) moves. Low holds the chip in reset and off the bus; it is back 38 µs after a high."""
        with self._clock.lock:
            self._in_reset = not level
            self._deaf_until = self._clock.ns + WAKE_NS
            self._reset()

    def transfer(self, sent: bytes, hz: int = FASTEST_HZ, mode: int = 0) -> bytes:
        """One SPI transfer, chip select low from end to end; as many bytes come back (data sheet 8.1.2).

        hz: bus clock; above 10 MHz, or in another mode than 0, the chip cannot be understood.
        """
        with self._clock.lock:
            self.transfers += 1
            self.bytes += len(sent)
            self._clock.advance(self.overhead_ns)
            byte_ns = 8_000_000_000 // hz
            silence = self._silence(hz, mode)
            if silence is not None:
                self._clock.advance(byte_ns * len(sent))
                return bytes([silence]) * len(sent)
            return self._read(sent, byte_ns) if sent[0] & READ else self._write(sent, byte_ns)

    def _silence(self, hz: int, mode: int) -> int | None:
        """What the host reads when the chip is not listening: the Pi's own pull-down, or a floating wire."""
        if self._fault is Fault.DEAD_HIGH:
            return 0xFF
        down = self._in_reset or self._clock.ns < self._deaf_until or self._fault is not Fault.NONE
        return 0x00 if down or hz > FASTEST_HZ or mode != 0 else None

    def _read(self, sent: bytes, byte_ns: int) -> bytes:
        """Each byte sent names the register that the next byte brings; the last one names none."""
        received = bytearray(1)
        self._clock.advance(byte_ns)
        for address in sent[:-1]:
            received.append(self._reg(address >> 1 & 0x3F) if address & READ else 0)
            self._clock.advance(byte_ns)
        return bytes(received)

    def _write(self, sent: bytes, byte_ns: int) -> bytes:
        """The first byte names the register for all that follow."""
        address = sent[0] >> 1 & 0x3F
        self._clock.advance(byte_ns)
        for value in sent[1:]:
            self._clock.advance(byte_ns)
            self._set(address, value)
        return bytes(len(sent))

    def _reg(self, address: int) -> int:
        read = self._reads.get(address)
        return read() if read else self._regs[address]

    def _set(self, address: int, value: int) -> None:
        write = self._writes.get(address)
        if write:
            write(value)
        else:
            self._regs.write(address, value)

    def _readers(self) -> dict[int, Callable[[], int]]:
        return {
            Reg.COMMAND: lambda: self._regs[Reg.COMMAND] | self._command,
            Reg.COM_I_EN: lambda: self.irq.com_enable,
            Reg.DIV_I_EN: lambda: self.irq.div_enable,
            Reg.COM_IRQ: lambda: self.irq.com,
            Reg.DIV_IRQ: lambda: self.irq.div,
            Reg.STATUS1: self._status1,
            Reg.STATUS2: lambda: self._regs[Reg.STATUS2] | (CRYPTO_ON if self._rf.crypto else 0) | self._rf.modem,
            Reg.FIFO_DATA: self._fifo.get,
            Reg.FIFO_LEVEL: lambda: len(self._fifo),
            Reg.WATER_LEVEL: lambda: self._fifo.water_level,
            Reg.CONTROL: lambda: 0x10 | self._regs[Reg.CONTROL],
            Reg.CRC_RESULT_H: lambda: self._crc.result >> 8,
            Reg.CRC_RESULT_L: lambda: self._crc.result & 0xFF,
            Reg.T_COUNTER_H: lambda: self._timer.value >> 8,
            Reg.T_COUNTER_L: lambda: self._timer.value & 0xFF,
            Reg.VERSION: lambda: self.version,
        }

    def _writers(self) -> dict[int, Callable[[int], None]]:
        return {
            Reg.COMMAND: self._write_command,
            Reg.COM_I_EN: self.irq.enable_com,
            Reg.DIV_I_EN: self.irq.enable_div,
            Reg.COM_IRQ: self.irq.write_com,
            Reg.DIV_IRQ: self.irq.write_div,
            Reg.STATUS2: self._write_status2,
            Reg.FIFO_DATA: self._write_fifo,
            Reg.FIFO_LEVEL: self._write_fifo_level,
            Reg.WATER_LEVEL: self._fifo.set_water_level,
            Reg.CONTROL: self._write_control,
            Reg.BIT_FRAMING: self._write_bit_framing,
            Reg.TX_CONTROL: self._write_tx_control,
        }

    @property
    def _command(self) -> Command:
        return Command.CALC_CRC if self._crc.active else self._rf.command

    def _status1(self) -> int:
        bits = (
            (0x40, self._crc.result == 0),
            (0x20, self._crc.ready),
            (0x10, self.irq.pending),
            (0x08, self._timer.running),
            (0x02, self._fifo.high),
            (0x01, self._fifo.low),
        )
        return sum(bit for bit, true in bits if true)

    def _write_command(self, value: int) -> None:
        was_down = self._regs.has(Reg.COMMAND, POWER_DOWN)
        self._regs[Reg.COMMAND] = value & (RECEIVER_OFF | POWER_DOWN)
        if was_down and not value & POWER_DOWN:
            self._regs[Reg.COMMAND] |= POWER_DOWN
            self._waking = self._clock.after(WAKE_NS, self._awake)
        if value & POWER_DOWN:
            self._power_down()
        elif not was_down and value & 0x0F != Command.NO_CMD_CHANGE:
            self._start(value & 0x0F)

    def _power_down(self) -> None:
        self._stop()
        self._timer.stop()
        self.field.switch(on=False)

    def _awake(self) -> None:
        self._regs[Reg.COMMAND] &= ~POWER_DOWN
        self._switch_field()

    def _start(self, code: int) -> None:
        self._stop()
        if code == Command.SOFT_RESET:
            self._reset()
            return
        if code != Command.IDLE:
            self._regs.clear_errors()
        if code == Command.CALC_CRC:
            self._crc.start()
        elif code in RF_COMMANDS:
            self._rf.start(Command(code))
        elif code != Command.IDLE:
            self._at_once(code)

    def _at_once(self, code: int) -> None:
        """Mem and GenerateRandomID are over when they begin; so is a command that does not exist."""
        if code == Command.GENERATE_RANDOM_ID:
            self._buffer = self._random.randbytes(10) + self._buffer[10:]
        elif code == Command.MEM and len(self._fifo):
            self._buffer = self._fifo.take(BUFFER).ljust(BUFFER, b"\0")
        elif code == Command.MEM:
            for byte in self._buffer:
                self._fifo.put(byte)
        self.irq.request(Irq.IDLE)

    def _stop(self) -> None:
        self._rf.stop()
        self._crc.stop()
        if self._waking is not None:
            self._waking.cancel()

    def _write_fifo(self, value: int) -> None:
        if self._rf.fifo_is_busy:
            self._error(Error.WRITE)
        elif not self._fifo.put(value):
            self._error(Error.OVERFLOW)
        elif self._crc.active:
            self._crc.feed()

    def _write_fifo_level(self, value: int) -> None:
        if value & FLUSH:
            self._fifo.flush()
            self._regs[Reg.ERROR] &= ~Error.OVERFLOW

    def _write_status2(self, value: int) -> None:
        """MFCrypto1On can be cleared, never set."""
        self._regs[Reg.STATUS2] = value & 0xC0
        self._rf.crypto = self._rf.crypto and bool(value & CRYPTO_ON)

    def _write_control(self, value: int) -> None:
        if value & STOP_NOW:
            self._timer.stop()
        if value & START_NOW:
            self._timer.start()

    def _write_bit_framing(self, value: int) -> None:
        self._regs.write(Reg.BIT_FRAMING, value)
        if value & START_SEND:
            self._rf.start_send()

    def _write_tx_control(self, value: int) -> None:
        self._regs.write(Reg.TX_CONTROL, value)
        self._switch_field()

    def _switch_field(self) -> None:
        down = self._regs.has(Reg.COMMAND, POWER_DOWN)
        self.field.switch(on=bool(self._regs[Reg.TX_CONTROL] & ANTENNA) and not down)
        self._rf.field_switched()

    def _error(self, error: Error) -> None:
        self._regs.set_error(error)
        self.irq.request(Irq.ERROR)

    def _reset(self) -> None:
        """Everything stopped, registers at their reset values; only the internal buffer survives."""
        self._stop()
        self._rf.reset()
        self._timer.reset()
        self._regs.reset()
        self._fifo.reset()
        self._crc.reset()
        self.irq.reset()
        self.field.switch(on=False)
