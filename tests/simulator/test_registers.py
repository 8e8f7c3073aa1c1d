"""The register file as the host sees it over SPI: data sheet 8.1.2 and chapter 9."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.chip.registers import Command, Reg
from simulator.clock import VirtualClock
from simulator.mfrc522 import Chip, Fault
from tests.support_chip import Host

RESET_VALUES = {
    Reg.COMMAND: 0x20,
    Reg.COM_I_EN: 0x80,
    Reg.DIV_I_EN: 0x00,
    Reg.COM_IRQ: 0x14,
    Reg.DIV_IRQ: 0x00,
    Reg.ERROR: 0x00,
    Reg.STATUS1: 0x21,
    Reg.STATUS2: 0x00,
    Reg.FIFO_LEVEL: 0x00,
    Reg.WATER_LEVEL: 0x08,
    Reg.CONTROL: 0x10,
    Reg.BIT_FRAMING: 0x00,
    Reg.COLL: 0xA0,
    Reg.MODE: 0x3F,
    Reg.TX_MODE: 0x00,
    Reg.RX_MODE: 0x00,
    Reg.TX_CONTROL: 0x80,
    Reg.TX_ASK: 0x00,
    Reg.TX_SEL: 0x10,
    Reg.RX_SEL: 0x84,
    Reg.RX_THRESHOLD: 0x84,
    Reg.DEMOD: 0x4D,
    Reg.SERIAL_SPEED: 0xEB,
    Reg.CRC_RESULT_H: 0xFF,
    Reg.CRC_RESULT_L: 0xFF,
    Reg.MOD_WIDTH: 0x26,
    Reg.RF_CFG: 0x48,
    Reg.GS_N: 0x88,
    Reg.CW_GS_P: 0x20,
    Reg.MOD_GS_P: 0x20,
    Reg.T_MODE: 0x00,
    Reg.VERSION: 0x92,
}


@pytest.mark.parametrize(("reg", "value"), RESET_VALUES.items())
def test_reset_values(reg: Reg, value: int) -> None:
    assert Host(set_up=False).read(reg) == value


@pytest.mark.parametrize("reg", [Reg.ERROR, Reg.STATUS1, Reg.VERSION, Reg.CRC_RESULT_H, Reg.TEST_BUS, Reg.T_COUNTER_L])
def test_read_only_registers_stay(reg: Reg) -> None:
    host = Host(set_up=False)
    before = host.read(reg)
    host.write(reg, before ^ 0xFF)
    assert host.read(reg) == before


@pytest.mark.parametrize(
    ("reg", "written", "read"),
    [
        (Reg.RF_CFG, 0xFF, 0x78),  # only the gain
        (Reg.TX_ASK, 0xFF, 0x40),
        (Reg.COLL, 0x00, 0x20),  # ValuesAfterColl is the host's, the rest the chip's
        (Reg.BIT_FRAMING, 0xFF, 0x77),  # StartSend reads 0
        (Reg.CONTROL, 0xC0, 0x10),  # TStopNow and TStartNow read 0
        (Reg.WATER_LEVEL, 0xFF, 0x3F),
        (Reg.T_RELOAD_H, 0xA5, 0xA5),
        (Reg.GS_N, 0x5A, 0x5A),
        (Reg.STATUS2, 0xFF, 0xC0),  # MFCrypto1On cannot be set by hand
    ],
)
def test_writable_bits(reg: Reg, written: int, read: int) -> None:
    host = Host(set_up=False)
    host.write(reg, written)
    assert host.read(reg) == read


@given(st.integers(0, 0x7F), st.integers(0, 0x7F))
def test_set1_marks_and_clears(first: int, second: int) -> None:
    host = Host(set_up=False)
    host.write(Reg.COM_IRQ, 0x7F)
    assert host.read(Reg.COM_IRQ) == 0
    host.write(Reg.COM_IRQ, 0x80 | first)
    assert host.read(Reg.COM_IRQ) == first
    host.write(Reg.COM_IRQ, second)
    assert host.read(Reg.COM_IRQ) == first & ~second


def test_set2_marks_and_clears() -> None:
    host = Host(set_up=False)
    host.write(Reg.DIV_IRQ, 0x94)
    assert host.read(Reg.DIV_IRQ) == 0x14
    host.write(Reg.DIV_IRQ, 0x04)
    assert host.read(Reg.DIV_IRQ) == 0x10


def test_the_crc_request_reaches_the_irq_pin_when_enabled() -> None:
    host = Host(set_up=False)
    levels: list[int] = []
    host.chip.irq.on_pin = levels.append
    host.write(Reg.DIV_I_EN, 0xFF)
    assert host.read(Reg.DIV_I_EN) == 0x94
    host.write(Reg.FIFO_DATA, 1)
    host.write(Reg.COMMAND, Command.CALC_CRC)
    host.clock.advance(10_000)
    assert host.read(Reg.STATUS1) & 0x10
    host.write(Reg.DIV_IRQ, 0x04)
    assert levels == [0, 1]


def test_a_burst_reads_one_register_after_another() -> None:
    host = Host(set_up=False)
    addresses = [Reg.VERSION, Reg.COM_IRQ, Reg.RF_CFG]
    received = host.chip.transfer(bytes([*(reg << 1 | 0x80 for reg in addresses), 0]))
    assert received == bytes([0, 0x92, 0x14, 0x48])


def test_the_last_byte_of_a_read_names_no_register() -> None:
    host = Host(set_up=False)
    host.write(Reg.FIFO_DATA, 1, 2, 3)
    fifo = Reg.FIFO_DATA << 1 | 0x80
    assert host.chip.transfer(bytes([fifo, fifo])) == b"\x00\x01"
    assert host.read(Reg.FIFO_LEVEL) == 2


def test_a_burst_write_goes_to_one_register() -> None:
    host = Host(set_up=False)
    host.write(Reg.T_RELOAD_L, 1, 2, 3)
    assert host.read(Reg.T_RELOAD_L) == 3
    assert host.read(Reg.T_COUNTER_H) == 0


def test_the_fifo_is_filled_and_emptied_in_bursts() -> None:
    host = Host(set_up=False)
    host.write(Reg.FIFO_DATA, *range(10, 20))
    fifo = Reg.FIFO_DATA << 1 | 0x80
    assert host.chip.transfer(bytes([fifo] * 10 + [0]))[1:] == bytes(range(10, 20))
    assert host.read(Reg.FIFO_LEVEL) == 0


def test_what_a_transfer_costs() -> None:
    clock = VirtualClock()
    chip = Chip(clock)
    chip.transfer(bytes([0xEE, 0]), hz=1_000_000)
    assert clock.ns == 20_000 + 2 * 8_000
    chip.transfer(bytes(10), hz=10_000_000)
    assert clock.ns == 36_000 + 20_000 + 10 * 800
    assert (chip.transfers, chip.bytes) == (2, 12)


def test_a_bus_that_is_too_fast_or_in_another_mode_is_not_understood() -> None:
    chip = Chip(VirtualClock())
    read = bytes([Reg.VERSION << 1 | 0x80, 0])
    assert chip.transfer(read, hz=10_000_000) == b"\x00\x92"
    assert chip.transfer(read, hz=10_000_001) == b"\x00\x00"
    assert chip.transfer(read, mode=1) == b"\x00\x00"


@pytest.mark.parametrize(
    ("fault", "byte"), [(Fault.DEAD_LOW, 0x00), (Fault.DEAD_HIGH, 0xFF), (Fault.RESET_STUCK, 0x00)]
)
def test_a_dead_bus_answers_the_same_to_everything_and_takes_its_time(fault: Fault, byte: int) -> None:
    host = Host(overhead_ns=20_000)
    host.chip.fault = fault
    before = host.clock.ns
    assert host.chip.transfer(bytes([0xEE, 0])) == bytes([byte, byte])
    assert host.clock.ns == before + 20_000 + 1_600
    host.write(Reg.RF_CFG, 0x70)
    host.chip.fault = Fault.NONE
    assert host.chip.fault is Fault.NONE
    assert host.read(Reg.RF_CFG) == 0x48


def test_plugged_in_again_it_has_forgotten_everything() -> None:
    host = Host()
    host.chip.fault = Fault.DEAD_LOW
    host.chip.fault = Fault.NONE
    assert host.read(Reg.VERSION) == 0x92
    assert host.read(Reg.TX_CONTROL) == 0x80
    assert host.read(Reg.T_MODE) == 0
    assert not host.chip.field.on


def test_a_brown_out_resets_and_tells_nobody() -> None:
    host = Host()
    levels: list[int] = []
    host.chip.irq.on_pin = levels.append
    host.chip.brown_out()
    assert levels == []
    assert {reg: host.read(reg) for reg in RESET_VALUES} == RESET_VALUES
    assert not host.chip.field.on


def test_a_chip_of_another_make() -> None:
    host = Host()
    host.chip.version = 0xB2
    assert host.read(Reg.VERSION) == 0xB2


def test_soft_reset() -> None:
    host = Host()
    host.write(Reg.FIFO_DATA, 1, 2, 3)
    host.write(Reg.COMMAND, Command.SOFT_RESET)
    assert {reg: host.read(reg) for reg in RESET_VALUES} == RESET_VALUES


def test_the_reset_pin_holds_the_chip_and_lets_it_wake() -> None:
    host = Host()
    host.chip.reset_pin(0)
    assert host.read(Reg.VERSION) == 0
    host.chip.reset_pin(1)
    assert host.read(Reg.VERSION) == 0
    host.clock.advance(38_000)
    assert host.read(Reg.VERSION) == 0x92
    assert host.read(Reg.TX_CONTROL) == 0x80


def test_power_down_switches_the_field_off_and_waking_takes_a_while() -> None:
    host = Host()
    host.write(Reg.COMMAND, 0x10)
    assert not host.chip.field.on
    assert host.read(Reg.RF_CFG) == 0x48
    host.write(Reg.COMMAND, 0x00)
    assert host.read(Reg.COMMAND) == 0x10
    assert not host.chip.field.on
    host.clock.advance(38_000)
    assert host.read(Reg.COMMAND) == 0x00
    assert host.chip.field.on


def test_power_down_again_before_it_is_awake() -> None:
    host = Host()
    host.write(Reg.COMMAND, 0x10)
    host.write(Reg.COMMAND, 0x00)
    host.write(Reg.COMMAND, 0x10)
    host.clock.advance(100_000)
    assert host.read(Reg.COMMAND) == 0x10


@pytest.mark.parametrize(("value", "on"), [(0x80, False), (0x81, True), (0x82, True), (0x83, True)])
def test_either_antenna_driver_makes_a_field(value: int, on: bool) -> None:
    host = Host()
    host.write(Reg.TX_CONTROL, value)
    assert host.chip.field.on is on


@given(st.lists(st.binary(min_size=1, max_size=70), max_size=12))
def test_nothing_that_a_host_can_send_breaks_it(transfers: list[bytes]) -> None:
    host = Host(set_up=False)
    for sent in transfers:
        assert len(host.chip.transfer(sent)) == len(sent)
        host.clock.advance(1_000_000)
    assert 0 <= host.read(Reg.FIFO_LEVEL) <= 64
