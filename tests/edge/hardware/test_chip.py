"""The driver's chip: set-up, versions, health, what it keeps of the library and what it does in its stead."""

import itertools
import logging
from collections.abc import Callable
from typing import Any

import pytest

from edge.hardware.chip import STUCK, STUCK_AFTER, Chip
from edge.hardware.errors import ChipError, GarbledError, HardwareError, SilenceError
from edge.hardware.settings import VERSIONS
from simulator.chip.registers import Reg
from simulator.mfrc522 import Fault
from tests.support_reader import FOUR, Bench


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


@pytest.mark.parametrize("version", [0x12, 0x82, 0x89, 0x90, 0xA2, 0xB2])
def test_any_other_version_is_taken_as_it_is_and_warned_of_once(version: int, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.emulated[0].version = version
    chip = bench.chip()
    chip.MFRC522_Init()
    assert (chip.health(), chip.version()) == (None, version)
    warned = [record.message for record in caplog.records if "VersionReg" in record.message]
    assert len(warned) == 1
    assert f"SPI 0.0: VersionReg reads {version:02X}" in warned[0]


@pytest.mark.parametrize("version", [0x00, 0xFF])
def test_a_version_that_an_open_wire_reads_is_left_alone_and_said(version: int) -> None:
    bench = Bench()
    bench.emulated[0].version = version
    chip = bench.chip()
    assert not bench.emulated[0].field.on
    assert "the chip lost its settings" in (chip.health() or "")


def test_a_version_that_reads_differently_each_time_is_never_taken() -> None:
    bench = Bench()
    chip = bench.chip()
    numbers = itertools.count(1)
    chip.spi.xfer2 = changing(chip.spi.xfer2, Reg.VERSION, lambda: next(numbers) % 200 + 1)
    chip.MFRC522_Init()
    assert "VersionReg reads" in (chip.health() or "")


def changing(xfer2: Callable[[list[int]], list[int]], reg: Reg, value: Callable[[], int]) -> Any:
    """The bus, but a register that reads as it likes."""

    def changed(sent: list[int]) -> list[int]:
        asked = [byte >> 1 & 0x3F if byte & 0x80 else None for byte in sent]
        received = xfer2(sent)
        return [received[0], *(value() if was == reg else byte for was, byte in zip(asked, received[1:], strict=False))]

    return changed


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
    bench.emulated[0].timer_stuck = True
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
    with pytest.raises(ChipError, match="reads FF"):
        chip.exchange(b"\x26", answer=2, bits=7)
    assert "all registers read FF" in (chip.health() or "")


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
