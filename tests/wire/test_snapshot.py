"""The state of a site travels whole: what it says, and up to which row of which journal."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, Stopped
from policy.sessions import Session
from wire.errors import WireError
from wire.snapshot import Snapshot, pack, unpack

FACTS: tuple[Fact, ...] = (
    Moved("alice", 5, inside=True),
    Paid("zoe", 6),
    Paid("zoe", "2026-11-24pm"),
    Opened("gregoire", 7, 8),
    Ran(Session("cnc", "cnc", "remy", 9, until=20, cuts=True)),
    Busy("cnc", "zoe", 10),
    Stopped("laser", stopped=True),
)
STATE = Snapshot(lockdown=True, facts=FACTS, positions={"front": {"j1": 4, "j0": 2}, "garage": {}})
PACKED = pack(STATE)


def test_every_sort_of_fact_comes_back() -> None:
    assert unpack(PACKED) == STATE
    assert pack(unpack(PACKED)) == PACKED


@given(st.integers(0, len(PACKED) - 1))
def test_a_state_cut_off_anywhere_is_refused(length: int) -> None:
    with pytest.raises(WireError, match="state"):
        unpack(PACKED[:length])


@pytest.mark.parametrize(
    "plain",
    [
        b"{}",
        b'{"lockdown":1,"facts":[],"positions":{}}',
        b'{"lockdown":false,"facts":[{"type":"Rumour"}],"positions":{}}',
        b'{"lockdown":false,"facts":[],"positions":{"front":{"j":1.5}}}',
        b'{"lockdown":false,"facts":[],"positions":{},"more":1}',
        b"[" * 10_000,
    ],
)
def test_what_is_no_state_is_refused(plain: bytes) -> None:
    with pytest.raises(WireError, match="state: cannot be read"):
        unpack(zlib.compress(plain))
