"""A journal row: the same bytes on the edge's disk and on the wire."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.reasons import Reason
from policy.terms import ClockState
from wire.errors import WireError
from wire.row import Kind, Row, decode, encode

TAP = Row(
    seq=7,
    at="2026-11-24T09:00:00.000Z",
    mono_ms=81_000,
    boot="b1",
    clock=ClockState.SYNCED,
    kind=Kind.TAP,
    access_point="front",
    reader="front-in",
    credential="c0ffee",
    member="brigitte",
    granted=True,
    reason=Reason.STAFFED_HOURS,
    rules_version=12,
)


def test_only_what_happened_is_written() -> None:
    rex = Row(seq=1, at="2026-11-24T09:00:00.000Z", mono_ms=0, boot="b1", clock=ClockState.RTC, kind=Kind.REX)
    assert set(json.loads(encode(rex))) == {"seq", "at", "mono_ms", "boot", "clock", "kind"}
    assert json.loads(encode(TAP))["reason"] == "staffed_hours"


def test_no_name_and_no_uid_has_a_place_in_a_row() -> None:
    assert {"name", "uid", "email"}.isdisjoint(Row.__struct_fields__)


rows = st.builds(
    Row,
    seq=st.integers(1, 2**53),
    mono_ms=st.integers(-(2**53), 2**53),
    kind=st.sampled_from(Kind),
    clock=st.sampled_from(ClockState),
    reason=st.none() | st.sampled_from(Reason),
    granted=st.none() | st.booleans(),
    detail=st.none() | st.text(),
    settles=st.none() | st.integers(1, 2**53),
)


@given(rows)
def test_a_row_comes_back_equal(row: Row) -> None:
    assert decode(encode(row), "front") == row
    assert encode(decode(encode(row), "front")) == encode(row)


@pytest.mark.parametrize(
    "change",
    [
        {"seq": "7"},
        {"seq": 7.5},
        {"seq": 2**53 + 1},
        {"seq": 10**400},
        {"mono_ms": -(10**30)},
        {"kind": "party"},
        {"reason": "because"},
        {"clock": None},
        {"granted": 1},
        {"uid": "04B10000"},
    ],
)
def test_what_is_no_row_is_refused_with_its_place(change: dict[str, object]) -> None:
    bad = json.dumps({**json.loads(encode(TAP)), **change}).encode()
    with pytest.raises(WireError, match=r"^edge front, row 3: not a journal row \("):
        decode(bad, "edge front, row 3")


@given(st.binary(max_size=40))
def test_random_bytes_are_no_row(row: bytes) -> None:
    with pytest.raises(WireError):
        decode(row, "front")
