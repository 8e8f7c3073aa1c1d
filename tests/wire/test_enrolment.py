"""A badge's number, sealed to one order: who has that order's key reads it, and nothing else opens."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wire.credential import UID_LENGTHS, is_random
from wire.enrolment import public_of, seal, unseal
from wire.errors import WireError

KEY = X25519PrivateKey.generate()
UIDS = st.sampled_from(UID_LENGTHS).flatmap(lambda length: st.binary(min_size=length, max_size=length))


@settings(max_examples=100, deadline=None)
@given(UIDS, st.text(min_size=1, max_size=64))
def test_the_number_comes_back(uid: bytes, nonce: str) -> None:
    assert unseal(KEY, nonce, seal(public_of(KEY), nonce, uid)) == uid


@settings(max_examples=100, deadline=None)
@given(UIDS, UIDS)
def test_nothing_of_it_shows_not_even_its_length(one: bytes, other: bytes) -> None:
    sealed = seal(public_of(KEY), "n1", one)
    assert one not in sealed
    assert len(sealed) == len(seal(public_of(KEY), "n1", other))


def test_each_answer_is_sealed_anew() -> None:
    one, other = (seal(public_of(KEY), "n1", b"\x04\xa1\x1c\xe0") for _ in range(2))
    assert one[:32] != other[:32]
    assert one[32:] != other[32:]


def test_it_opens_for_its_own_order_alone() -> None:
    sealed = seal(public_of(KEY), "n1", b"\x04\xa1\x1c\xe0")
    with pytest.raises(WireError, match="n2: not sealed to it"):
        unseal(KEY, "n2", sealed)
    with pytest.raises(WireError, match="not sealed to it"):
        unseal(X25519PrivateKey.generate(), "n1", sealed)


@settings(max_examples=150, deadline=None)
@example(31, 0x80)  # the highest bit of a public key, which means nothing (RFC 7748, 5)
@given(st.integers(0, 58), st.integers(1, 255))
def test_one_changed_byte_is_noticed(where: int, by: int) -> None:
    sealed = bytearray(seal(public_of(KEY), "n1", b"\x04\xa1\x1c\xe0"))
    sealed[where] ^= by
    if (where, by) != (
        31,
        0x80,
    ):  # the highest bit of a public key means nothing (RFC 7748, 5); it is in the key's salt
        with pytest.raises(WireError):
            unseal(KEY, "n1", bytes(sealed))


@given(st.binary(max_size=80))
def test_what_is_no_answer_is_refused(junk: bytes) -> None:
    with pytest.raises(WireError, match="not sealed to it"):
        unseal(KEY, "n1", junk)


def test_a_key_that_gives_nothing_away_is_refused() -> None:
    with pytest.raises(WireError, match="order n1: its key is no X25519 public key"):
        seal("00" * 32, "n1", b"\x04\xa1\x1c\xe0")


@pytest.mark.parametrize(
    ("uid", "random"), [("08A11CE0", True), ("04A11CE0", False), ("08610000000001", False), ("880000AA", False)]
)
def test_a_phone_is_known_by_its_first_byte(uid: str, random: bool) -> None:
    assert is_random(bytes.fromhex(uid)) is random
