"""What has happened that the host may want to know, and does the IRQ pin say so? Data sheet 8.4, 9.3.1.3 to 9.3.1.6."""

from collections.abc import Callable
from enum import IntFlag

SET = 0x80
"""Set1 and Set2: whether the marked bits are set or cleared."""
INVERTED = 0x80
"""IRqInv of ComIEnReg."""
DIV_BITS = 0x14


class Irq(IntFlag):
    """Bits of ComIrqReg."""

    TX = 0x40
    RX = 0x20
    IDLE = 0x10
    HIGH = 0x08
    LOW = 0x04
    ERROR = 0x02
    TIMER = 0x01


CRC_IRQ = 0x04
"""CRCIRq of DivIrqReg."""


class Interrupts:
    """Both request registers, both enable registers, and the pin."""

    def __init__(self) -> None:
        self.on_pin: Callable[[int], object] = lambda _level: None
        self._level = 1
        self.reset()

    def reset(self) -> None:
        """ComIrqReg starts as 0x14, ComIEnReg as 0x80."""
        self.com = Irq.IDLE | Irq.LOW
        self.div = 0
        self.com_enable = INVERTED
        self.div_enable = 0
        self._update()

    @property
    def pending(self) -> bool:
        """Status1Reg's IRq: a request that is enabled is set."""
        return bool(self.com & self.com_enable & 0x7F or self.div & self.div_enable & DIV_BITS)

    @property
    def pin(self) -> int:
        """The level of the IRQ pin. An open drain pin (IRQPushPull clear) is pulled up by the module's resistor."""
        inverted = bool(self.com_enable & INVERTED)
        return int(self.pending != inverted)

    def request(self, irq: Irq) -> None:
        """Something has happened."""
        self.com |= irq
        self._update()

    def request_crc(self) -> None:
        """CalcCRC has worked off all bytes."""
        self.div |= CRC_IRQ
        self._update()

    def write_com(self, value: int) -> None:
        """The host writes ComIrqReg: Set1 decides what becomes of the marked bits."""
        marked = Irq(value & 0x7F)
        self.com = self.com | marked if value & SET else self.com & ~marked
        self._update()

    def write_div(self, value: int) -> None:
        """The host writes DivIrqReg."""
        marked = value & DIV_BITS
        self.div = self.div | marked if value & SET else self.div & ~marked
        self._update()

    def enable_com(self, value: int) -> None:
        """The host writes ComIEnReg."""
        self.com_enable = value
        self._update()

    def enable_div(self, value: int) -> None:
        """The host writes DivIEnReg."""
        self.div_enable = value & (0x80 | DIV_BITS)
        self._update()

    def _update(self) -> None:
        level = self.pin
        if level != self._level:
            self._level = level
            self.on_pin(level)
