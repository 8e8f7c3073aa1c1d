"""A signed envelope opens only whole, on its own topic, by its own sender."""

import json
from base64 import b64decode, b64encode
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from wire.envelope import MAX_BYTES, seal, unseal
from wire.errors import SAID, ForgedError, TooLargeError, WireError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
TOPIC, BODY = "loquet/casaco/rules", b'{"version":1}'
SEALED = seal(KEY, "server", TOPIC, BODY)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def opened(payload: bytes, by: str = "server", topic: str = TOPIC) -> bytes:
    return unseal(KEY.public_key(), by, topic, payload)


def changed(**parts: Any) -> bytes:
    return json.dumps({**json.loads(SEALED), **parts}).encode()


@given(JSON)
def test_what_was_sealed_comes_out_byte_for_byte(value: Any) -> None:
    body = json.dumps(value).encode()
    assert opened(seal(KEY, "server", TOPIC, body)) == body


def test_the_envelope_is_json_with_sender_signature_and_the_body_as_it_was() -> None:
    assert SEALED.endswith(b',"body":{"version":1}}')
    assert json.loads(SEALED)["by"] == "server"
    assert len(b64decode(json.loads(SEALED)["sig"])) == 64


def test_a_signature_has_one_form() -> None:
    """64 bytes leave four bits of base64 unused: set, they would make another payload of the same signature."""
    sig = json.loads(SEALED)["sig"]
    spare = sig[:-3] + chr(ord(sig[-3]) + 1) + "=="
    assert b64decode(spare) == b64decode(sig)
    with pytest.raises(WireError, match="bits to spare"):
        opened(changed(sig=spare))


def test_a_message_does_not_open_on_another_topic() -> None:
    with pytest.raises(ForgedError, match="signature is not that of 'server'"):
        opened(SEALED, topic="loquet/casaco/rules/fresh")


def test_only_the_expected_sender_may_write_on_a_topic() -> None:
    with pytest.raises(ForgedError, match="signed by 'server', only 'front' may write here"):
        opened(SEALED, by="front")
    with pytest.raises(ForgedError, match="signed by 'front', only 'server' may write here"):
        opened(changed(by="front"))


def test_the_key_of_another_signs_nothing_in_this_name() -> None:
    with pytest.raises(ForgedError, match="signature"):
        opened(seal(OTHER, "server", TOPIC, BODY))


def test_the_sender_s_name_is_signed_too() -> None:
    with pytest.raises(ForgedError, match="signature"):
        unseal(KEY.public_key(), "front", TOPIC, changed(by="front"))


@pytest.mark.parametrize("body", [{"version": 2}, {"version": 1, "more": 1}, [], None, "x"])
def test_an_altered_body_is_found_out(body: Any) -> None:
    with pytest.raises(ForgedError, match="signature"):
        opened(changed(body=body))


def test_even_a_blank_more_is_an_alteration() -> None:
    with pytest.raises(ForgedError, match="signature"):
        opened(SEALED.replace(b'"version":1', b'"version": 1'))


@given(st.integers(0, len(SEALED) * 8 - 1))
def test_whatever_bit_is_turned_nothing_comes_out_that_was_not_signed(position: int) -> None:
    """Four bits of the signature's base64 mean nothing (RFC 4648, section 3.5): turning them alters no byte."""
    altered = bytearray(SEALED)
    altered[position // 8] ^= 1 << position % 8
    with suppress(WireError):
        assert opened(bytes(altered)) == BODY
        assert json.loads(altered)["sig"][:-3] == json.loads(SEALED)["sig"][:-3]


@given(st.binary(max_size=80))
def test_random_bytes_are_no_envelope(payload: bytes) -> None:
    with pytest.raises(WireError, match=TOPIC):
        opened(payload)


@given(JSON)
def test_random_json_is_no_envelope(value: Any) -> None:
    with pytest.raises(WireError):
        opened(json.dumps(value).encode())


@pytest.mark.parametrize(
    "signature", ["", "*", "AAAA", b64encode(bytes(64)).decode(), b64encode(bytes(65)).decode(), "é" * 88, 5, None]
)
def test_what_is_no_signature(signature: Any) -> None:
    with pytest.raises(WireError):
        opened(changed(sig=signature))


@pytest.mark.parametrize("missing", ["by", "sig", "body"])
def test_a_part_left_out(missing: str) -> None:
    parts = json.loads(SEALED)
    del parts[missing]
    with pytest.raises(WireError, match="not a Loquet envelope"):
        opened(json.dumps(parts).encode())


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(WireError, match="not a Loquet envelope"):
        opened(changed(also=1))


def test_json_nested_10_000_deep_is_refused() -> None:
    deep = b"[" * 10_000 + b"]" * 10_000
    for payload in (deep, b'{"by":"server","sig":"AA==","body":' + deep + b"}", b"[" * 10_000):
        with pytest.raises(WireError):
            opened(payload)


def test_more_than_any_honest_message_is_not_read() -> None:
    with pytest.raises(TooLargeError, match=f"{MAX_BYTES + 1} bytes; at most {MAX_BYTES} are read"):
        opened(b" " * (MAX_BYTES + 1))
    whole = seal(KEY, "server", TOPIC, b'"' + b"a" * (MAX_BYTES - 200) + b'"')
    assert len(opened(whole)) == MAX_BYTES - 198


def test_an_error_does_not_repeat_a_long_text_of_the_sender() -> None:
    for payload in (changed(by="x" * 100_000), b'{"' + b"x" * 100_000 + b'":1}'):
        with pytest.raises(WireError) as error:
            opened(payload)
        assert len(str(error.value)) <= SAID
