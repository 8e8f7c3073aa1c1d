"""How to talk to an MFRC522: the library's class, with its initialisation and its exchange done anew.

Kept from mfrc522.MFRC522: constructor, register access, antenna, reset. Section numbers are those of NXP's MFRC522 data
sheet, revision 3.9. This file alone imports the library.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import lgpio
import mfrc522

from edge.hardware.errors import ChipError, CollisionError, GarbledError, HardwareError, SilenceError
from edge.ports import Clock

VERSIONS = {0x91: "MFRC522 version 1.0", 0x92: "MFRC522 version 2.0", 0x88: "FM17522, a clone"}

BCM = 11  # RPi.GPIO's name for Broadcom numbering; any other choice makes the library take another pin for the reset
ETU = 128 / 13.56e6  # seconds for one bit at 106 kbit/s (ISO 14443-2)
FRAME_DELAY = 1236 / 13.56e6  # seconds from our last bit to the card's first (ISO 14443-3, 6.2.1.1)

TIMER_MODE = 0x80  # TAuto: the timer starts when our frame has left and stops when an answer begins (9.3.3.10)
TIMER_PRESCALER = 0xA9  # ticks of 25 µs
TIMER_RELOAD = 9  # ten ticks: an answer begins 91 µs after our frame and is noticed after 5 bits, 47 µs more
TIMEOUT = 10 * 25e-6
FIELD_ON = 0x03
FORCE_100_ASK = 0x40
CRC_PRESET_6363 = 0x3D
GAIN_48_DB = 0x70
CLEAR_AFTER_COLLISION = 0x00

ALL_IRQ = 0x7F
FLUSH = 0x80
START_SEND = 0x80
POWER_DOWN = 0x10
CRC_ON = 0x80
RX_IRQ, ERR_IRQ, TIMER_IRQ = 0x20, 0x02, 0x01
COLLISION = 0x08
ANY_ERROR = 0x1F  # buffer overflow, collision, CRC, parity, protocol (9.3.1.7)
LAST_BITS = 0x07

STATUS_READS = 12
"""What a sleep that ends early may cost: 0.3 ms of looking again."""

STUCK_AFTER = 100
STUCK = "the chip is stuck (its timer does not run): power the reader off and on"


class Chip(mfrc522.MFRC522):  # type: ignore[misc]
    """One MFRC522 on an SPI bus. Belongs to the thread that polls it.

    transfers: SPI transfers made since the start.
    """

    def __init__(
        self, clock: Clock, bus: int = 0, device: int = 0, reset: int = 25, speed: int = 10_000_000, wake: float = 80e-6
    ) -> None:
        """reset: GPIO line (Broadcom) of the RST pin. speed: SPI clock in Hz.

        wake: seconds by which the system wakes a sleeper late, taken off each sleep.
        Never fails for a chip that is silent: `health` tells. Raises HardwareError without SPI or the reset line.
        """
        self.clock = clock
        self.transfers = 0
        self._wake = wake
        self._crc = False
        self._unended = 0
        try:
            super().__init__(bus=bus, device=device, spd=speed, pin_mode=BCM, pin_rst=reset)
        except (OSError, RuntimeError, lgpio.error) as error:
            raise HardwareError(
                f"reader on SPI {bus}.{device}, reset line GPIO{reset}: {error}. "
                "Enable SPI (dtparam=spi=on in config.txt) and see that no other program holds the line."
            ) from error
        self.logger.handlers.clear()  # the library adds one for each chip; messages would appear twice

    # Register access: the library's, counted, and two bursts it lacks (8.1.2).

    def Write_MFRC522(self, addr: int, val: int) -> None:  # noqa: N802
        """Write one register."""
        self.transfers += 1
        super().Write_MFRC522(addr, val)

    def Read_MFRC522(self, addr: int) -> int:  # noqa: N802
        """Read one register."""
        self.transfers += 1
        return int(super().Read_MFRC522(addr))

    def read(self, *registers: int) -> bytes:
        """Read several registers in one transfer: each byte sent names the register that the next byte brings."""
        self.transfers += 1
        return bytes(self.spi.xfer2([(register << 1) & 0x7E | 0x80 for register in registers] + [0])[1:])

    def fill(self, data: bytes) -> None:
        """Put bytes into the FIFO in one transfer."""
        self.transfers += 1
        self.spi.xfer2([(self.FIFODataReg << 1) & 0x7E, *data])

    # Set-up and health.

    def MFRC522_Init(self) -> None:  # noqa: N802
        """Reset the chip, set timer, gain and modulation, switch the field on. A silent chip is left alone."""
        if not self._await(lambda: self.Read_MFRC522(self.VersionReg) in VERSIONS):
            return
        self.MFRC522_Reset()
        self._await(lambda: not self.Read_MFRC522(self.CommandReg) & POWER_DOWN)
        for register, value in (
            (self.TModeReg, TIMER_MODE),
            (self.TPrescalerReg, TIMER_PRESCALER),
            (self.TReloadRegH, 0),
            (self.TReloadRegL, TIMER_RELOAD),
            (self.TxAutoReg, FORCE_100_ASK),
            (self.ModeReg, CRC_PRESET_6363),
            (self.RFCfgReg, GAIN_48_DB),
            (self.CollReg, CLEAR_AFTER_COLLISION),
        ):
            self.Write_MFRC522(register, value)
        self._crc = False
        self._unended = 0
        self.AntennaOn()

    def _await(self, ready: Callable[[], bool]) -> bool:
        """After a reset, by its pin or by command, the chip takes until its crystal swings (8.8): some ms at most."""
        for _ in range(5):
            self.clock.sleep(1e-3)
            if ready():
                return True
        return False

    def health(self) -> str | None:
        """Why the chip cannot be used as it is, in English; None when it is well. One transfer."""
        if self._unended >= STUCK_AFTER:
            return STUCK
        return diagnose(*self.read(self.VersionReg, self.TxControlReg, self.TModeReg))

    def version(self) -> int:
        """The version register (9.3.4.8); `VERSIONS` names those that are known."""
        return self.Read_MFRC522(self.VersionReg)

    def Close_MFRC522(self) -> None:  # noqa: N802
        """Switch the field off and let go of the bus.

        The library would free all its GPIO lines here, the reset line that the other reader shares among them.
        """
        with suppress(OSError):
            self.AntennaOff()
        self.spi.close()

    # The exchange.

    def exchange(self, frame: bytes, answer: int, bits: int = 0, crc: bool = False) -> bytes:
        """As `iso14443.Radio` says: seven transfers, an answer takes one more, a change of `crc` two. Or ChipError."""
        self._switch_crc(crc)
        self._send(frame, bits)
        self.clock.sleep(max(0.0, _air_time(frame, answer, bits, crc) - self._wake))
        return self._receive(answer)

    def _switch_crc(self, on: bool) -> None:
        if on != self._crc:
            self.Write_MFRC522(self.TxModeReg, CRC_ON if on else 0)
            self.Write_MFRC522(self.RxModeReg, CRC_ON if on else 0)
            self._crc = on

    def _send(self, frame: bytes, bits: int) -> None:
        """StartSend is cleared before Transceive starts anew: else the chip may send what the FIFO still holds."""
        self.Write_MFRC522(self.BitFramingReg, bits)
        self.Write_MFRC522(self.CommandReg, self.PCD_TRANSCEIVE)
        self.Write_MFRC522(self.CommIrqReg, ALL_IRQ)
        self.Write_MFRC522(self.FIFOLevelReg, FLUSH)
        self.fill(frame)
        self.Write_MFRC522(self.BitFramingReg, START_SEND | bits)

    def _receive(self, answer: int) -> bytes:
        """The answer, once it is over; after a sleep long enough that takes one status read, which tells of health too.

        The FIFO is left alone until then: a byte read while the answer comes in could be one that is not there yet.
        """
        for _ in range(STATUS_READS):
            status = self._status()
            if why := diagnose(status.version, status.tx_control, status.t_mode):
                raise ChipError(why)
            if status.irq & (RX_IRQ | ERR_IRQ | TIMER_IRQ):
                self._unended = 0
                status.judge(answer)
                return self._empty_fifo(answer)
        self._count_unended()
        raise GarbledError("an answer began and did not end")

    def _status(self) -> "_Status":
        """All that an exchange leaves behind, in one transfer."""
        return _Status(
            *self.read(
                self.CommIrqReg,
                self.ErrorReg,
                self.FIFOLevelReg,
                self.ControlReg,
                self.VersionReg,
                self.TxControlReg,
                self.TModeReg,
            )
        )

    def _empty_fifo(self, length: int) -> bytes:
        """So many bytes of the FIFO; the version comes along, as no checksum covers this transfer."""
        version, *data = self.read(self.VersionReg, *[self.FIFODataReg] * length)
        if version not in VERSIONS:
            raise ChipError(f"VersionReg reads {version:02X} during a transfer")
        return bytes(data)

    def _count_unended(self) -> None:
        """The timer ends every silence. A chip where it does so no more is stuck, healthy as its registers look."""
        self._unended += 1
        if self._unended >= STUCK_AFTER:
            raise ChipError(STUCK)


class _Status(NamedTuple):
    irq: int
    error: int
    level: int
    control: int
    version: int
    tx_control: int
    t_mode: int

    def judge(self, answer: int) -> None:
        """Return for a whole answer of so many bytes; raise the fitting RadioError for anything else."""
        if self.error & COLLISION:
            raise CollisionError("two cards answered at once")
        if self.error & ANY_ERROR:
            raise GarbledError(f"ErrorReg reads {self.error:02X}")
        if not self.irq & RX_IRQ:
            raise SilenceError("no card answered")
        last_bits = self.control & LAST_BITS or 8
        if (self.level, last_bits) != (answer, 8):
            raise GarbledError(f"{self.level} bytes came, the last of {last_bits} bits, instead of {answer} whole ones")


def diagnose(version: int, tx_control: int, t_mode: int) -> str | None:
    """Why a chip with these registers cannot be used, and what to look at; None when it can."""
    if version == tx_control == t_mode and version in (0x00, 0xFF):
        return (
            f"the chip does not answer (all registers read {version:02X}): check wiring, 3.3 V and that SPI is enabled"
        )
    if version not in VERSIONS:
        return f"VersionReg reads {version:02X}, as no known chip: check wiring and SPI clock, or change the module"
    if tx_control & FIELD_ON != FIELD_ON or t_mode != TIMER_MODE:
        return (
            f"the chip lost its settings (TxControlReg {tx_control:02X}, TModeReg {t_mode:02X}): check its 3.3 V supply"
        )
    return None


def _air_time(frame: bytes, answer: int, bits: int, crc: bool) -> float:
    """Seconds that an exchange takes: our frame, then the answer or the timeout, whichever is later.

    Frames as in ISO 14443-3, 6.2.3: a start bit, nine bits for each byte, an end of two bits (ours) or one (a card's).
    """
    checksum = 2 if crc else 0
    sent = 1 + bits + 2 if bits else 1 + 9 * (len(frame) + checksum) + 2
    answered = 1 + 9 * (answer + checksum) + 1
    return sent * ETU + max(TIMEOUT, FRAME_DELAY + answered * ETU)
