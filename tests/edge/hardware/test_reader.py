"""The reader on the emulated chip: badges that come, lie, collide or are torn away; noise; its own health."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.events import CardGone, CardsCollided, CardSeen, CardUnreadable, ReaderFault, ReaderRecovered, Sighting
from simulator.card import Answer, Card
from simulator.chip.radio import Bits, Noise
from simulator.chip.registers import WRITABLE, Reg
from simulator.mfrc522 import Fault
from tests.support_reader import FOUR, SEVEN, TEN, Bench

quick = settings(max_examples=40, deadline=None)


def kinds(told: list[Sighting]) -> list[type[Sighting]]:
    return [type(sighting) for sighting in told]


def uids(told: list[Sighting]) -> list[bytes]:
    return [sighting.uid for sighting in told if isinstance(sighting, CardSeen)]


@st.composite
def numbers(draw: st.DrawFn, sizes: tuple[int, ...] = (4, 7, 10)) -> bytes:
    """Numbers, often with the cascade tag where the standard rules it out and cards have it all the same."""
    size = draw(st.sampled_from(sizes))
    uid = bytearray(draw(st.binary(min_size=size, max_size=size)))
    if draw(st.integers(0, 7)) == 0:
        uid[-4] = 0x88
    return bytes(uid)


# Reading


@quick
@given(numbers(), st.integers(0, 255).map(lambda sak: sak & ~0x04))
def test_any_badge_is_read_whole_and_once(uid: bytes, sak: int) -> None:
    bench = Bench()
    reader = bench.reader()
    bench.lay(uid, sak)
    (seen,) = bench.polls(reader)
    assert isinstance(seen, CardSeen)
    assert (seen.uid, seen.sak, seen.reader) == (uid, sak, "in")


@pytest.mark.parametrize(
    "uid",
    [
        "88010203",
        "04a1b288d4e5f6",
        "04a188c3d4e5f6",
        "8801020304050607ff88",
        "0488888901020304888888"[:14],
        "01020388040506088888",
    ],
)
def test_the_cascade_tag_inside_a_number_is_a_number(uid: str) -> None:
    bench = Bench()
    reader = bench.reader()
    bench.lay(bytes.fromhex(uid))
    assert uids(bench.polls(reader)) == [bytes.fromhex(uid)]


def test_a_sighting_carries_both_clocks_at_the_end_of_the_read_and_its_cost() -> None:
    bench = Bench()
    reader = bench.reader()
    bench.lay(FOUR)
    before = bench.emulated[0].transfers
    started = bench.clock.monotonic()
    seen = reader.poll()
    assert isinstance(seen, CardSeen)
    assert (seen.at, seen.mono) == (bench.clock.now(), bench.clock.monotonic())
    assert seen.transfers == bench.emulated[0].transfers - before
    assert seen.seconds == pytest.approx(bench.clock.monotonic() - started)


# Lying, going, coming back


@pytest.mark.parametrize("uid", [FOUR, SEVEN, TEN])
def test_a_badge_left_lying_is_one_tap(uid: bytes) -> None:
    bench = Bench()
    reader = bench.reader()
    bench.lay(uid)
    assert kinds(bench.polls(reader, 1000)) == [CardSeen]


def test_a_badge_taken_away_is_gone_within_100_ms_and_can_come_again() -> None:
    bench = Bench()
    reader = bench.reader()
    card = bench.lay(FOUR)
    bench.polls(reader)
    bench.emulated[0].field.take(card)
    assert kinds(bench.polls(reader, 9)) == [CardGone]
    bench.polls(reader, 80)
    bench.emulated[0].field.lay(card)
    assert uids(bench.polls(reader)) == [FOUR]


@quick
@given(numbers(), st.integers(1, 72), st.integers(0, 12))
def test_a_badge_that_is_away_for_less_than_800_ms_is_the_same_tap(uid: bytes, polls: int, after: int) -> None:
    bench = Bench()
    reader = bench.reader()
    card = bench.lay(uid)
    told = bench.polls(reader, 20 + after)
    bench.emulated[0].field.take(card)
    told += bench.polls(reader, polls)
    bench.emulated[0].field.lay(card)
    told += bench.polls(reader, 20)
    assert uids(told) == [uid]


def test_a_hand_that_trembles_for_a_minute_makes_one_tap_and_the_next_one_counts() -> None:
    bench = Bench()
    reader = bench.reader()
    card = bench.lay(FOUR)
    told = bench.polls(reader, 10)
    for away in range(1, 90):
        bench.emulated[0].field.take(card)
        told += bench.polls(reader, away % 60 + 1)
        bench.emulated[0].field.lay(card)
        told += bench.polls(reader, 10)
    assert uids(told) == [FOUR]
    bench.emulated[0].field.take(card)
    bench.polls(reader, 90)
    bench.emulated[0].field.lay(card)
    assert uids(bench.polls(reader, 5)) == [FOUR]


def test_two_badges_that_come_and_go_by_turns_are_two_taps() -> None:
    bench = Bench()
    reader = bench.reader()
    first, second = Card(FOUR), Card(SEVEN)
    told = []
    for card in (first, second, first, second):
        bench.emulated[0].field.lay(card)
        told += bench.polls(reader, 15)
        bench.emulated[0].field.take(card)
        told += bench.polls(reader, 15)
    assert uids(told) == [FOUR, SEVEN]


# What cannot be read


class Phone(Card):
    """Answers every call, and will not be selected."""

    def _anticollision(self, bits: Bits) -> Answer | None:
        del bits
        return self.silence()


class Liar(Card):
    """Its check byte never fits."""

    def _anticollision(self, bits: Bits) -> Answer | None:
        answer = super()._anticollision(bits)
        return answer and Answer((*answer.bits[:-1], 1 - answer.bits[-1]), answer.split)


@pytest.mark.parametrize("kind", [Phone, Liar])
def test_what_cannot_be_read_is_told_after_a_second_once_until_it_was_away(kind: type[Card]) -> None:
    bench = Bench()
    reader = bench.reader()
    card = kind(FOUR)
    bench.emulated[0].field.lay(card)
    assert bench.polls(reader, 50) == []
    assert kinds(bench.polls(reader, 60)) == [CardUnreadable]
    assert bench.polls(reader, 500) == []
    bench.emulated[0].field.take(card)
    assert bench.polls(reader, 60) == []
    bench.emulated[0].field.lay(card)
    assert kinds(bench.polls(reader, 130)) == [CardUnreadable]
    bench.emulated[0].field.take(card)
    bench.lay(SEVEN)
    assert uids(bench.polls(reader, 5)) == [SEVEN]


def test_a_badge_that_is_slow_to_be_read_is_not_said_to_be_unreadable() -> None:
    bench = Bench()
    reader = bench.reader()
    bench.emulated[0].field.noise = Noise(0.2, 7)
    bench.lay(SEVEN)
    bench.polls(reader, 50)
    bench.emulated[0].field.noise = None
    assert kinds(bench.polls(reader, 200)) == [CardSeen]


def test_a_badge_that_flickers_at_the_edge_of_the_field_is_one_tap() -> None:
    bench = Bench()
    reader = bench.reader()
    card = bench.lay(FOUR)
    told = bench.polls(reader, 3)
    for _ in range(20):
        bench.emulated[0].field.take(card)
        told += bench.polls(reader, 1)
        bench.emulated[0].field.lay(card)
        told += bench.polls(reader, 4)
    assert kinds(told) == [CardSeen]


@quick
@given(numbers(), numbers())
def test_another_badge_in_its_place_is_another_tap(first: bytes, second: bytes) -> None:
    bench = Bench()
    reader = bench.reader()
    card = bench.lay(first)
    told = bench.polls(reader)
    bench.emulated[0].field.take(card)
    bench.lay(second)
    told += bench.polls(reader)
    expected = [first] if first == second else [first, second]
    assert uids(told) == expected


# Two at once


@quick
@given(numbers(), numbers())
def test_two_at_once_are_told_once_and_not_read(first: bytes, second: bytes) -> None:
    if first == second:
        return
    bench = Bench()
    reader = bench.reader()
    bench.lay(first)
    bench.lay(second)
    assert kinds(bench.polls(reader, 100)) == [CardsCollided]
    bench.emulated[0].field.clear()
    assert kinds(bench.polls(reader)) == [CardGone]


@quick
@given(numbers(), numbers(), st.integers(0, 12))
def test_a_badge_laid_beside_another_is_noticed_at_whatever_poll(first: bytes, second: bytes, after: int) -> None:
    if first == second:
        return
    bench = Bench()
    reader = bench.reader()
    bench.lay(first)
    assert uids(bench.polls(reader, after + 1)) == [first]
    bench.lay(second)
    assert kinds(bench.polls(reader, 10)) == [CardsCollided]


def test_badges_of_one_batch_that_differ_in_the_last_byte_only() -> None:
    bench = Bench()
    reader = bench.reader()
    bench.lay(SEVEN)
    bench.polls(reader)
    bench.lay(SEVEN[:6] + b"\x00")
    assert kinds(bench.polls(reader, 200)) == [CardsCollided]


def test_what_is_left_of_two_is_not_read_but_counts_as_lying() -> None:
    bench = Bench()
    reader = bench.reader()
    bench.lay(FOUR)
    second = bench.lay(SEVEN)
    bench.polls(reader)
    bench.emulated[0].field.take(second)
    assert bench.polls(reader) == []
    bench.emulated[0].field.lay(second)
    assert kinds(bench.polls(reader)) == [CardsCollided]
    bench.emulated[0].field.clear()
    assert kinds(bench.polls(reader)) == [CardGone]


# Torn away, noise


@quick
@given(numbers(), st.integers(0, 9_000_000))
def test_a_badge_torn_away_at_any_moment_is_read_whole_or_not_at_all(uid: bytes, after_ns: int) -> None:
    bench = Bench()
    reader = bench.reader()
    card = bench.lay(uid)
    bench.clock.after(after_ns, bench.emulated[0].field.clear)
    told = bench.polls(reader, 90)
    assert kinds(told) in ([], [CardSeen, CardGone])
    assert uids(told) in ([], [uid])
    bench.emulated[0].field.lay(card)
    assert uids(bench.polls(reader)) == [uid]


@settings(max_examples=60, deadline=None)
@given(numbers(), st.sampled_from([1e-4, 1e-3, 1e-2, 0.05]), st.integers(0, 2**32))
def test_noise_never_makes_another_number(uid: bytes, rate: float, seed: int) -> None:
    bench = Bench()
    reader = bench.reader()
    bench.emulated[0].field.noise = Noise(rate, seed)
    bench.lay(uid)
    assert set(uids(bench.polls(reader, 40))) <= {uid}


def test_a_badge_is_read_as_soon_as_the_noise_is_over() -> None:
    bench = Bench()
    reader = bench.reader()
    bench.emulated[0].field.noise = Noise(0.2, 7)
    bench.lay(SEVEN)
    assert uids(bench.polls(reader, 50)) == []
    bench.emulated[0].field.noise = None
    assert uids(bench.polls(reader, 3)) == [SEVEN]


# Health


@pytest.mark.parametrize(
    ("fault", "why"),
    [(Fault.DEAD_LOW, "read 00"), (Fault.DEAD_HIGH, "read FF"), (Fault.RESET_STUCK, "read 00")],
)
def test_a_reader_that_is_unplugged_is_told_at_the_next_poll_once(fault: Fault, why: str) -> None:
    bench = Bench()
    reader = bench.reader()
    bench.polls(reader, 5)
    bench.emulated[0].fault = fault
    told = bench.polls(reader, 1)
    assert kinds(told) == [ReaderFault]
    assert isinstance(told[0], ReaderFault)
    assert why in told[0].why
    assert "3.3 V" in told[0].why
    assert bench.polls(reader, 1000) == []


@pytest.mark.parametrize("fault", [Fault.DEAD_LOW, Fault.DEAD_HIGH, Fault.RESET_STUCK])
def test_it_recovers_within_a_second_of_its_return_and_reads(fault: Fault) -> None:
    bench = Bench()
    reader = bench.reader()
    bench.emulated[0].fault = fault
    bench.polls(reader, 250)
    bench.emulated[0].fault = Fault.NONE
    assert kinds(bench.polls(reader, 101)) == [ReaderRecovered]
    bench.lay(SEVEN)
    assert uids(bench.polls(reader)) == [SEVEN]


def test_a_reader_that_is_dead_at_the_start_is_told_and_recovers() -> None:
    bench = Bench()
    bench.emulated[0].fault = Fault.DEAD_LOW
    reader = bench.reader()
    assert kinds(bench.polls(reader, 100)) == [ReaderFault]
    bench.emulated[0].fault = Fault.NONE
    assert kinds(bench.polls(reader, 101)) == [ReaderRecovered]


def test_a_supply_dip_is_told_and_mended_at_once() -> None:
    bench = Bench()
    reader = bench.reader()
    bench.polls(reader, 5)
    bench.emulated[0].brown_out()
    fault, recovered = bench.polls(reader, 3)
    assert isinstance(fault, ReaderFault)
    assert "lost its settings" in fault.why
    assert isinstance(recovered, ReaderRecovered)
    bench.lay(FOUR)
    assert uids(bench.polls(reader)) == [FOUR]


def test_a_badge_that_lay_there_through_a_fault_is_no_second_tap() -> None:
    bench = Bench()
    reader = bench.reader()
    bench.lay(FOUR)
    bench.polls(reader)
    bench.emulated[0].brown_out()
    assert kinds(bench.polls(reader, 200)) == [ReaderFault, ReaderRecovered]


def test_a_badge_taken_away_during_a_fault_is_gone_afterwards() -> None:
    bench = Bench()
    reader = bench.reader()
    bench.lay(FOUR)
    bench.polls(reader)
    bench.emulated[0].fault = Fault.DEAD_LOW
    bench.emulated[0].field.clear()
    told = bench.polls(reader)
    bench.emulated[0].fault = Fault.NONE
    assert kinds(told + bench.polls(reader, 150)) == [ReaderFault, ReaderRecovered, CardGone]


def test_a_chip_that_changes_its_version_is_a_fault_until_it_keeps_the_new_one() -> None:
    bench = Bench()
    reader = bench.reader()
    bench.emulated[0].version = 0x12
    told = bench.polls(reader, 1)
    assert isinstance(told[0], ReaderFault)
    assert "VersionReg reads 12 instead of 92" in told[0].why
    assert kinds(bench.polls(reader, 2)) == [ReaderRecovered]
    bench.lay(FOUR)
    assert uids(bench.polls(reader)) == [FOUR]


def test_a_chip_whose_timer_is_stuck_is_one_fault_until_an_exchange_ends() -> None:
    bench = Bench()
    reader = bench.reader()
    bench.polls(reader, 5)
    bench.emulated[0].timer_stuck = True
    (fault,) = bench.polls(reader, 6000)
    assert isinstance(fault, ReaderFault)
    assert "its timer does not run" in fault.why
    bench.emulated[0].timer_stuck = False
    assert kinds(bench.polls(reader, 101)) == [ReaderRecovered]
    bench.lay(FOUR)
    assert uids(bench.polls(reader)) == [FOUR]


class Lossy:
    """A bus that loses one transfer, and what the chip answers to it."""

    def __init__(self, inner: object, lost: int) -> None:
        self._inner = inner
        self._left = lost

    def xfer2(self, sent: list[int]) -> list[int]:
        self._left -= 1
        return [0] * len(sent) if self._left == 0 else self._inner.xfer2(sent)  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("lost", range(1, 80))
def test_whichever_transfer_is_lost_the_next_badge_is_read(lost: int) -> None:
    """The 47th and 48th of a 7-byte read switch the chip's CRC off again."""
    bench = Bench()
    reader = bench.reader()
    bench.lay(SEVEN)
    reader.chip.spi = Lossy(reader.chip.spi, lost)
    bench.polls(reader, 8)
    bench.emulated[0].field.clear()
    told = bench.polls(reader, 12)
    bench.lay(FOUR)
    told += bench.polls(reader, 110)
    assert uids(told) == [FOUR]
    assert kinds(told).count(ReaderFault) == kinds(told).count(ReaderRecovered)


