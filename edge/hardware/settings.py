"""Which of the chip's registers must stay as the set-up left them, and what is wrong when one does not?

Addresses, names and bits are those of NXP's MFRC522 data sheet, revision 3.9, chapter 9. What the set-up writes must
read back, in the bits that it writes. All else that the radio hangs on (analogue values, test modes, version) is the
chip's own, clones have others: it is noted when two set-ups in a row have left it alike, and watched from then on.
"""

from collections.abc import Mapping
from typing import NamedTuple

SILENT = (0x00, 0xFF)
"""What a bus without a chip reads."""
VERSIONS = {0x91: "MFRC522 version 1.0", 0x92: "MFRC522 version 2.0", 0x88: "FM17522, a clone"}

TIMER_MODE = 0x80  # TAuto: the timer starts when our frame has left and stops when an answer begins (9.3.3.10)
TIMER_PRESCALER = 0xA9  # ticks of 25 µs
TIMER_RELOAD = 9  # ten ticks: an answer begins 91 µs after our frame and is noticed after 5 bits, 47 µs more
FORCE_100_ASK = 0x40
CRC_PRESET_6363 = 0x3D
GAIN_48_DB = 0x70
CLEAR_AFTER_COLLISION = 0x00
FIELD_ON = 0x03
CRC_ON = 0x80


class Register(NamedTuple):
    """value: what the set-up puts into the bits `written`. watched: the bits that the chip never changes by itself."""

    name: str
    address: int
    value: int = 0
    written: int = 0
    watched: int = 0xFF


VERSION = Register("VersionReg", 0x37)
TX_CONTROL = Register("TxControlReg", 0x14, FIELD_ON, FIELD_ON)
TX_MODE = Register("TxModeReg", 0x12, 0, 0xF8)
RX_MODE = Register("RxModeReg", 0x13, 0, 0xFC)
"""The CRC's bit in these two is switched from exchange to exchange."""

WRITTEN = (
    Register("TModeReg", 0x2A, TIMER_MODE, 0xFF),
    Register("TPrescalerReg", 0x2B, TIMER_PRESCALER, 0xFF),
    Register("TReloadRegH", 0x2C, 0, 0xFF),
    Register("TReloadRegL", 0x2D, TIMER_RELOAD, 0xFF),
    Register("TxASKReg", 0x15, FORCE_100_ASK, 0x40),
    Register("ModeReg", 0x11, CRC_PRESET_6363, 0xAB),
    Register("RFCfgReg", 0x26, GAIN_48_DB, 0x70),
    Register("CollReg", 0x0E, CLEAR_AFTER_COLLISION, 0x80, watched=0x80),
)
"""In the order of the set-up, which switches the field on after them."""
OWN = (
    Register("TxSelReg", 0x16),
    Register("RxSelReg", 0x17),
    Register("RxThresholdReg", 0x18),
    Register("DemodReg", 0x19),
    Register("MfTxReg", 0x1C),
    Register("MfRxReg", 0x1D),
    Register("ModWidthReg", 0x24),
    Register("GsNReg", 0x27),
    Register("CWGsPReg", 0x28),
    Register("ModGsPReg", 0x29),
    Register("AutoTestReg", 0x36),
)
SETTINGS = (TX_CONTROL, *WRITTEN, TX_MODE, RX_MODE, *OWN)
IMAGE = (VERSION, *SETTINGS)
PAGES = tuple(SETTINGS[page::3] for page in range(3))
"""A third of the settings comes with each exchange. Each page has some that a reset changes."""

Image = Mapping[Register, int]
"""What registers read, in their watched bits."""


def holds(image: Image) -> bool:
    """Whether all that the set-up writes reads back."""
    return image[VERSION] not in SILENT and not _lost(image, {})


def diagnose(image: Image, noted: Image) -> str | None:
    """Why a chip with these registers cannot be used, and what to look at; None when it can.

    noted: what they should read; empty for a chip that was never set up well.
    """
    for silent in SILENT:
        if all(value == silent & register.watched for register, value in image.items()):
            return (
                f"the chip does not answer (all registers read {silent:02X}): "
                "check wiring, 3.3 V and that SPI is enabled"
            )
    version = image.get(VERSION)
    if version is not None and version != noted.get(VERSION, version):
        return (
            f"VersionReg reads {version:02X} instead of {noted[VERSION]:02X}: "
            "check wiring and SPI clock, and whether this is the same module"
        )
    lost = _lost(image, noted)
    if lost:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        return f"the chip lost its settings ({', '.join(lost[:3])}{more}): check its 3.3 V supply, wiring and SPI clock"
    if not noted:
        return "the chip's registers read differently after each reset: check wiring and SPI clock"
    return None


def _lost(image: Image, noted: Image) -> list[str]:
    """Each register that is not as it should be, in words."""
    return [
        f"{register.name} {value:02X} instead of {noted.get(register, register.value):02X}"
        for register, value in image.items()
        if (value != noted[register] if register in noted else (value ^ register.value) & register.written)
    ]
