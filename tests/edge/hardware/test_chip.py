"""The driver's chip: set-up, versions, health, what it keeps of the library and what it does in its stead."""

import logging

import pytest

from edge.hardware.chip import STUCK, STUCK_AFTER, VERSIONS, Chip, diagnose
from edge.hardware.errors import ChipError, GarbledError, HardwareError, SilenceError
from simulator.chip.registers import Reg
from simulator.mfrc522 import Fault
from tests.support_reader import FOUR, Bench

WELL = (0x92, 0x83, 0x80)


def registers(chip: Chip, *which: Reg) -> list[int]:
    return list(chip.read(*which))


def test_set_up_leaves_the_registers_as_the_data_sheet_asks() -> None:
    chip = Bench().chip()
    assert registers(chip, Reg.T_MODE, Reg.T_PRESCALER, Reg.T_RELOAD_H, Reg.T_RELOAD_L) == [0x80, 0xA9, 0, 9]
    assert registers(chip, Reg.TX_ASK, Reg.MODE) == [0x40, 0x3D]
    gain, collision = registers(chip, Reg.RF_CFG, Reg.COLL)
    assert (gain & 0x70, collision & 0x80) == (0x70, 0)
    assert registers(chip, Reg.TX_CONTROL, Reg.TX_MODE, Reg.RX_MODE) == [0x83, 0, 0]


def test_set_up_switches_the_field_on_and_raises_the_reset_line() -> None:
    bench = Bench()
    bench.chip()
    assert bench.emulated[0].field.on
    assert bench.board.level(25) == 1


def test_the_bus_runs_at_10_mhz_and_broadcom_numbering_is_chosen() -> None:
    from RPi import GPIO

    chip = Bench().chip()
    assert chip.spi.max_speed_hz == 10_000_000
    assert GPIO.getmode() == GPIO.BCM


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_known_versions_are_set_up(version: int) -> None:
    bench = Bench()
    bench.emulated[0].version = version
    chip = bench.chip()
    assert chip.health() is None
    assert chip.version() == version


@pytest.mark.parametrize("version", [0x00, 0x12, 0x90, 0xB2, 0xFF])
def test_other_versions_are_left_alone_and_said(version: int) -> None:
    bench = Bench()
    bench.emulated[0].version = version
    chip = bench.chip()
    assert not bench.emulated[0].field.on
    assert f"VersionReg reads {version:02X}" in (chip.health() or "")


@pytest.mark.parametrize(
    ("signs", "words"),
    [
        ((0x00, 0x00, 0x00), "all registers read 00"),
        ((0xFF, 0xFF, 0xFF), "all registers read FF"),
        ((0x12, 0x83, 0x80), "VersionReg reads 12"),
        ((0x92, 0x80, 0x00), "lost its settings"),
        ((0x92, 0x82, 0x80), "TxControlReg 82"),
        ((0x92, 0x83, 0x8D), "TModeReg 8D"),
    ],
)
def test_a_diagnosis_names_the_register_and_the_remedy(signs: tuple[int, int, int], words: str) -> None:
    why = diagnose(*signs) or ""
    assert words in why
    assert "check" in why


def test_a_well_chip_has_no_diagnosis() -> None:
    assert diagnose(*WELL) is None


def test_health_is_one_transfer() -> None:
    bench = Bench()
    chip = bench.chip()
    before = bench.emulated[0].transfers
    chip.health()
    assert bench.emulated[0].transfers == before + 1


def test_transfers_are_counted_as_the_bus_counts_them() -> None:
    bench = Bench()
    chip = bench.chip()
    bench.lay(FOUR)
    with pytest.raises(SilenceError):
        chip.exchange(b"\x50\x00\x57\xcd", answer=1)
    chip.exchange(b"\x52", answer=2, bits=7)
    assert chip.transfers == bench.emulated[0].transfers


def test_an_answer_of_another_length_is_garbled() -> None:
    bench = Bench()
    chip = bench.chip()
    bench.lay(FOUR)
    with pytest.raises(GarbledError, match="2 bytes came"):
        chip.exchange(b"\x52", answer=1, bits=7)


def test_the_chip_s_crc_is_switched_only_where_it_changes() -> None:
    bench = Bench()
    chip = bench.chip()
    for crc, transfers in ((False, 7), (True, 9), (True, 7), (False, 9)):
        before = chip.transfers
        with pytest.raises(SilenceError):
            chip.exchange(b"\x93\x20", answer=5, crc=crc)
        assert chip.transfers - before == transfers


def test_a_chip_that_never_ends_an_exchange_is_stuck_in_the_end() -> None:
    bench = Bench()
    chip = bench.chip()
    chip.Write_MFRC522(chip.TReloadRegH, 0xFF)  # the timer now takes 1.6 s
    for _ in range(STUCK_AFTER - 1):
        with pytest.raises(GarbledError, match="did not end"):
            chip.exchange(b"\x26", answer=2, bits=7)
    assert chip.health() is None
    with pytest.raises(ChipError, match="stuck"):
        chip.exchange(b"\x26", answer=2, bits=7)
    assert chip.health() == STUCK
    chip.MFRC522_Init()
    assert chip.health() is None


def test_a_dead_bus_is_no_silence() -> None:
    bench = Bench()
    chip = bench.chip()
    bench.emulated[0].fault = Fault.DEAD_HIGH
    with pytest.raises(ChipError, match="read FF"):
        chip.exchange(b"\x26", answer=2, bits=7)


def test_a_chip_slow_to_wake_from_its_reset_is_waited_for() -> None:
    bench = Bench()
    chip = bench.chip()
    chip.Write_MFRC522(chip.CommandReg, 0x10)
    chip.MFRC522_Init()
    bench.clock.advance(1_000_000)
    assert not chip.Read_MFRC522(chip.CommandReg) & 0x10


def test_spi_that_is_not_there_names_the_remedy() -> None:
    bench = Bench()
    with pytest.raises(HardwareError, match=r"SPI 1\.0.*dtparam=spi=on"):
        Chip(bench.clock, 1, 0)


def test_a_reset_line_held_by_another_is_named() -> None:
    bench = Bench()
    bench.board.lines.reserve(24, "somebody")
    with pytest.raises(HardwareError, match=r"GPIO24.*busy"):
        Chip(bench.clock, 0, 0, reset=24)


def test_the_library_s_log_handlers_do_not_pile_up() -> None:
    bench = Bench()
    bench.chip(0)
    bench.chip(1)
    assert logging.getLogger("mfrc522Logger").handlers == []


def test_close_switches_the_field_off_and_keeps_every_line() -> None:
    bench = Bench()
    chip, other = bench.chip(0), bench.chip(1)
    chip.Close_MFRC522()
    assert not bench.emulated[0].field.on
    assert bench.emulated[1].field.on
    assert [change.kind for change in bench.board.history(25)].count("free") <= 1
    assert other.health() is None