RADIO = [reg for reg in WRITABLE if reg not in (Reg.BIT_FRAMING, Reg.SERIAL_SPEED) and "TEST" not in reg.name]


@pytest.mark.parametrize("reg", [*RADIO, Reg.AUTO_TEST], ids=lambda reg: reg.name)
def test_a_register_that_is_not_as_it_was_set_is_a_reset(reg: Reg) -> None:
    bench = Bench()
    reader = bench.reader()
    bench.polls(reader, 3)
    registers = bench.emulated[0]._regs
    for bit in (1 << place for place in range(8) if WRITABLE[reg] & 1 << place):
        was = registers[reg]
        registers.write(reg, was ^ bit)
        fault, recovered = bench.polls(reader, 5)
        assert isinstance(fault, ReaderFault)
        assert "lost its settings" in fault.why
        assert isinstance(recovered, ReaderRecovered)
        assert registers[reg] == was


def test_a_register_that_does_not_hold_what_is_written_stays_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    reader = bench.reader()
    bench.polls(reader, 3)
    monkeypatch.setitem(WRITABLE, Reg.T_RELOAD_L, 0)
    bench.emulated[0].brown_out()
    assert kinds(bench.polls(reader, 500)) == [ReaderFault]


class Wire:
    """A bus between driver and chip that can be spoilt."""

    def __init__(self, inner: object, spoil: object) -> None:
        self._inner = inner
        self._spoil = spoil
        self.max_speed_hz = 10_000_000

    def xfer2(self, sent: list[int]) -> list[int]:
        return self._spoil(self._inner.xfer2(sent))  # type: ignore[attr-defined, operator, no-any-return]

    def close(self) -> None:
        self._inner.close()  # type: ignore[attr-defined]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.01, 1.0))
