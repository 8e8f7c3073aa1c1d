"""Which registers has an MFRC522, what do they hold after a reset, which bits can be written? Data sheet, chapter 9."""

from enum import IntEnum, IntFlag


class Reg(IntEnum):
    """Register addresses, by the data sheet's names."""

    COMMAND = 0x01
    COM_I_EN = 0x02
    DIV_I_EN = 0x03
    COM_IRQ = 0x04
    DIV_IRQ = 0x05
    ERROR = 0x06
    STATUS1 = 0x07
    STATUS2 = 0x08
    FIFO_DATA = 0x09
    FIFO_LEVEL = 0x0A
    WATER_LEVEL = 0x0B
    CONTROL = 0x0C
    BIT_FRAMING = 0x0D
    COLL = 0x0E
    MODE = 0x11
    TX_MODE = 0x12
    RX_MODE = 0x13
    TX_CONTROL = 0x14
    TX_ASK = 0x15
    TX_SEL = 0x16
    RX_SEL = 0x17
    RX_THRESHOLD = 0x18
    DEMOD = 0x19
    MF_TX = 0x1C
    MF_RX = 0x1D
    SERIAL_SPEED = 0x1F
    CRC_RESULT_H = 0x21
    CRC_RESULT_L = 0x22
    MOD_WIDTH = 0x24
    RF_CFG = 0x26
    GS_N = 0x27
    CW_GS_P = 0x28
    MOD_GS_P = 0x29
    T_MODE = 0x2A
    T_PRESCALER = 0x2B
    T_RELOAD_H = 0x2C
    T_RELOAD_L = 0x2D
    T_COUNTER_H = 0x2E
    T_COUNTER_L = 0x2F
    TEST_SEL1 = 0x31
    TEST_SEL2 = 0x32
    TEST_PIN_EN = 0x33
    TEST_PIN_VALUE = 0x34
    TEST_BUS = 0x35
    AUTO_TEST = 0x36
    VERSION = 0x37
    ANALOG_TEST = 0x38
    TEST_DAC1 = 0x39
    TEST_DAC2 = 0x3A
    TEST_ADC = 0x3B


class Command(IntEnum):
    """Command codes, data sheet table 149."""

    IDLE = 0x0
    MEM = 0x1
    GENERATE_RANDOM_ID = 0x2
    CALC_CRC = 0x3
    TRANSMIT = 0x4
    NO_CMD_CHANGE = 0x7
    RECEIVE = 0x8
    TRANSCEIVE = 0xC
    MF_AUTHENT = 0xE
    SOFT_RESET = 0xF


class Error(IntFlag):
    """Bits of ErrorReg. Parity is not emulated, so ParityErr never shows."""

    WRITE = 0x80
    TEMPERATURE = 0x40
    OVERFLOW = 0x10
    COLLISION = 0x08
    CRC = 0x04
    PARITY = 0x02
    PROTOCOL = 0x01


RESET = {
    Reg.COMMAND: 0x20,
    Reg.COLL: 0xA0,
    Reg.MODE: 0x3F,
    Reg.TX_CONTROL: 0x80,
    Reg.TX_SEL: 0x10,
    Reg.RX_SEL: 0x84,
    Reg.RX_THRESHOLD: 0x84,
    Reg.DEMOD: 0x4D,
    Reg.MF_TX: 0x62,
    Reg.SERIAL_SPEED: 0xEB,
    Reg.MOD_WIDTH: 0x26,
    Reg.RF_CFG: 0x48,
    Reg.GS_N: 0x88,
    Reg.CW_GS_P: 0x20,
    Reg.MOD_GS_P: 0x20,
    Reg.TEST_PIN_EN: 0x80,
    Reg.AUTO_TEST: 0x40,
}
"""Values after a reset where they are not 0 and no part of the chip computes them."""

WRITABLE = {
    Reg.COLL: 0x80,
    Reg.MODE: 0xAB,
    Reg.TX_MODE: 0xF8,
    Reg.RX_MODE: 0xFC,
    Reg.TX_CONTROL: 0xFB,
    Reg.TX_ASK: 0x40,
    Reg.TX_SEL: 0x3F,
    Reg.RX_SEL: 0xFF,
    Reg.RX_THRESHOLD: 0xF7,
    Reg.DEMOD: 0xFF,
    Reg.MF_TX: 0x03,
    Reg.MF_RX: 0x10,
    Reg.SERIAL_SPEED: 0xFF,
    Reg.MOD_WIDTH: 0xFF,
    Reg.RF_CFG: 0x70,
    Reg.GS_N: 0xFF,
    Reg.CW_GS_P: 0x3F,
    Reg.MOD_GS_P: 0x3F,
    Reg.T_MODE: 0xFF,
    Reg.T_PRESCALER: 0xFF,
    Reg.T_RELOAD_H: 0xFF,
    Reg.T_RELOAD_L: 0xFF,
    Reg.BIT_FRAMING: 0x77,
    Reg.TEST_SEL1: 0x07,
    Reg.TEST_SEL2: 0xFF,
    Reg.TEST_PIN_EN: 0xFE,
    Reg.TEST_PIN_VALUE: 0xFE,
    Reg.AUTO_TEST: 0x4F,
    Reg.ANALOG_TEST: 0xFF,
    Reg.TEST_DAC1: 0x3F,
    Reg.TEST_DAC2: 0x3F,
}
"""The bits that a plain write changes. A register that is missing is read-only, reserved, or acts when written."""


class Registers:
    """The register file: plain storage with read-only bits."""

    def __init__(self) -> None:
        self._values = bytearray(64)
        self.reset()

    def reset(self) -> None:
        """Put the data sheet's reset values everywhere."""
        self._values[:] = bytes(64)
        for reg, value in RESET.items():
            self._values[reg] = value

    def __getitem__(self, reg: int) -> int:
        return self._values[reg]

    def __setitem__(self, reg: int, value: int) -> None:
        """What the chip itself does: every bit can change."""
        self._values[reg] = value

    def write(self, reg: int, value: int) -> None:
        """What the host does: only the writable bits change."""
        mask = WRITABLE.get(Reg(reg), 0) if reg in _ADDRESSES else 0
        self._values[reg] = (self._values[reg] & ~mask) | (value & mask)

    def has(self, reg: int, bits: int) -> bool:
        """Whether all these bits are set."""
        return self._values[reg] & bits == bits

    def set_error(self, error: Error) -> None:
        """Note an error in ErrorReg."""
        self._values[Reg.ERROR] |= error

    def clear_errors(self) -> None:
        """What the start of a command does: all errors but the temperature's go."""
        self._values[Reg.ERROR] &= Error.TEMPERATURE


_ADDRESSES = frozenset(Reg)
