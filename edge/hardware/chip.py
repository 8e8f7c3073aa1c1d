"""How to talk to an MFRC522: the library's class, with its initialisation and its exchange done anew.

Kept from mfrc522.MFRC522: constructor, register access, antenna, reset. Section numbers are those of NXP's MFRC522 data
sheet, revision 3.9. This file alone imports the library.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from operator import and_

import lgpio
import mfrc522

from edge.hardware.errors import ChipError, CollisionError, GarbledError, HardwareError, SilenceError
from edge.hardware.settings import (
    CRC_ON,
    IMAGE,
    PAGES,
    RX_MODE,
    SILENT,
    TX_MODE,
    VERSION,
    VERSIONS,
    WRITTEN,
    Image,
    Register,
    diagnose,
    holds,
)
from edge.ports import Clock

log = logging.getLogger("loquet.edge")

BCM = 11  # RPi.GPIO's name for Broadcom numbering; any other choice makes the library take another pin for the reset
ETU = 128 / 13.56e6  # seconds for one bit at 106 kbit/s (ISO 14443-2)
FRAME_DELAY = 1236 / 13.56e6  # seconds from our last bit to the card's first (ISO 14443-3, 6.2.1.1)

TIMEOUT = 10 * 25e-6
"""Seconds for which the chip's timer waits, as it is set (edge/hardware/settings.py)."""

ALL_IRQ = 0x7F
FLUSH = 0x80
START_SEND = 0x80
POWER_DOWN = 0x10
RX_IRQ, ERR_IRQ, TIMER_IRQ = 0x20, 0x02, 0x01
COLLISION = 0x08
ANY_ERROR = 0x1F  # buffer overflow, collision, CRC, parity, protocol (9.3.1.7)
LAST_BITS = 0x07

STATUS_READS = 12
"""What a sleep that ends early may cost: 0.3 ms of looking again."""

SET_UPS = 4
"""Tries of one set-up, some ms each: two in a row must leave the chip alike."""

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
        self._name = f"SPI {bus}.{device}"
        self._crc = False
        self._unended = 0
        self._page = 0
        self._noted: Image = {}
        self._expected: dict[bool, tuple[bytes, ...]] = {crc: (b"",) * len(PAGES) for crc in (False, True)}
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
        """Set the chip up and note what its registers read then. A silent chip is left alone."""
        last: Image = {}
        for _ in range(SET_UPS):
            if not self._await(lambda: self.version() not in SILENT):
                return
            image = self._set_up()
            if image == self._noted or (image == last and holds(image)):
                self._note(image)
                return
            last = image

    def _set_up(self) -> Image:
        """Reset the chip, set timer, gain and modulation, switch the field on. What the registers read then."""
        self._crc = False
        self._unended = 0
        self.MFRC522_Reset()
        self._await(lambda: not self.Read_MFRC522(self.CommandReg) & POWER_DOWN)
        for register in WRITTEN:
            self.Write_MFRC522(register.address, register.value)
        self.AntennaOn()
        return self._image()

    def _note(self, image: Image) -> None:
        """From now on registers must read as in the image. A version that is not known is warned of, once."""
        version = image[VERSION]
        if version not in VERSIONS and version != self._noted.get(VERSION):
            log.warning(
                "reader chip on %s: VersionReg reads %02X, as no chip that is known here; it is taken as it is. "
                "See with --probe that it reads every kind of badge",
                self._name,
                version,
            )
        self._noted = image
        self._expected = {
            crc: tuple(bytes(_expected(image, register, crc) for register in page) for page in PAGES)
            for crc in (False, True)
        }

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
        return self._diagnose(self._image())

    def _image(self) -> Image:
        values = self.read(*[register.address for register in IMAGE])
        return {register: value & register.watched for register, value in zip(IMAGE, values, strict=True)}

    def _diagnose(self, image: Image) -> str | None:
        return diagnose(image, {register: _expected(self._noted, register, self._crc) for register in self._noted})

    def version(self) -> int:
        """The version register (9.3.4.8); `settings.VERSIONS` names those that are known."""
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
            if status.irq & (RX_IRQ | ERR_IRQ | TIMER_IRQ):
                self._unended = 0
                status.judge(answer)
                return self._empty_fifo(answer)
        self._count_unended()
        raise GarbledError("an answer began and did not end")

    def _status(self) -> "_Status":
        """All that an exchange leaves behind, and a page of the settings, in one transfer.

        Raises ChipError when a register is not as the set-up left it: a write was lost, or the chip was reset.
        """
        page, expected = PAGES[self._page], self._expected[self._crc][self._page]
        self._page = (self._page + 1) % len(PAGES)
        status = _Status(*self.read(*STATUS, *[register.address for register in page]))
        held = bytes(map(and_, status.settings, (register.watched for register in page)))
        self._check_version(status.version)
        if held != expected:
            raise ChipError(f"one of {', '.join(register.name for register in page)} is not as it was set")
        return status

    def _check_version(self, version: int) -> None:
        if version != self._noted.get(VERSION):
            raise ChipError(f"VersionReg reads {version:02X} during an exchange")

    def _empty_fifo(self, length: int) -> bytes:
        """So many bytes of the FIFO; the version comes along, as no checksum covers this transfer."""
        version, *data = self.read(self.VersionReg, *[self.FIFODataReg] * length)
        self._check_version(version)
        return bytes(data)

    def _count_unended(self) -> None:
        """The timer ends every silence. A chip where it does so no more is stuck, healthy as its registers look."""
        self._unended += 1
        if self._unended >= STUCK_AFTER:
            raise ChipError(STUCK)


STATUS = (Chip.CommIrqReg, Chip.ErrorReg, Chip.FIFOLevelReg, Chip.ControlReg, Chip.VersionReg)


class _Status:
    def __init__(self, irq: int, error: int, level: int, control: int, version: int, *settings: int) -> None:
        self.irq = irq
        self.error = error
        self.level = level
        self.control = control
        self.version = version
        self.settings = settings

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


def _expected(noted: Image, register: Register, crc: bool) -> int:
    """What the register reads while the chip does the CRC, or does not."""
    return noted[register] | (CRC_ON if crc and register in (TX_MODE, RX_MODE) else 0)


def _air_time(frame: bytes, answer: int, bits: int, crc: bool) -> float:
    """Seconds that an exchange takes: our frame, then the answer or the timeout, whichever is later.

    Frames as in ISO 14443-3, 6.2.3: a start bit, nine bits for each byte, an end of two bits (ours) or one (a card's).
    """
    checksum = 2 if crc else 0
    sent = 1 + bits + 2 if bits else 1 + 9 * (len(frame) + checksum) + 2
    answered = 1 + 9 * (answer + checksum) + 1
    return sent * ETU + max(TIMEOUT, FRAME_DELAY + answered * ETU)
