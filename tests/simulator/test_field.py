"""Cards on a reader: power, collisions, cards torn away, noise, and how long it all takes in the air."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.card import Answer, Card, Frame, State, cascade
from simulator.chip.radio import Noise, card_frame, merge, ns, reader_frame, to_bits, to_bytes
from simulator.chip.registers import Reg
from simulator.clock import VirtualClock
from simulator.field import Field
from tests.support_chip import MS, Host

FOUR = bytes.fromhex("5ea1c0de")
SEVEN = bytes.fromhex("04a1b2c3d4e5f6")
TEN = bytes.fromhex("04a1b2c3d4e5f6071829")
TIMER, RX, COLLISION, NOT_VALID = 0x01, 0x20, 0x08, 0x20

UIDS = st.one_of(*(st.binary(min_size=n, max_size=n) for n in (4, 7, 10))).filter(
    lambda uid: len(uid) == 10 or uid[-4] != 0x88
)


@pytest.mark.parametrize("uid", [FOUR, SEVEN, TEN])
def test_a_uid_of_each_length(uid: bytes) -> None:
    host = Host()
    host.lay(Card(uid, sak=0x20))
    host.reqa()
    assert host.uid() == uid


@settings(max_examples=25)
@given(UIDS)
def test_any_uid(uid: bytes) -> None:
    host = Host()
    host.lay(Card(uid))
    host.reqa()
    assert host.uid() == uid


def test_a_card_needs_time_to_wake() -> None:
    host = Host()
    host.chip.field.lay(Card(FOUR))
    host.clock.advance(5 * MS - 200_000)
    assert host.reqa().irq & (RX | TIMER) == TIMER
    assert host.reqa().irq & RX


def test_a_quick_card() -> None:
    host = Host()
    host.chip.field.lay(Card(FOUR, power_up_ns=MS))
    host.clock.advance(MS)
    assert host.reqa().irq & RX


def test_without_a_field_a_card_forgets_its_halt() -> None:
    host = Host()
    card = Card(FOUR)
    host.lay(card)
    host.reqa()
    host.uid()
    host.halt()
    assert card.state is State.HALT
    host.write(Reg.TX_CONTROL, 0x80)
    host.write(Reg.TX_CONTROL, 0x83)
    assert host.reqa().irq & RX == 0
    assert host.reqa().irq & RX


def test_halt_and_wake_up() -> None:
    host = Host()
    host.lay(Card(SEVEN))
    host.reqa()
    host.uid()
    assert host.halt().irq & (RX | TIMER) == TIMER
    assert host.reqa().irq & RX == 0
    assert host.wupa().data == b"\x44\x00"
    assert host.uid() == SEVEN


def test_partial_prefixes_arrive_aligned() -> None:
    """With 12 bits known the first of the answer belongs to bit 4 of its byte."""
    host = Host()
    host.lay(Card(FOUR))
    host.reqa()
    reply = host.exchange(b"\x93\x34" + FOUR[:1] + bytes([FOUR[1] & 0x0F]), last_bits=4, align=4)
    assert reply.data == bytes([FOUR[1] & 0xF0]) + FOUR[2:] + bytes([0x5E ^ 0xA1 ^ 0xC0 ^ 0xDE])
    assert reply.last_bits == 0


def test_two_cards_collide_at_the_first_bit_in_which_they_differ() -> None:
    host = Host()
    host.lay(Card(bytes.fromhex("01020304")), Card(bytes.fromhex("01020384")))
    host.reqa()
    reply = host.anticollision()
    assert reply.error == COLLISION
    assert reply.coll == 0x80  # bit 32 shows as 0
    assert reply.data == bytes.fromhex("01020384") + bytes([0x84 ^ 0])


@pytest.mark.parametrize(("bit", "shown"), [(0, 1), (7, 8), (15, 16), (30, 31), (31, 0)])
def test_collision_positions(bit: int, shown: int) -> None:
    uid = int.from_bytes(FOUR, "little")
    other = (uid ^ 1 << bit).to_bytes(4, "little")
    host = Host()
    host.lay(Card(FOUR), Card(other))
    host.reqa()
    assert host.anticollision().coll & 0x3F == shown


def test_bits_after_a_collision_can_be_cleared() -> None:
    host = Host()
    host.lay(Card(bytes.fromhex("ffffff77")), Card(bytes.fromhex("fffbff77")))
    host.write(Reg.COLL, 0x00)
    host.reqa()
    reply = host.anticollision()
    assert reply.coll == 8 + 3
    assert reply.data == bytes.fromhex("ff03000000")


def test_cards_of_different_kinds_collide_at_the_request() -> None:
    host = Host()
    host.lay(Card(FOUR), Card(SEVEN))
    reply = host.reqa()
    assert (reply.error, reply.coll & 0x3F) == (COLLISION, 7)
    assert reply.data == b"\x44\x00"


class Talker(Card):
    """Answers everything with the same bytes."""

    def __init__(self, uid: bytes, says: bytes) -> None:
        super().__init__(uid)
        self.says = says

    def hear(self, _frame: Frame) -> Answer:
        return Answer(to_bits(self.says))


def test_a_collision_beyond_bit_32_has_no_position() -> None:
    host = Host()
    host.lay(Talker(FOUR, bytes(5)), Talker(FOUR, bytes(4) + b"\x01"))
    reply = host.reqa()
    assert (reply.error, reply.coll & 0x3F) == (COLLISION, NOT_VALID)


def take_in_turn(host: Host, cards: int) -> set[bytes]:
    """Find, select and halt one card after another."""
    found = set()
    for _ in range(cards):
        assert host.reqa().irq & RX
        found.add(host.resolve())
        host.halt()
    assert host.reqa().irq & RX == 0
    return found


@pytest.mark.parametrize("count", [2, 5])
def test_several_cards_are_told_apart(count: int) -> None:
    uids = [FOUR, SEVEN, TEN, bytes.fromhex("5ea1c0df"), bytes.fromhex("04a1b2c3d4e5f7")][:count]
    host = Host()
    host.lay(*(Card(uid) for uid in uids))
    assert take_in_turn(host, count) == set(uids)


@settings(max_examples=15, deadline=None)
@given(st.sets(UIDS, min_size=2, max_size=4))
def test_any_cards_are_told_apart(uids: set[bytes]) -> None:
    host = Host()
    host.lay(*(Card(uid) for uid in uids))
    assert take_in_turn(host, len(uids)) == uids


def test_two_cards_with_one_uid_are_one_to_the_reader() -> None:
    host = Host()
    host.lay(Card(FOUR), Card(FOUR))
    host.reqa()
    assert host.uid() == FOUR


@given(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=20).map(tuple), min_size=1, max_size=4))
def test_merging(streams: list[tuple[int, ...]]) -> None:
    heard, first = merge(streams)
    assert len(heard) == max(len(stream) for stream in streams)
    agreed = [{stream[i] for stream in streams if i < len(stream)} for i in range(len(heard))]
    assert first == next((i for i, values in enumerate(agreed) if len(values) == 2), None)
    assert all(bit in values for bit, values in zip(heard, agreed, strict=True))


def test_a_card_taken_away_in_the_middle_of_its_answer() -> None:
    host = Host()
    card = Card(FOUR)
    host.lay(card)
    host.reqa()
    host.clock.advance(100_000)
    host.send(b"\x93\x20")
    host.clock.advance(ns(reader_frame(16)) + 91_150 + ns(12 * 128 + 64))
    host.chip.field.take(card)
    host.clock.advance(MS)
    assert host.read(Reg.COM_IRQ) & RX
    assert host.read(Reg.FIFO_LEVEL) == 2
    assert host.read(Reg.CONTROL) & 0x07 == 2
    assert host.read(Reg.FIFO_DATA) == FOUR[0]


def test_a_card_taken_away_before_its_answer_has_begun() -> None:
    host = Host()
    card = Card(FOUR)
    host.lay(card)
    host.clock.after(200_000, lambda: host.chip.field.take(card))
    reply = host.reqa()
    assert (reply.data, reply.irq & (RX | TIMER)) == (b"", TIMER)


def test_a_card_taken_away_while_another_answers() -> None:
    host = Host()
    first, second = Card(bytes.fromhex("01020304")), Card(bytes.fromhex("010203ff"))
    host.lay(first, second)
    host.reqa()
    host.clock.advance(100_000)
    host.send(b"\x93\x20")
    host.clock.advance(ns(reader_frame(16)) + 91_150 + ns(12 * 128 + 64))
    host.chip.field.take(second)
    host.clock.advance(MS)
    assert host.read(Reg.ERROR) == 0
    assert [host.read(Reg.FIFO_DATA) for _ in range(5)] == list(cascade(first.uid)[0])


def test_switching_the_field_off_tears_an_answer_too() -> None:
    host = Host()
    host.lay(Card(FOUR))
    host.send(b"\x26", last_bits=7)
    host.clock.advance(94_400 + 91_150 + ns(10 * 128))
    host.write(Reg.TX_CONTROL, 0x80)
    host.clock.advance(MS)
    assert host.read(Reg.FIFO_LEVEL) == 1


class Mumbler(Card):
    """Answers everything with three bits."""

    def hear(self, _frame: Frame) -> Answer:
        return Answer((1, 0, 1))


def test_a_stub_of_an_answer_can_be_ignored() -> None:
    host = Host()
    host.lay(Mumbler(FOUR))
    reply = host.reqa()
    assert (reply.irq & (RX | TIMER), reply.data, reply.last_bits) == (RX, b"\x05", 3)
    host.write(Reg.RX_MODE, 0x08)
    reply = host.reqa()
    assert (reply.irq & (RX | TIMER), reply.data) == (TIMER, b"")


def test_a_reader_that_speaks_too_soon_is_not_heard() -> None:
    host = Host()
    card = Card(FOUR)
    host.lay(card)
    host.send(b"\x26", last_bits=7)
    host.clock.advance(94_400 + 91_150 + ns(20 * 128) + 50_000)
    host.send(b"\x93\x20")
    host.clock.advance(MS)
    assert host.read(Reg.FIFO_LEVEL) == 0
    assert card.state is State.READY


def test_noise_is_the_same_for_the_same_seed() -> None:
    assert Noise(0.1, seed=7).spoil((0,) * 500) == Noise(0.1, seed=7).spoil((0,) * 500)
    assert Noise(0.1, seed=7).spoil((0,) * 500) != Noise(0.1, seed=8).spoil((0,) * 500)
    assert Noise(0.0, seed=7).spoil((0, 1)) == (0, 1)
    assert Noise(1.0, seed=7).spoil((0, 1)) == (1, 0)


def test_noise_spoils_both_directions() -> None:
    host = Host()
    host.lay(Card(FOUR))
    host.chip.field.noise = Noise(1.0, seed=1)
    assert host.reqa().irq & RX == 0
    host.chip.field.noise = Noise(0.02, seed=1)
    answers = set()
    for _ in range(60):
        answers.add(host.reqa().data)
    assert {b"", b"\x04\x00"} < answers


def test_laying_and_taking_refuse_what_cannot_be() -> None:
    field = Field(VirtualClock())
    card = Card(FOUR)
    field.lay(card)
    with pytest.raises(ValueError, match="take it away first"):
        field.lay(card)
    field.take(card)
    with pytest.raises(ValueError, match="lay it there first"):
        field.take(card)


def test_clearing_the_field() -> None:
    field = Field(VirtualClock())
    for uid in (FOUR, SEVEN):
        field.lay(Card(uid))
    assert [card.uid for card in field.cards] == [FOUR, SEVEN]
    field.clear()
    assert field.cards == ()


@given(st.binary(max_size=12), st.integers(0, 7))
def test_bits_and_bytes(data: bytes, align: int) -> None:
    assert to_bytes(to_bits(data)) == data
    shifted = int.from_bytes(data, "little") << align
    assert int.from_bytes(to_bytes(to_bits(data), align), "little") == shifted


@pytest.mark.parametrize(
    ("periods", "microseconds"),
    [
        (reader_frame(7), 94.4),  # REQA: start, 7 bits, end of two
        (card_frame(16), 188.8),  # ATQA: start, 2 x 9, end
        (reader_frame(16), 198.2),  # 93 20
        (card_frame(40), 443.7),  # UID and BCC
        (reader_frame(72), 793.0),  # SELECT
        (card_frame(24), 273.7),  # SAK
        (card_frame(4), 56.6),  # an acknowledgement has no parity
        (card_frame(28, split=4), 320.9),  # the byte that both have sent has its parity in the answer
    ],
)
def test_frames_take_their_elementary_time_units(periods: int, microseconds: float) -> None:
    assert ns(periods) / 1000 == pytest.approx(microseconds, abs=0.1)


def radio_ms(uid: bytes) -> list[float]:
    """What each exchange takes in the air, and last the sum with the guard times between them."""
    host = Host()
    host.lay(Card(uid))
    times = [host.reqa().ms]
    for level, part in enumerate(cascade(uid)):
        times += [host.anticollision(level).ms, host.select(level, part).ms]
    return [*times, sum(times) + (len(times) - 1) * 0.0864]


def test_radio_time_of_a_request() -> None:
    assert radio_ms(FOUR)[0] == pytest.approx(0.374, abs=0.004)


def test_radio_floor_of_a_four_byte_badge() -> None:
    assert radio_ms(FOUR)[-1] == pytest.approx(2.44, abs=0.02)


def test_radio_floor_of_a_seven_byte_badge() -> None:
    assert radio_ms(SEVEN)[-1] == pytest.approx(4.50, abs=0.03)


def test_an_answer_does_not_show_before_its_time() -> None:
    host = Host()
    host.lay(Card(FOUR))
    host.send(b"\x26", last_bits=7)
    host.clock.advance(371_000)
    assert (host.read(Reg.COM_IRQ) & RX, host.read(Reg.FIFO_LEVEL)) == (0, 0)
    host.clock.advance(3_000)
    assert (host.read(Reg.COM_IRQ) & RX, host.read(Reg.FIFO_LEVEL)) == (RX, 2)
