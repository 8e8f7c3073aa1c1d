"""What the chip's registers must hold, and what is said of those that do not."""

import pytest

from edge.hardware.settings import IMAGE, PAGES, SETTINGS, VERSION, WRITTEN, Image, diagnose, holds
from simulator.chip.registers import RESET, WRITABLE, Reg

ADDRESSES = {register.name: register.address for register in IMAGE}


def well(**others: int) -> Image:
    """What a chip reads after its set-up, but for these."""
    found = {
        register: (RESET.get(Reg(register.address), 0) & ~register.written | register.value) & register.watched
        for register in IMAGE
    }
    found[VERSION] = 0x92
    by_name = {register.name: register for register in IMAGE}
    return found | {by_name[name]: value for name, value in others.items()}


def test_names_and_addresses_are_those_of_the_data_sheet() -> None:
    """A second reading: the emulator's, which was written by its own."""
    names = {reg.name.replace("_", "").lower(): reg for reg in Reg}
    for name, address in ADDRESSES.items():
        plain = name.removesuffix("Reg").replace("Reg", "").lower()
        assert names[plain] == address, name


def test_what_is_written_can_be_written() -> None:
    for register in SETTINGS:
        assert register.written & ~WRITABLE[Reg(register.address)] == 0, register.name
        assert register.value & ~register.written in (0, register.value & ~WRITABLE[Reg(register.address)])


def test_each_page_tells_a_reset_and_all_pages_together_every_setting() -> None:
    assert sorted(register for page in PAGES for register in page) == sorted(SETTINGS)
    for page in PAGES:
        assert any(RESET.get(Reg(one.address), 0) & one.written != one.value for one in page if one in WRITTEN)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (dict.fromkeys(IMAGE, 0x00), "all registers read 00"),
        ({one: one.watched for one in IMAGE}, "all registers read FF"),
        (well(VersionReg=0x12), "VersionReg reads 12 instead of 92"),
        (well(TxControlReg=0x82), "lost its settings (TxControlReg 82 instead of 83)"),
        (well(TModeReg=0x8D), "TModeReg 8D instead of 80"),
        (well(TReloadRegL=0), "TReloadRegL 00 instead of 09"),
        (well(ModWidthReg=0x27), "ModWidthReg 27 instead of 26"),
        (well(TModeReg=0, ModeReg=0, RFCfgReg=0, TxControlReg=0x80), "and 1 more"),
    ],
)
def test_a_diagnosis_names_the_register_and_the_remedy(image: Image, words: str) -> None:
    why = diagnose(image, well()) or ""
    assert words in why
    assert "check" in why


def test_a_well_chip_has_no_diagnosis() -> None:
    assert diagnose(well(), well()) is None
    assert holds(well())


def test_a_clone_with_analogue_values_of_its_own_holds_what_is_written() -> None:
    clone = well(VersionReg=0xB2, RxThresholdReg=0x55, GsNReg=0xF0)
    assert holds(clone)
    assert diagnose(clone, clone) is None


@pytest.mark.parametrize("name", [register.name for register in IMAGE if register.written] + ["VersionReg"])
def test_what_is_written_must_read_back(name: str) -> None:
    register = next(register for register in IMAGE if register.name == name)
    image = {**well(), register: 0 if register is VERSION else well()[register] ^ register.written & register.watched}
    assert not holds(image)
    assert diagnose(image, {}) is not None


def test_a_chip_that_was_never_alike_is_said_to_be_so() -> None:
    assert "differently after each reset" in (diagnose(well(), {}) or "")