def test_garbage_on_the_bus_never_raises_and_never_makes_a_badge(seed: int, share: float) -> None:
    bench = Bench()
    reader = bench.reader()
    bench.lay(FOUR)
    chance = random.Random(seed)

    def spoil(received: list[int]) -> list[int]:
        return list(chance.randbytes(len(received))) if chance.random() < share else received

    reader.chip.spi = Wire(reader.chip.spi, spoil)
    assert set(uids(bench.polls(reader, 60))) <= {FOUR}


def test_one_bad_transfer_is_no_fault() -> None:
    bench = Bench()
    reader = bench.reader()
    bench.polls(reader, 3)
    bad = iter([7])

    def spoil(received: list[int]) -> list[int]:
        return [0xFF] * len(received) if len(received) > 3 and next(bad, None) else received

    reader.chip.spi = Wire(reader.chip.spi, spoil)
    assert bench.polls(reader, 20) == []
    assert next(bad, None) is None


def test_a_bus_that_fails_is_a_fault_and_mends() -> None:
    bench = Bench()
    reader = bench.reader()
    broken = [True]

    def spoil(received: list[int]) -> list[int]:
        if broken[0]:
            raise OSError("Remote I/O error")
        return received

    reader.chip.spi = Wire(reader.chip.spi, spoil)
    told = bench.polls(reader, 150)
    assert kinds(told) == [ReaderFault]
    assert isinstance(told[0], ReaderFault)
    assert "Remote I/O error" in told[0].why
    broken[0] = False
    assert kinds(bench.polls(reader, 101)) == [ReaderRecovered]


# Two readers on one bus


def test_two_readers_do_not_disturb_each_other() -> None:
    bench = Bench()
    door_in, door_out = bench.reader(0), bench.reader(1)
    bench.lay(FOUR, device=0)
    bench.lay(SEVEN, device=1)
    assert uids([s for s in (door_in.poll(), door_out.poll()) if s]) == [FOUR, SEVEN]


def test_closing_one_reader_leaves_the_other_one_its_reset_line() -> None:
    bench = Bench()
    door_in, door_out = bench.reader(0), bench.reader(1)
    door_in.close()
    assert not bench.emulated[0].field.on
    assert bench.board.level(25) == 1
    bench.lay(SEVEN, device=1)
    assert uids(bench.polls(door_out)) == [SEVEN]
