"""Messages between edges and server, and the keyed hash by which they speak of badges."""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, Struct

from policy.terms import ClockState
from wire.credential import KEY_BYTES, pseudonym
from wire.errors import WireError
from wire.messages import Ack, Command, Events, Facts, Fresh, Laid, Reply, Rules, State, Status, decode, encode
from wire.row import Order

RULES = Rules(3, "2026-11-24T09:00:00.000Z", "2026-12-08T09:00:00.000Z", b"\x00\xffbody")
MESSAGES: list[Struct] = [
    RULES,
    Fresh(3, RULES.hash, RULES.issued, RULES.not_after),
    Events("j1", (Raw(b'{"seq":1}'), Raw(b'{"seq":2}'))),
    Ack("j1", 2),
    State(7, "2026-11-24T09:00:00.000Z", b"\x00\xffbody"),
    Facts("j1", (Raw(b'{"seq":4}'), Raw(b'{"seq":9}'))),
    Command("n1", "2026-11-24T09:00:00.000Z", "2026-11-24T09:00:10.000Z", Order.OPEN, "front", "equipe"),
    Command("n2", "2026-11-24T09:00:00.000Z", "2026-11-24T09:00:10.000Z", Order.SET_CLOCK, asked="q"),
    Command("n3", "2026-11-24T09:00:00.000Z", "2026-11-24T09:00:10.000Z", Order.ENROL, "front-in", key="ab" * 32),
    Reply("n1", done=False, why="too late"),
    Reply("n3", done=True, laid=Laid.NEW, sealed=b"\x00\xff"),
    Reply("n3", done=True, laid=Laid.TAKEN, member="alice"),
    Status(online=False),
    Status(True, RULES.issued, "0.1.0", 3, 7, ClockState.RTC, None, {"front-in": None}, 4, None, 41.5, 900),
    Status(True, RULES.issued, clock=ClockState.UNKNOWN, asks="q"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_comes_back_equal(message: Struct) -> None:
    read = decode(type(message), encode(message), "loquet/casaco/x")
    assert encode(read) == encode(message)


def test_the_hash_is_of_the_body_alone() -> None:
    assert RULES.hash == sha256(b"\x00\xffbody").hexdigest()


def test_rows_pass_through_unread() -> None:
    text = b'{"journal":"j1","rows":[{"seq":1,"later":true},5]}'
    assert [bytes(row) for row in decode(Events, text, "x").rows] == [b'{"seq":1,"later":true}', b"5"]


def test_a_last_will_says_only_that_the_edge_is_gone() -> None:
    assert encode(Status(online=False)) == b'{"online":false}'


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Ack, {"journal": "j1"}),
        (Ack, {"journal": "j1", "seq": "2"}),
        (Ack, {"journal": "j1", "seq": 2, "and": 3}),
        (Ack, {"journal": "j1", "seq": 10**400}),
        (Events, {"journal": "j1", "rows": {}}),
        (Rules, {"version": 1, "issued": "", "not_after": "", "body": "not base64!"}),
        (Status, {"online": True, "clock": "sundial"}),
        (Fresh, []),
        (State, {"version": 1, "issued": ""}),
        (Command, {"nonce": "n", "issued": "", "not_after": "", "order": "explode"}),
        (Command, {"nonce": "n", "issued": "", "not_after": "", "order": "open", "forever": True}),
        (Reply, {"nonce": "n", "done": 1}),
    ],
)
def test_what_is_no_such_message_is_refused_with_topic_and_kind(kind: type[Struct], body: Any) -> None:
    with pytest.raises(WireError, match=rf"^loquet/casaco/x: not a {kind.__name__} message \("):
        decode(kind, json.dumps(body).encode(), "loquet/casaco/x")


def test_json_nested_10_000_deep_is_refused() -> None:
    deep = b'{"journal":"j1","rows":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    with pytest.raises(WireError, match="not a Events message"):
        decode(Events, deep, "x")


@given(st.binary(max_size=60), st.sampled_from([Rules, Fresh, State, Facts, Events, Ack, Command, Reply, Status]))
def test_random_bytes_are_no_message(body: bytes, kind: type[Struct]) -> None:
    with pytest.raises(WireError):
        decode(kind, body, "x")


def test_a_pseudonym_is_the_first_half_of_hmac_sha_256() -> None:
    """RFC 4231, test case 1."""
    assert pseudonym(b"\x0b" * 20, b"Hi There") == "b0344c61d8db38535ca8afceaf0bf12b"


@given(st.binary(min_size=4, max_size=10), st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES))
def test_a_badge_has_one_pseudonym_at_each_site(uid: bytes, key: bytes) -> None:
    other_site = bytes(byte ^ 1 for byte in key)
    assert pseudonym(key, uid) == pseudonym(key, uid)
    assert pseudonym(key, uid) != pseudonym(other_site, uid)
    assert uid.hex() not in pseudonym(key, uid)
