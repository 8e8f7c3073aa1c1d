"""What does CalcCRC find? Data sheet 8.6 and 10.3.1.4."""

from simulator.chip.crc import crc16, crc16_msb_first
from simulator.chip.fifo import Fifo
from simulator.chip.irq import Interrupts
from simulator.chip.radio import ns
from simulator.chip.registers import Reg, Registers
from simulator.clock import Alarm, VirtualClock

MSB_FIRST = 0x80
PRESETS = (0x0000, 0x6363, 0xA671, 0xFFFF)
PERIODS_PER_BYTE = 8
AT_RESET = 0xFFFF


class Coprocessor:
    """Takes whatever is in the FIFO, and what is written there later, until another command."""

    def __init__(self, clock: VirtualClock, regs: Registers, irq: Interrupts, fifo: Fifo) -> None:
        self._clock = clock
        self._regs = regs
        self._irq = irq
        self._fifo = fifo
        self._done: Alarm | None = None
        self.active = False
        self.result = AT_RESET

    @property
    def ready(self) -> bool:
        """CRCReady of Status1Reg: nothing is left to work off."""
        return self._done is None

    def start(self) -> None:
        """The command begins: load the preset that ModeReg names."""
        self.active = True
        self.result = PRESETS[self._regs[Reg.MODE] & 0x03]
        self.feed()

    def feed(self) -> None:
        """There is something in the FIFO."""
        data = self._fifo.take()
        count = crc16_msb_first if self._regs.has(Reg.MODE, MSB_FIRST) else crc16
        self.result = count(data, self.result)
        self._break_off()
        self._done = self._clock.after(ns(PERIODS_PER_BYTE * len(data)), self._worked_off)

    def stop(self) -> None:
        """Another command begins; the result stays."""
        self.active = False
        self._break_off()

    def reset(self) -> None:
        """Stopped, with the result at its reset value."""
        self.stop()
        self.result = AT_RESET

    def _break_off(self) -> None:
        if self._done is not None:
            self._done.cancel()
        self._done = None

    def _worked_off(self) -> None:
        self._done = None
        self._irq.request_crc()
