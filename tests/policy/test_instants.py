"""Instants as text, and back."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.instants import instant, of, text

FIRST, LAST = instant("0001-01-01T00:00:00Z"), instant("9999-12-31T23:59:59.999Z")


def test_rfc_3339_in_utc_with_milliseconds() -> None:
    assert text(0) == "1970-01-01T00:00:00.000Z"
    assert text(instant("2026-11-24T10:00:00.5+01:00")) == "2026-11-24T09:00:00.500Z"


@given(st.integers(FIRST, LAST))
def test_there_and_back(at: int) -> None:
    assert instant(text(at)) == at


def test_a_time_without_offset_is_refused_with_a_remedy() -> None:
    with pytest.raises(ValueError, match=r"2026-11-24T09:00:00 has no offset from UTC: add one"):
        of(datetime(2026, 11, 24, 9))  # noqa: DTZ001 - naive is what is refused here


@pytest.mark.parametrize("written", ["", "today", "2026-13-01T00:00:00Z", "2026-11-24T09:00:00"])
def test_what_is_no_instant(written: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        instant(written)


def test_no_text_beyond_the_year_9999() -> None:
    with pytest.raises(OverflowError):
        text(LAST + 1)
