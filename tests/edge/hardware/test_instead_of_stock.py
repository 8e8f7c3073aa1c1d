"""For each known fault of the mfrc522 library as it stands: what the driver does instead.

That the library has these faults is shown, on the same emulated chip, by the tests of the simulator.
"""

import threading

from edge.events import CardsCollided, CardSeen, ReaderFault
from simulator.mfrc522 import Fault
from tests.support_reader import FOUR, SEVEN, Bench


def test_the_timer_ends_an_empty_poll_not_two_thousand_reads() -> None:
    bench = Bench()
    reader = bench.reader()
    before = bench.emulated[0].transfers
    reader.poll()
    assert bench.emulated[0].transfers - before == 7


def test_waiting_for_the_radio_gives_the_processor_away() -> None:
    bench = Bench()
    reader = bench.reader()
    slept: list[float] = []
    sleep = bench.clock.sleep

    class Watched:
        def __getattr__(self, name: str) -> object:
            return getattr(bench.clock, name)

        def sleep(self, seconds: float) -> None:
            slept.append(seconds)
            sleep(seconds)

    reader.chip.clock = Watched()
    reader.poll()
    assert len(slept) == 1
    assert slept[0] > 0.0002


def test_two_badges_with_the_same_first_three_bytes_are_told_apart() -> None:
    numbers = []
    for last in (b"\x00", b"\x01"):
        bench = Bench()
        bench.lay(SEVEN[:6] + last)
        (seen,) = bench.polls(bench.reader())
        assert isinstance(seen, CardSeen)
        numbers.append(seen.uid)
    assert numbers[0] != numbers[1]
    assert {len(uid) for uid in numbers} == {7}


def test_the_number_is_the_number_without_its_check_byte() -> None:
    bench = Bench()
    bench.lay(bytes.fromhex("deadbeef"))
    (seen,) = bench.polls(bench.reader())
    assert isinstance(seen, CardSeen)
    assert seen.uid.hex() == "deadbeef"


def test_a_badge_left_lying_does_not_flap() -> None:
    bench = Bench()
    bench.lay(FOUR)
    assert len(bench.polls(bench.reader(), 500)) == 1


def test_two_badges_are_not_the_same_as_none() -> None:
    bench = Bench()
    bench.lay(FOUR)
    bench.lay(SEVEN)
    assert [type(told) for told in bench.polls(bench.reader())] == [CardsCollided]


def test_sak_0_is_a_badge_like_any_other() -> None:
    bench = Bench()
    bench.lay(SEVEN, sak=0x00)
    (seen,) = bench.polls(bench.reader())
    assert isinstance(seen, CardSeen)
    assert seen.sak == 0


def test_an_answer_of_more_than_sixteen_bytes_is_not_cut() -> None:
    bench = Bench()
    chip = bench.chip()
    chip.fill(bytes(range(40)))
    assert chip.read(*[chip.FIFODataReg] * 40) == bytes(range(40))


def test_a_dead_bus_and_a_chip_after_a_reset_are_not_an_empty_field() -> None:
    bench = Bench()
    reader = bench.reader()
    bench.emulated[0].fault = Fault.DEAD_HIGH
    assert isinstance(reader.poll(), ReaderFault)
    bench.emulated[0].fault = Fault.NONE
    bench.polls(reader, 150)
    bench.emulated[0].brown_out()
    assert isinstance(reader.poll(), ReaderFault)


def test_closing_does_not_let_go_of_other_lines_of_the_process() -> None:
    from RPi import GPIO

    bench = Bench()
    reader = bench.reader()
    GPIO.setup(17, GPIO.OUT, initial=1)
    reader.close()
    assert bench.board.lines[17].output
    assert bench.board.lines[17].owner is not None
    assert bench.board.lines[25].owner is not None


def test_no_thread_is_started() -> None:
    bench = Bench()
    before = threading.active_count()
    bench.polls(bench.reader(), 10)
    assert threading.active_count() == before
