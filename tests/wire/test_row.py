"""A journal row: the same bytes on the edge's disk and on the wire."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.reasons import Reason
from policy.terms import ClockState
from wire.errors import TooLargeError, WireError
from wire.row import DETAIL, LONGEST, MAX_BYTES, PLACES, Kind, Place, Row, check_instants, decode, encode

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
    detail=st.none() | st.text(max_size=DETAIL),
    settles=st.none() | st.integers(1, 2**31 - 1),
    boot=st.text(max_size=LONGEST),
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
        {"member": "m" * (LONGEST + 1)},
        {"machine_kind": "k" * (LONGEST + 1)},
        {"rules_version": -1},
        {"settles": 2**31},
    ],
)
def test_what_is_no_row_is_refused_with_its_place(change: dict[str, object]) -> None:
    bad = json.dumps({**json.loads(encode(TAP)), **change}).encode()
    with pytest.raises(WireError, match=r"^edge front, row 3: not a journal row \("):
        decode(bad, "edge front, row 3")


def test_the_largest_row_is_read_and_nothing_larger() -> None:
    room = MAX_BYTES - len(encode(replace(TAP, detail="")))
    largest = encode(replace(TAP, detail="a" * room))
    assert decode(largest, "front").detail == "a" * room
    with pytest.raises(TooLargeError, match=f"^front: a row of {MAX_BYTES + 1} bytes; at most {MAX_BYTES} are read"):
        decode(largest + b" ", "front")


def test_an_honest_row_fits_whatever_its_fault_says() -> None:
    most = dict.fromkeys(("boot", "access_point", "reader", "credential", "member", "nonce"), "é" * LONGEST)
    assert len(encode(replace(TAP, detail="é" * DETAIL, **most))) < MAX_BYTES


def test_every_kind_has_its_places() -> None:
    assert set(PLACES) == set(Kind)
    assert set().union(*PLACES.values()) == set(Place)


INSTANTS = ("at", "until", "pays", "adhoc_until", "started", "ended")


@pytest.mark.parametrize("field", INSTANTS)
@pytest.mark.parametrize(
    "written",
    ["0001-01-01T00:00:00+14:00", "1999-12-31T23:59:59.999Z", "2100-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"],
)
def test_an_instant_outside_our_century_is_not_believed(field: str, written: str) -> None:
    check_instants(TAP)
    with pytest.raises(ValueError, match="is not from 2000 to 2099, and so not believed"):
        check_instants(replace(TAP, **{field: written}))


@pytest.mark.parametrize("written", ["", "noon", "2026-11-24T09:00:00", "2026-02-30T09:00:00Z", "\0"])
@pytest.mark.parametrize("field", INSTANTS)
def test_what_is_no_instant_is_none(field: str, written: str) -> None:
    with pytest.raises(ValueError, match=r"offset|Invalid isoformat|day"):
        check_instants(replace(TAP, **{field: written}))


def test_what_a_lost_clock_reads_need_not_be_near() -> None:
    check_instants(replace(TAP, at="1970-01-01T00:00:10.000Z", clock=ClockState.UNKNOWN))


@given(st.binary(max_size=40))
def test_random_bytes_are_no_row(row: bytes) -> None:
    with pytest.raises(WireError):
        decode(row, "front")
