"""The 64-byte buffer, its levels, and the errors around it: data sheet 8.3, 9.3.1.7, 9.3.1.11 and 12."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.chip.registers import Command, Reg
from tests.support_chip import Host

HIGH, LOW, ERROR = 0x08, 0x04, 0x02
OVERFLOW, WRITE_ERROR = 0x10, 0x80


@given(st.lists(st.integers(0, 255), max_size=64))
def test_first_in_first_out(data: list[int]) -> None:
    host = Host(set_up=False)
    host.write(Reg.FIFO_DATA, *data)
    assert host.read(Reg.FIFO_LEVEL) == len(data)
    assert [host.read(Reg.FIFO_DATA) for _ in data] == data


def test_an_empty_fifo_reads_zero() -> None:
    assert Host().read(Reg.FIFO_DATA) == 0


def test_the_65th_byte_is_lost_and_reported() -> None:
    host = Host(set_up=False)
    host.write(Reg.COM_IRQ, 0x7F)
    host.write(Reg.FIFO_DATA, *range(64))
    assert host.read(Reg.ERROR) == 0
    host.write(Reg.FIFO_DATA, 99)
    assert host.read(Reg.ERROR) == OVERFLOW
    assert host.read(Reg.COM_IRQ) & ERROR
    assert [host.read(Reg.FIFO_DATA) for _ in range(64)] == list(range(64))


def test_a_flush_empties_and_clears_the_overflow_alone() -> None:
    host = Host(set_up=False)
    host.write(Reg.FIFO_DATA, *range(65))
    host.write(Reg.FIFO_LEVEL, 0x00)
    assert host.read(Reg.FIFO_LEVEL) == 64
    host.write(Reg.FIFO_LEVEL, 0x80)
    assert host.read(Reg.FIFO_LEVEL) == 0
    assert host.read(Reg.ERROR) == 0


def test_water_levels_show_at_once() -> None:
    host = Host(set_up=False)
    host.write(Reg.FIFO_DATA, *range(8))
    assert host.read(Reg.STATUS1) & 0x03 == 0x01
    host.write(Reg.FIFO_DATA, 8)
    assert host.read(Reg.STATUS1) & 0x03 == 0x00
    host.write(Reg.FIFO_DATA, *range(47))
    assert host.read(Reg.STATUS1) & 0x03 == 0x02
    host.write(Reg.WATER_LEVEL, 1)
    assert host.read(Reg.STATUS1) & 0x03 == 0x00


def test_water_levels_request_when_they_are_crossed() -> None:
    host = Host(set_up=False)
    host.write(Reg.COM_IRQ, 0x7F)
    host.write(Reg.FIFO_DATA, *range(55))
    assert host.read(Reg.COM_IRQ) == 0
    host.write(Reg.FIFO_DATA, 55)
    assert host.read(Reg.COM_IRQ) == HIGH
    for _ in range(47):
        host.read(Reg.FIFO_DATA)
    assert host.read(Reg.COM_IRQ) == HIGH
    host.read(Reg.FIFO_DATA)
    assert host.read(Reg.COM_IRQ) == HIGH | LOW


def test_a_request_stays_cleared_while_the_level_stays() -> None:
    host = Host(set_up=False)
    host.write(Reg.COM_IRQ, 0x7F)
    host.write(Reg.FIFO_DATA, 1)
    assert host.read(Reg.COM_IRQ) == 0


def test_writing_between_the_last_bit_sent_and_the_last_received_is_an_error() -> None:
    host = Host()
    host.send(b"\x26", last_bits=7)
    host.clock.advance(200_000)
    host.write(Reg.FIFO_DATA, 1)
    assert host.read(Reg.ERROR) == WRITE_ERROR
    assert host.read(Reg.FIFO_LEVEL) == 0


def test_a_new_command_clears_the_errors() -> None:
    host = Host()
    host.write(Reg.FIFO_DATA, *range(65))
    host.write(Reg.COMMAND, Command.IDLE)
    assert host.read(Reg.ERROR) == OVERFLOW
    host.write(Reg.COMMAND, Command.TRANSCEIVE)
    assert host.read(Reg.ERROR) == 0
