"""Intervals kept flat: the answers are those of a plain list of pairs."""

from hypothesis import given
from hypothesis import strategies as st

from policy.spans import covers, end_of, last_end, next_change, next_start, pairs, spans

PAIRS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def test_overlapping_and_touching_intervals_merge_and_empty_ones_go() -> None:
    assert spans([(5, 7), (1, 3), (3, 4), (6, 9), (8, 8), (12, 11)]) == (1, 4, 5, 9)
    assert spans([(1, 10), (2, 3)]) == (1, 10)
    assert spans([]) == ()


@given(PAIRS)
def test_they_rise_strictly(pairs: list[tuple[int, int]]) -> None:
    flat = spans(pairs)
    assert len(flat) % 2 == 0
    assert list(flat) == sorted(set(flat))


@given(PAIRS, st.integers(-1, 61))
def test_an_instant_is_covered_when_a_pair_holds_it(pairs: list[tuple[int, int]], at: int) -> None:
    assert covers(spans(pairs), at) == any(start <= at < end for start, end in pairs)


@given(PAIRS, st.integers(-1, 61))
def test_the_end_of_what_covers(pairs: list[tuple[int, int]], at: int) -> None:
    flat = spans(pairs)
    expected = next(end for end in range(at, 62) if not covers(flat, end)) if covers(flat, at) else None
    assert end_of(flat, at) == expected


@given(PAIRS, st.integers(-1, 61))
def test_the_change_that_follows(pairs: list[tuple[int, int]], at: int) -> None:
    flat = spans(pairs)
    assert next_change(flat, at) == min((change for change in flat if change > at), default=None)


@given(PAIRS)
def test_pairs_and_back(given_: list[tuple[int, int]]) -> None:
    flat = spans(given_)
    assert spans(pairs(flat)) == flat


@given(PAIRS, st.integers(-1, 61))
def test_the_start_that_follows_and_the_end_that_went_before(pairs: list[tuple[int, int]], at: int) -> None:
    flat = spans(pairs)
    assert next_start(flat, at) == min((start for start in flat[::2] if start > at), default=None)
    assert last_end(flat, at) == max((end for end in flat[1::2] if end <= at), default=None)
