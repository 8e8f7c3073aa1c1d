"""The checksum, against the standard's own vectors and a bit by bit reading of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.chip.crc import crc16, crc16_msb_first, crc_a, reversed_bits


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        ("0000", "a01e"),  # ISO/IEC 14443-3 annex B, first example
        ("1234", "26cf"),  # and its second
        ("5000", "57cd"),  # HLTA, as every trace shows it
        ("e050", "bca5"),  # RATS
        ("", "6363"),
    ],
)
def test_known_vectors(data: str, crc: str) -> None:
    assert crc_a(bytes.fromhex(data)).hex() == crc


def bit_by_bit(data: bytes, crc: int) -> int:
    """The shift register of the standard, one bit at a time."""
    for byte in data:
        for i in range(8):
            feedback = (crc ^ byte >> i) & 1
            crc = crc >> 1 ^ (0x8408 if feedback else 0)
    return crc


@given(st.binary(max_size=80), st.integers(0, 0xFFFF))
def test_it_is_the_shift_register(data: bytes, preset: int) -> None:
    assert crc16(data, preset) == bit_by_bit(data, preset)


@given(st.binary(max_size=80))
def test_a_frame_with_its_crc_leaves_nothing(data: bytes) -> None:
    assert crc16(data + crc_a(data)) == 0


def test_most_significant_bit_first_is_the_usual_x25_polynomial() -> None:
    assert crc16_msb_first(b"123456789", 0x0000) == 0x31C3
    assert crc16_msb_first(b"123456789", 0xFFFF) == 0x29B1


@given(st.integers(0, 0xFFFF))
def test_turning_twice_changes_nothing(value: int) -> None:
    assert reversed_bits(reversed_bits(value, 16), 16) == value
