"""Has the chip's timer run out? Data sheet 8.5."""

from simulator.chip.irq import Interrupts, Irq
from simulator.chip.radio import FC
from simulator.chip.registers import Reg, Registers
from simulator.clock import Alarm, VirtualClock

AUTO = 0x80
GATED = 0x60
AUTO_RESTART = 0x10
PRESCALE_EVEN = 0x10
"""TPrescalEven of DemodReg."""
SHORTEST_REPEAT_NS = 100_000


class Timer:
    """Counts down from TReloadReg at 13.56 MHz / (2 x prescaler + 1). Gated, it waits for unwired pins."""

    def __init__(self, clock: VirtualClock, regs: Registers, irq: Interrupts) -> None:
        self._clock = clock
        self._regs = regs
        self._irq = irq
        self._alarm: Alarm | None = None
        self._started = 0
        self._reload = 0
        self._left = 0
        self.stuck = False
        """A broken chip: it never begins to count."""

    @property
    def running(self) -> bool:
        """Status1Reg's TRunning."""
        return self._alarm is not None

    @property
    def value(self) -> int:
        """TCounterValReg: what is left to count."""
        if not self.running:
            return self._left
        ticks = (self._clock.ns - self._started) * FC // (1_000_000_000 * self._divider)
        return max(0, self._reload - ticks)

    def start(self) -> None:
        """Load and count (TStartNow, or the end of a transmission under TAuto)."""
        self.stop()
        if self._regs[Reg.T_MODE] & GATED or self.stuck:
            return
        self._reload = self._regs[Reg.T_RELOAD_H] << 8 | self._regs[Reg.T_RELOAD_L]
        self._started = self._clock.ns
        self._alarm = self._clock.after(self._period, self._expired)

    def start_after_transmission(self) -> None:
        """What the end of a transmission does: start, under TAuto."""
        if self._regs.has(Reg.T_MODE, AUTO):
            self.start()

    def stop_on_answer(self) -> None:
        """What the fifth bit of an answer does: stop, under TAuto."""
        if self._regs.has(Reg.T_MODE, AUTO):
            self.stop()

    def stop(self) -> None:
        """Count no further; the value stays."""
        self._left = self.value
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = None

    def reset(self) -> None:
        """Stopped at 0."""
        self.stop()
        self._left = 0

    @property
    def _divider(self) -> int:
        prescaler = (self._regs[Reg.T_MODE] & 0x0F) << 8 | self._regs[Reg.T_PRESCALER]
        return 2 * prescaler + (2 if self._regs.has(Reg.DEMOD, PRESCALE_EVEN) else 1)

    @property
    def _period(self) -> int:
        return -(-(self._reload + 1) * self._divider * 1_000_000_000 // FC)

    def _expired(self) -> None:
        self._alarm = None
        self._left = 0
        self._irq.request(Irq.TIMER)
        if self._regs.has(Reg.T_MODE, AUTO_RESTART):
            # A request that is set already cannot be set again: skipping periods keeps a 74 ns timer affordable.
            self._started = self._clock.ns
            repeats = -(-SHORTEST_REPEAT_NS // self._period)
            self._alarm = self._clock.after(self._period * repeats, self._expired)
