"""The bars of a day stand in the picture, side by side, as high as their numbers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from server.text.chart import BASE, TOP, WIDTH, bars

counts = st.lists(st.none() | st.integers(0, 500), min_size=1, max_size=25)


def placed(numbers: list[int | None]) -> list[tuple[float, float]]:
    return [(bar.x, bar.height) for bar in bars(numbers, [str(n) for n in range(len(numbers))])]


def test_no_hours_no_bars() -> None:
    assert bars([], []) == []


def test_the_highest_reaches_the_top() -> None:
    [low, high, none] = bars([5, 10, None], ["8 h", "9 h", "10 h"])
    assert (high.y, high.height) == (TOP, BASE - TOP)
    assert low.height == (BASE - TOP) / 2
    assert (none.height, none.count, none.shown) == (0, None, False)


def test_the_highest_and_the_latest_bear_their_number() -> None:
    drawn = bars([4, 9, 9, 3], ["8 h", "9 h", "10 h", "11 h"])
    assert [bar.shown for bar in drawn] == [False, True, False, True]
    assert [bar.latest for bar in drawn] == [False, False, False, True]


def test_an_empty_day_is_flat() -> None:
    drawn = bars([0, 0], ["8 h", "9 h"])
    assert [(bar.height, bar.y, bar.shown) for bar in drawn] == [(0, BASE, False)] * 2


@given(numbers=counts)
def test_bars_stay_in_the_picture_and_apart(numbers: list[int | None]) -> None:
    drawn = bars(numbers, ["h"] * len(numbers))
    assert len(drawn) == len(numbers)
    for bar in drawn:
        assert bar.x >= 0
        assert bar.x + bar.width <= WIDTH + 0.2
        assert TOP <= bar.y <= BASE
        assert abs(bar.y + bar.height - BASE) < 0.11
    for left, right in pairwise(drawn):
        assert left.x + left.width < right.x


@given(numbers=counts)
def test_more_people_are_never_a_lower_bar(numbers: list[int | None]) -> None:
    by_count = sorted((bar.count or 0, bar.height) for bar in bars(numbers, ["h"] * len(numbers)))
    assert [height for _, height in by_count] == sorted(height for _, height in by_count)


@given(numbers=counts)
def test_labels_are_few_enough_to_read(numbers: list[int | None]) -> None:
    labels = [bar.label for bar in bars(numbers, [f"{n} h" for n in range(len(numbers))])]
    assert labels[0] == "0 h"
    assert 1 <= len([label for label in labels if label]) <= 7
