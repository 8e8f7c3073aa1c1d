"""The field at its edges: answers broken on purpose, collisions that come and go, presence checks that miss."""

from collections.abc import Callable

import pytest

from edge.events import CardGone, CardsCollided, CardSeen, Sighting
from edge.hardware.errors import GarbledError
from edge.hardware.iso14443 import WUPA, request, select
from simulator.chip.radio import Bits
from tests.support_reader import FOUR, SEVEN, TEN, Bench

SAK_BITS = 24
ATQA_BITS = 16
STATUS_BYTES = range(13, 15)
"""Bytes of a status read: one for the address, five registers, a page of the settings."""


class Spoiler:
    """Breaks frames in the air by their length in bits."""

    def __init__(self, spoil: Callable[[Bits], Bits]) -> None:
        self.spoil = spoil


def turned(length: int, bit: int) -> Spoiler:
    return Spoiler(lambda bits: bits if len(bits) != length else (*bits[:bit], 1 - bits[bit], *bits[bit + 1 :]))


class Wire:
    """The bus, with a hand on what the driver hears of the chip."""

    def __init__(self, inner: object, change: Callable[[list[int]], None]) -> None:
        self._inner = inner
        self._change = change

    def xfer2(self, sent: list[int]) -> list[int]:
        received: list[int] = self._inner.xfer2(sent)  # type: ignore[attr-defined]
        self._change(received)
        return received


def kinds(told: list[Sighting]) -> list[type[Sighting]]:
    return [type(sighting) for sighting in told]


@pytest.mark.parametrize("bit", range(SAK_BITS))
def test_a_sak_with_a_turned_bit_is_refused_by_its_crc_and_read_at_the_next_poll(bit: int) -> None:
    bench = Bench()
    reader = bench.reader()
    bench.emulated[0].field.noise = turned(SAK_BITS, bit)
    bench.lay(FOUR)
    assert bench.polls(reader, 5) == []
    bench.emulated[0].field.noise = None
    assert kinds(bench.polls(reader, 1)) == [CardSeen]


def test_an_answer_cut_within_its_last_byte_is_garbled() -> None:
    bench = Bench()
    chip = bench.chip()
    bench.lay(FOUR)
    bench.emulated[0].field.noise = Spoiler(lambda bits: bits[:-2] if len(bits) == ATQA_BITS else bits)
    with pytest.raises(GarbledError, match="the last of 6 bits"):
        chip.exchange(WUPA, answer=2, bits=7)


@pytest.mark.parametrize("early", [0.0, 50e-6, 120e-6, 200e-6])
def test_a_status_read_that_comes_too_early_is_repeated(early: float) -> None:
    from edge.hardware.chip import Chip

    bench = Bench()
    chip = Chip(bench.clock, wake=80e-6 + early)
    bench.lay(TEN)
    request(chip)
    assert select(chip).uid == TEN


def collide(bench: Bench, when: Callable[[], bool]) -> Callable[[list[int]], None]:
    """Have the chip report a collision in some of the anticollision answers (five bytes in the FIFO)."""

    def change(received: list[int]) -> None:
        if len(received) in STATUS_BYTES and received[3] == 5 and when():
            received[1] |= 0x02
            received[2] |= 0x08

    return change


def test_one_collision_alone_is_noise() -> None:
    bench = Bench()
    reader = bench.reader()
    once = iter([True])
    reader.chip.spi = Wire(reader.chip.spi, collide(bench, lambda: next(once, False)))
    bench.lay(FOUR)
    assert kinds(bench.polls(reader, 10)) == [CardSeen]
    assert next(once, None) is None


def test_a_second_badge_heard_every_other_time_keeps_the_first_from_being_read() -> None:
    bench = Bench()
    reader = bench.reader()
    turn = [False]

    def every_other() -> bool:
        turn[0] = not turn[0]
        return turn[0]

    reader.chip.spi = Wire(reader.chip.spi, collide(bench, every_other))
    bench.lay(FOUR)
    assert bench.polls(reader, 50) == []


def test_two_collisions_in_a_row_are_two_badges() -> None:
    bench = Bench()
    reader = bench.reader()
    reader.chip.spi = Wire(reader.chip.spi, collide(bench, lambda: True))
    bench.lay(FOUR)
    assert kinds(bench.polls(reader, 1)) == [CardsCollided]


@pytest.mark.parametrize("start", range(6))
def test_two_missed_checks_do_not_make_a_badge_gone(start: int) -> None:
    bench = Bench()
    reader = bench.reader()
    bench.lay(FOUR)
    told = bench.polls(reader, 1 + start)
    for _ in range(10):
        bench.emulated[0].field.noise = Spoiler(lambda bits: tuple(1 - bit for bit in bits))
        told += bench.polls(reader, 2)
        bench.emulated[0].field.noise = None
        told += bench.polls(reader, 6)
    assert kinds(told) == [CardSeen]


def test_three_missed_checks_do() -> None:
    bench = Bench()
    reader = bench.reader()
    bench.lay(FOUR)
    bench.polls(reader, 20)
    bench.emulated[0].field.clear()
    polls = 0
    while reader.poll() is None:
        polls += 1
        bench.clock.advance(10_000_000)
    assert 2 <= polls <= 7


def test_a_badge_put_in_the_place_of_another_is_read_at_the_poll_after() -> None:
    bench = Bench()
    reader = bench.reader()
    card = bench.lay(FOUR)
    bench.polls(reader, 2)
    bench.emulated[0].field.take(card)
    bench.lay(SEVEN)
    assert kinds(bench.polls(reader, 2)) == [CardGone, CardSeen]


def test_a_badge_that_flickered_is_halted_again_and_costs_no_more_than_before() -> None:
    bench = Bench()
    reader = bench.reader()
    card = bench.lay(FOUR)
    bench.polls(reader, 3)
    bench.emulated[0].field.take(card)
    bench.emulated[0].field.lay(card)
    bench.polls(reader, 4)
    before = bench.emulated[0].transfers
    assert bench.polls(reader, 50) == []
    assert bench.emulated[0].transfers - before == 10 * (4 * 7 + 15)


def test_a_badge_that_always_answers_broken_does_not_stop_the_other_reader() -> None:
    bench = Bench()
    broken, other = bench.reader(0), bench.reader(1)
    bench.emulated[0].field.noise = turned(SAK_BITS, 3)
    bench.lay(FOUR, device=0)
    bench.lay(SEVEN, device=1)
    started = bench.clock.ns
    assert broken.poll() is None
    assert bench.clock.ns - started < 8_000_000
    assert isinstance(other.poll(), CardSeen)


@pytest.mark.parametrize("fifo_bytes", [1, 5])
@pytest.mark.parametrize("garbage", [0x00, 0x20])
def test_garbage_in_place_of_the_fifo_is_not_believed(fifo_bytes: int, garbage: int) -> None:
    """No checksum covers this transfer, and a wrong SAK would pass for the badge's own."""
    bench = Bench()
    reader = bench.reader()

    def change(received: list[int]) -> None:
        if len(received) == 2 + fifo_bytes:
            received[:] = [garbage] * len(received)

    reader.chip.spi = Wire(reader.chip.spi, change)
    bench.lay(FOUR)
    assert bench.polls(reader, 20) == []
