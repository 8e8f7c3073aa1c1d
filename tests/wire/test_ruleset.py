"""A rule set travels as compressed JSON: the same bytes for the same rules, and nothing else unpacks."""

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wire.packing
from tests.support_policy import ruling
from wire.errors import TooLargeError, WireError
from wire.packing import MAX_UNPACKED
from wire.ruleset import pack, unpack

RULES = ruling()
PACKED = pack(RULES)


def test_there_and_back() -> None:
    assert unpack(PACKED) == RULES
    assert pack(unpack(PACKED)) == PACKED


def test_keys_are_sorted_so_that_the_order_of_building_does_not_show() -> None:
    written = zlib.decompress(PACKED)
    assert written == json.dumps(json.loads(written), sort_keys=True, separators=(",", ":")).encode()


def test_a_bomb_is_refused_before_it_fills_the_memory() -> None:
    bomb = zlib.compress(b" " * (MAX_UNPACKED + 1), 9)
    assert len(bomb) < 100_000
    with pytest.raises(TooLargeError, match=f"unpacks to more than {MAX_UNPACKED} bytes"):
        unpack(bomb)


def test_the_limit_itself_is_no_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire.packing, "MAX_UNPACKED", len(zlib.decompress(PACKED)))
    assert unpack(PACKED) == RULES
    monkeypatch.setattr(wire.packing, "MAX_UNPACKED", len(zlib.decompress(PACKED)) - 1)
    with pytest.raises(WireError):
        unpack(PACKED)


@given(st.integers(0, len(PACKED) - 1))
def test_a_rule_set_cut_off_anywhere_is_refused(length: int) -> None:
    with pytest.raises(WireError):
        unpack(PACKED[:length])


@given(st.binary(max_size=60))
def test_random_bytes_and_random_contents_are_refused(body: bytes) -> None:
    for bad in (body, zlib.compress(body)):
        with pytest.raises(WireError, match="rule set"):
            unpack(bad)


@pytest.mark.parametrize(
    "change",
    [
        {"staffed": [1.5]},
        {"readers": {"front-in": {"access_point": "front", "direction": "up", "edge": None}}},
        {"tiers": {"t": {"grounds": ["royal"]}}},
        {"holidays": []},
        {"days": None},
    ],
)
def test_what_is_no_rule_set_is_refused(change: dict[str, object]) -> None:
    bad = json.dumps({**json.loads(zlib.decompress(PACKED)), **change}).encode()
    with pytest.raises(WireError, match="rule set: cannot be read"):
        unpack(zlib.compress(bad))


def test_json_nested_10_000_deep_is_refused() -> None:
    for deep in (b"[" * 10_000, b'{"days":' + b"[" * 10_000 + b"]" * 10_000 + b"}"):
        with pytest.raises(WireError):
            unpack(zlib.compress(deep))
