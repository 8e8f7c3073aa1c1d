"""The installer's first command, on the emulator: what it prints of chips and badges."""

import io

import pytest

from edge.events import CardGone
from edge.hardware.probe import describe, probe
from simulator.mfrc522 import Fault
from simulator.probe_script import lay_by_itself
from tests.support_reader import Bench


def run(bench: Bench, seconds: float = 0.1) -> tuple[bool, list[str]]:
    out = io.StringIO()
    well = probe([bench.reader(0), bench.reader(1)], bench.clock, out, seconds)
    return well, out.getvalue().splitlines()


def test_it_names_the_chip_of_each_reader() -> None:
    bench = Bench()
    bench.emulated[1].version = 0x88
    well, lines = run(bench)
    assert well
    assert lines[:2] == [
        "in: MFRC522 version 2.0 (VersionReg 92)",
        "out: FM17522, a clone (VersionReg 88)",
    ]


def test_a_silent_reader_is_a_fault_with_what_to_check_and_the_other_goes_on() -> None:
    bench = Bench()
    bench.emulated[0].fault = Fault.DEAD_LOW
    well, lines = run(bench)
    assert not well
    assert lines[0].startswith("in: FAULT: the chip does not answer")
    assert all(word in lines[0] for word in ("wiring", "3.3 V", "SPI"))
    assert lines[1].startswith("out: MFRC522")


def test_a_reader_plugged_in_meanwhile_is_told() -> None:
    bench = Bench()
    bench.emulated[0].fault = Fault.DEAD_LOW
    bench.clock.after(500_000_000, lambda: setattr(bench.emulated[0], "fault", Fault.NONE))
    assert run(bench, 2)[1][-1] == "in: answers again"


def test_the_script_lays_badges_of_each_length_and_two_at_once() -> None:
    bench = Bench()
    _, lines = run(bench, lay_by_itself(bench.emulated[0].field, bench.clock))
    assert lines[3:] == [
        "in: UID 5E A1 C0 DE (4 bytes), SAK 08, 26 transfers, 2.87 ms",
        "in: UID 04 A1 B2 C3 D4 E5 F6 (7 bytes), SAK 20, 46 transfers, 5.22 ms",
        "in: UID 04 A1 B2 C3 D4 E5 F6 07 18 C9 (10 bytes), SAK 20, 66 transfers, 7.57 ms",
        "in: two badges or more at once: none is read",
    ]


class Impatient:
    """A clock whose user presses Ctrl-C in the third sleep."""

    def __init__(self, bench: Bench) -> None:
        self._clock = bench.clock
        self._sleeps = 0

    def sleep(self, seconds: float) -> None:
        self._sleeps += 1
        if self._sleeps == 3:
            raise KeyboardInterrupt
        self._clock.sleep(seconds)

    def __getattr__(self, name: str) -> object:
        return getattr(self._clock, name)


def test_ctrl_c_ends_it_cleanly() -> None:
    bench = Bench()
    out = io.StringIO()
    assert probe([bench.reader()], Impatient(bench), out)
    assert out.getvalue().endswith("Ended.\n")


@pytest.mark.parametrize("name", ["in", "out"])
def test_a_badge_that_goes_is_not_worth_a_line(name: str) -> None:
    assert describe(CardGone(0, 0.0, name)) is None
