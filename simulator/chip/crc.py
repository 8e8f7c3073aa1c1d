"""Which checksum do these bytes have? ISO/IEC 14443-3 annex B, and the MFRC522's coprocessor (data sheet 8.6)."""

CRC_A_PRESET = 0x6363


def crc16(data: bytes, preset: int = CRC_A_PRESET) -> int:
    """The 16-bit CRC with polynomial x^16 + x^12 + x^5 + 1, least significant bit first, nothing inverted."""
    crc = preset
    for byte in data:
        mixed = byte ^ (crc & 0xFF)
        mixed ^= (mixed << 4) & 0xFF
        crc = (crc >> 8) ^ (mixed << 8) ^ (mixed << 3) ^ (mixed >> 4)
    return crc


def crc_a(data: bytes) -> bytes:
    """The two bytes that a type A frame carries at its end, in the order in which they are sent."""
    return crc16(data).to_bytes(2, "little")


def reversed_bits(value: int, width: int) -> int:
    """The same bits, the first one last."""
    return int(f"{value:0{width}b}"[::-1], 2)


def crc16_msb_first(data: bytes, preset: int) -> int:
    """What the coprocessor finds when ModeReg's MSBFirst is set: every byte taken most significant bit first."""
    turned = bytes(reversed_bits(byte, 8) for byte in data)
    return reversed_bits(crc16(turned, reversed_bits(preset, 16)), 16)
