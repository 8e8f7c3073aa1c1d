"""Which taps are a pair: one badge, one reader that leads in, five seconds at most, whatever clock counts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from policy.pairs import PAIR_MS, LastTap, is_second, ms_between
from policy.terms import SECOND, Direction

FIRST = LastTap("front-in", "badge", 100.0)


@pytest.mark.parametrize(
    ("tap", "second"),
    [
        (LastTap("front-in", "badge", 100.0), True),
        (LastTap("front-in", "badge", 105.0), True),
        (LastTap("front-in", "badge", 105.001), False),
        (LastTap("front-in", "other", 101.0), False),
        (LastTap("back-in", "badge", 101.0), False),
    ],
)
def test_the_second_tap_is_the_same_badge_there_within_five_seconds(tap: LastTap, second: bool) -> None:
    assert is_second(FIRST, tap, Direction.IN) is second


def test_nothing_before_or_a_way_out_makes_no_pair() -> None:
    assert not is_second(None, FIRST, Direction.IN)
    assert not is_second(FIRST, FIRST, Direction.OUT)


@given(start=some.integers(0, 4_000_000_000_000), apart=some.integers(0, 2 * PAIR_MS))
def test_edge_and_history_count_alike(start: int, apart: int) -> None:
    """An edge counts from its start, a history in instants: the same two taps are a pair in both, or in neither."""
    by_instant, by_uptime = (
        is_second(LastTap("in", "b", since / SECOND), LastTap("in", "b", (since + apart) / SECOND), Direction.IN)
        for since in (start, start % 1_000_000)
    )
    assert by_instant is by_uptime is (apart <= PAIR_MS)


@given(start=some.integers(0, 10**9), ms=some.integers(0, 10**7))
def test_milliseconds_between_floats_are_whole(start: int, ms: int) -> None:
    assert ms_between(start / 1000, (start + ms) / 1000) == ms
