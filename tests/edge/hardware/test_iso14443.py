"""The frames of ISO 14443-3 against scripted answers: what is sent, what is accepted, what is refused."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.hardware.errors import CollisionError, GarbledError, RadioError, SilenceError
from edge.hardware.iso14443 import Badge, call_all, halt, request, select, wake

Sent = tuple[bytes, int, int, bool]


class Script:
    """A radio that answers as written down, and notes what it was asked."""

    def __init__(self, *answers: bytes | RadioError) -> None:
        self.sent: list[Sent] = []
        self._answers = list(answers)

    def exchange(self, frame: bytes, answer: int, bits: int = 0, crc: bool = False) -> bytes:
        self.sent.append((frame, answer, bits, crc))
        reply = self._answers.pop(0)
        if isinstance(reply, RadioError):
            raise reply
        return reply


def checked(part: bytes) -> bytes:
    return part + bytes([part[0] ^ part[1] ^ part[2] ^ part[3]])


def answers_of(uid: bytes, sak: int) -> list[bytes]:
    """What a card with this number says to a reader that goes through its levels."""
    parts = []
    while len(uid) > 4:
        parts.append(b"\x88" + uid[:3])
        uid = uid[3:]
    parts.append(uid)
    saks = [0x04] * (len(parts) - 1) + [sak]
    return [answer for part, last in zip(parts, saks, strict=True) for answer in (checked(part), bytes([last]))]


def test_request_and_wake_are_short_frames() -> None:
    radio = Script(b"\x04\x00", b"\x04\x00")
    request(radio)
    wake(radio)
    assert radio.sent == [(b"\x26", 2, 7, False), (b"\x52", 2, 7, False)]


def test_halt_is_answered_by_silence() -> None:
    radio = Script(SilenceError("x"))
    halt(radio)
    assert radio.sent[0][0] == bytes.fromhex("500057cd")


def test_a_card_that_speaks_after_halt_is_an_error() -> None:
    with pytest.raises(GarbledError, match="HLTA"):
        halt(Script(b"\x00"))


def test_call_all_halts_before_it_wakes() -> None:
    radio = Script(SilenceError("x"), b"\x04\x00")
    call_all(radio)
    assert [sent[0] for sent in radio.sent] == [bytes.fromhex("500057cd"), b"\x52"]


def test_select_of_a_4_byte_card() -> None:
    radio = Script(bytes.fromhex("deadbeef22"), b"\x08")
    assert select(radio) == Badge(bytes.fromhex("deadbeef"), 0x08)
    assert radio.sent == [(b"\x93\x20", 5, 0, False), (bytes.fromhex("9370deadbeef22"), 1, 0, True)]


def test_select_of_a_7_byte_card_asks_the_second_level() -> None:
    radio = Script(*answers_of(bytes.fromhex("04a1b2c3d4e5f6"), 0x20))
    assert select(radio).uid == bytes.fromhex("04a1b2c3d4e5f6")
    assert [sent[0][:2].hex() for sent in radio.sent] == ["9320", "9370", "9520", "9570"]


@given(st.sampled_from([4, 7, 10]).flatmap(lambda n: st.binary(min_size=n, max_size=n)), st.integers(0, 255))
def test_every_number_is_read_whole(uid: bytes, sak: int) -> None:
    sak &= ~0x04
    assume(len(uid) == 10 or uid[-4] != 0x88)
    assert select(Script(*answers_of(uid, sak))) == Badge(uid, sak)


@pytest.mark.parametrize("uid", ["88010203", "88888888", "04a1b288d4e5f6"])
def test_the_sak_decides_and_not_the_first_byte(uid: str) -> None:
    number = bytes.fromhex(uid)
    once = answers_of(number, 0x08)
    assert select(Script(*once, SilenceError("halted"), b"\x04\x00", *once)) == Badge(number, 0x08)


def test_a_sak_that_a_bad_wire_made_cuts_no_number_short() -> None:
    once = answers_of(bytes.fromhex("04a1b2c3d4e5f6"), 0x20)
    with pytest.raises(GarbledError, match="not read alike twice"):
        select(Script(once[0], b"\x00", SilenceError("halted"), b"\x04\x00", *once))


@given(st.binary(min_size=3, max_size=3))
def test_the_cascade_tag_is_a_number_like_any_other_where_no_level_begins(tail: bytes) -> None:
    uid = b"\x04\x88\x88\x01\x02\x03\x88" + tail
    assert select(Script(*answers_of(uid, 0x20))).uid == uid
    assert select(Script(*answers_of(uid[:7], 0x20))).uid == uid[:7]


@given(st.binary(min_size=4, max_size=4), st.integers(0, 39))
def test_one_turned_bit_is_refused(part: bytes, bit: int) -> None:
    answer = bytearray(checked(part))
    answer[bit // 8] ^= 1 << bit % 8
    with pytest.raises(GarbledError, match="BCC"):
        select(Script(bytes(answer)))


def test_a_number_that_goes_on_without_the_cascade_tag_is_refused() -> None:
    with pytest.raises(GarbledError, match="no cascade tag"):
        select(Script(checked(b"\x01\x02\x03\x04"), b"\x04"))


def test_a_fourth_level_is_refused() -> None:
    level = (checked(b"\x88\x01\x02\x03"), b"\x04")
    with pytest.raises(GarbledError, match="10 bytes"):
        select(Script(*level, *level, *level))


@pytest.mark.parametrize("error", [SilenceError("x"), CollisionError("x"), GarbledError("x")])
@pytest.mark.parametrize("at", range(4))
def test_an_error_at_any_point_is_passed_on(error: RadioError, at: int) -> None:
    answers: list[bytes | RadioError] = [*answers_of(bytes.fromhex("04a1b2c3d4e5f6"), 0x20)]
    answers[at] = error
    with pytest.raises(type(error)):
        select(Script(*answers))
