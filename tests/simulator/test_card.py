"""One card and its states: ISO/IEC 14443-3, chapter 6, without a chip in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.card import REQA, WUPA, Answer, Card, Frame, State, cascade
from simulator.chip.radio import Bits, to_bits, to_bytes
from simulator.classic import ClassicCard
from tests.support_chip import with_crc

FOUR = bytes.fromhex("5ea1c0de")
SEVEN = bytes.fromhex("04a1b2c3d4e5f6")
TEN = bytes.fromhex("04a1b2c3d4e5f6071829")


def awake(uid: bytes = FOUR, sak: int = 0x08) -> Card:
    card = Card(uid, sak)
    card.power_on()
    return card


def tell(card: Card, *frames: bytes | Bits) -> bytes | None:
    """Send frames (bits, or bytes without a checksum); the last answer."""
    answer: Answer | None = None
    for frame in frames:
        answer = card.hear(Frame(frame if isinstance(frame, tuple) else to_bits(frame)))
    return None if answer is None else to_bytes(answer.bits)


def select(uid: bytes) -> list[bytes]:
    return [
        with_crc(bytes([level, 0x70]) + part) for level, part in zip((0x93, 0x95, 0x97), cascade(uid), strict=False)
    ]


HALT = with_crc(b"\x50\x00")
READ = with_crc(b"\x30\x00")
RATS = with_crc(b"\xe0\x50")
ANTICOLLISION = b"\x93\x20"


@pytest.mark.parametrize(
    ("uid", "parts"),
    [
        (FOUR, ["5ea1c0dee1"]),
        (SEVEN, ["8804a1b29f", "c3d4e5f604"]),
        (TEN, ["8804a1b29f", "88c3d4e57a", "f6071829c0"]),
    ],
)
def test_cascade_levels(uid: bytes, parts: list[str]) -> None:
    assert [part.hex() for part in cascade(uid)] == parts


@pytest.mark.parametrize(("uid", "atqa"), [(FOUR, "0400"), (SEVEN, "4400"), (TEN, "8400")])
def test_the_answer_to_a_request_says_how_long_the_uid_is(uid: bytes, atqa: str) -> None:
    assert (tell(awake(uid), REQA) or b"").hex() == atqa


def test_another_atqa() -> None:
    card = Card(FOUR, atqa=b"\x04\x03")
    card.power_on()
    assert tell(card, REQA) == b"\x04\x03"


@pytest.mark.parametrize(
    ("uid", "sak", "complaint"),
    [
        ("010203", 0x08, "3 bytes; give 4, 7 or 10"),
        ("01020304", 0x04, "bit 3"),
        ("01020304", 0x100, "give a byte"),
    ],
)
def test_cards_that_cannot_be(uid: str, sak: int, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Card(bytes.fromhex(uid), sak)


@pytest.mark.parametrize("uid", [FOUR, SEVEN, TEN])
def test_selected_level_by_level(uid: bytes) -> None:
    card = awake(uid, sak=0x20)
    tell(card, REQA)
    answers = [tell(card, frame) for frame in select(uid)]
    assert answers == [with_crc(b"\x04")] * (len(answers) - 1) + [with_crc(b"\x20")]
    assert card.state is State.ACTIVE


def reach(state: State) -> Card:
    """A four-byte card in this state."""
    card = Card(FOUR)
    if state is not State.POWER_OFF:
        card.power_on()
    starred = state in (State.HALT, State.READY_STAR, State.ACTIVE_STAR)
    if starred:
        tell(card, REQA, *select(FOUR), HALT)
    if state not in (State.POWER_OFF, State.IDLE, State.HALT):
        tell(card, WUPA)
    if state in (State.ACTIVE, State.ACTIVE_STAR):
        tell(card, *select(FOUR))
    assert card.state is state
    return card


OFF, IDLE, READY, ACTIVE = State.POWER_OFF, State.IDLE, State.READY, State.ACTIVE
HALTED, READY_STAR, ACTIVE_STAR = State.HALT, State.READY_STAR, State.ACTIVE_STAR
OTHER = select(b"\x01\x02\x03\x04")[0]
WRONG_CRC = HALT[:-1] + b"\x00"


@pytest.mark.parametrize(
    ("before", "frame", "after", "answers"),
    [
        (OFF, REQA, OFF, False),
        (OFF, WUPA, OFF, False),
        (IDLE, REQA, READY, True),
        (IDLE, WUPA, READY, True),
        (IDLE, ANTICOLLISION, IDLE, False),
        (IDLE, HALT, IDLE, False),
        (IDLE, select(FOUR)[0], IDLE, False),
        (READY, ANTICOLLISION, READY, True),
        (READY, b"\x93\x30\x00", READY, False),  # the prefix of another card
        (READY, select(FOUR)[0], ACTIVE, True),
        (READY, OTHER, IDLE, False),
        (READY, REQA, IDLE, False),
        (READY, WUPA, IDLE, False),
        (READY, HALT, IDLE, False),
        (READY, READ, IDLE, False),
        (READY, b"\x95\x20", IDLE, False),  # a level that is not this card's
        (READY, b"\x93\x40", IDLE, False),  # says two bytes, sends none
        (ACTIVE, HALT, HALTED, False),
        (ACTIVE, REQA, IDLE, False),
        (ACTIVE, WUPA, IDLE, False),
        (ACTIVE, ANTICOLLISION, IDLE, False),
        (ACTIVE, select(FOUR)[0], IDLE, False),
        (ACTIVE, READ, IDLE, False),
        (ACTIVE, RATS, IDLE, False),
        (ACTIVE, WRONG_CRC, IDLE, False),
        (HALTED, REQA, HALTED, False),
        (HALTED, HALT, HALTED, False),
        (HALTED, ANTICOLLISION, HALTED, False),
        (HALTED, WUPA, READY_STAR, True),
        (READY_STAR, ANTICOLLISION, READY_STAR, True),
        (READY_STAR, select(FOUR)[0], ACTIVE_STAR, True),
        (READY_STAR, OTHER, HALTED, False),
        (READY_STAR, REQA, HALTED, False),
        (READY_STAR, WUPA, HALTED, False),
        (ACTIVE_STAR, HALT, HALTED, False),
        (ACTIVE_STAR, REQA, HALTED, False),
        (ACTIVE_STAR, WRONG_CRC, HALTED, False),
    ],
)
def test_figure_7(before: State, frame: bytes | Bits, after: State, answers: bool) -> None:
    card = reach(before)
    assert (tell(card, frame) is not None) is answers
    assert card.state is after


@pytest.mark.parametrize("state", [s for s in State if s is not State.POWER_OFF])
def test_without_power_everything_is_forgotten(state: State) -> None:
    card = reach(state)
    card.power_off()
    assert tell(card, WUPA) is None
    card.power_on()
    assert card.state is State.IDLE


@given(st.integers(0, 39))
def test_the_answer_to_any_known_prefix_is_the_rest(known: int) -> None:
    card = awake()
    tell(card, REQA)
    whole = to_bits(cascade(FOUR)[0])
    nvb = (2 + known // 8) << 4 | known % 8
    answer = card.hear(Frame(to_bits(bytes([0x93, nvb])) + whole[:known]))
    assert answer == Answer(whole[known:], split=known % 8)


@given(st.integers(1, 32), st.integers(0, 31))
def test_a_prefix_that_differs_in_one_bit_is_met_with_silence(known: int, wrong: int) -> None:
    card = awake()
    tell(card, REQA)
    prefix = list(to_bits(cascade(FOUR)[0])[:known])
    prefix[wrong % known] ^= 1
    nvb = (2 + known // 8) << 4 | known % 8
    assert card.hear(Frame(to_bits(bytes([0x93, nvb])) + tuple(prefix))) is None
    assert card.state is State.READY


FRAMES = st.one_of(
    st.lists(st.integers(0, 1), max_size=90).map(tuple),
    st.sampled_from([REQA, WUPA]),
    st.sampled_from([ANTICOLLISION, HALT, READ, RATS, *select(SEVEN)]).map(to_bits),
)


@given(st.lists(st.tuples(FRAMES, st.booleans()), max_size=15))
def test_no_frame_breaks_a_card(frames: list[tuple[Bits, bool]]) -> None:
    for card in (awake(SEVEN), ClassicCard(FOUR)):
        card.power_on()
        for bits, encrypted in frames:
            answer = card.hear(Frame(bits, encrypted))
            assert answer is None or answer.bits
        assert card.state is not State.POWER_OFF


@given(st.lists(st.integers(0, 1), min_size=1, max_size=90).map(tuple))
def test_only_a_request_or_a_wake_up_rouses_a_card(bits: Bits) -> None:
    card, halted = awake(), reach(State.HALT)
    if bits not in (REQA, WUPA):
        assert card.hear(Frame(bits)) is None
    if bits != WUPA:
        assert halted.hear(Frame(bits)) is None


def test_a_classic_card_guards_its_blocks() -> None:
    card = ClassicCard(FOUR)
    card.power_on()
    tell(card, REQA, *select(FOUR))
    assert tell(card, READ) == b"\x04"
    assert card.state is State.IDLE


def authenticated() -> ClassicCard:
    card = ClassicCard(FOUR)
    card.power_on()
    tell(card, REQA, *select(FOUR))
    assert card.challenge(4)
    assert card.authenticate(0x61, 4, b"\xff" * 6, FOUR)
    return card


def secretly(card: Card, frame: bytes) -> bytes | None:
    answer = card.hear(Frame(to_bits(frame), encrypted=True))
    return None if answer is None else to_bytes(answer.bits)


def test_a_classic_card_opens_one_sector_at_a_time() -> None:
    card = authenticated()
    assert secretly(card, with_crc(b"\x30\x07")) == with_crc(bytes(6) + bytes.fromhex("ff078069") + b"\xff" * 6)
    assert secretly(card, with_crc(b"\x30\x08")) == b"\x04"


def test_a_classic_card_refuses_a_broken_write() -> None:
    card = authenticated()
    assert secretly(card, with_crc(b"\xa0\x04")) == b"\x0a"
    assert secretly(card, bytes(18)) == b"\x05"
    assert card.blocks[4] == bytes(16)


def test_a_classic_card_does_not_know_every_command() -> None:
    card = authenticated()
    assert secretly(card, with_crc(b"\xc0\x04")) is None
    assert card.state is State.IDLE


@pytest.mark.parametrize(("block", "key", "uid"), [(4, b"\x00" * 6, FOUR), (4, b"\xff" * 6, bytes(4))])
def test_a_classic_card_wants_its_key_and_its_uid(block: int, key: bytes, uid: bytes) -> None:
    card = ClassicCard(FOUR)
    card.power_on()
    tell(card, REQA, *select(FOUR))
    assert not card.authenticate(0x60, block, key, uid)
    assert card.state is State.IDLE


def test_a_block_beyond_the_last_is_not_challenged() -> None:
    card = ClassicCard(FOUR)
    card.power_on()
    tell(card, REQA, *select(FOUR))
    assert not card.challenge(64)
    assert card.state is State.IDLE


def test_a_card_says_what_it_is() -> None:
    assert repr(Card(FOUR)) == "Card(5ea1c0de, power off)"
