"""Which lines may be used, and when an input counts as changed."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.hardware.lines import InputSpec, LineError, OutputSpec, Pull, Steady, check_lines


def test_lines_of_their_own_are_fine() -> None:
    check_lines([OutputSpec("strike", 17), OutputSpec("buzzer", 18)], [InputSpec("contact", 22)])


@pytest.mark.parametrize(
    ("outputs", "inputs"),
    [
        ([OutputSpec("strike", 17), OutputSpec("buzzer", 17)], []),
        ([OutputSpec("strike", 17)], [InputSpec("buzzer", 17)]),
        ([], [InputSpec("strike", 17), InputSpec("buzzer", 17)]),
    ],
)
def test_a_line_used_twice_names_both(outputs: list[OutputSpec], inputs: list[InputSpec]) -> None:
    with pytest.raises(LineError, match="GPIO17 is used twice, by strike and by buzzer"):
        check_lines(outputs, inputs)


def test_a_name_used_twice_names_both_lines() -> None:
    with pytest.raises(LineError, match="strike names two lines, GPIO17 and GPIO18"):
        check_lines([OutputSpec("strike", 17)], [InputSpec("strike", 18)])


def test_pull_is_a_word_of_the_config() -> None:
    assert [Pull(word) for word in ("up", "down", "none")] == [Pull.UP, Pull.DOWN, Pull.NONE]


def test_the_first_sample_always_counts() -> None:
    assert Steady(3).sample(False)


def changes(stable_ms: int, levels: list[bool]) -> list[tuple[int, bool]]:
    steady = Steady(InputSpec("contact", 22, stable_ms=stable_ms).samples)
    return [(index, level) for index, level in enumerate(levels) if steady.sample(level)]


@pytest.mark.parametrize(("stable_ms", "after"), [(0, 1), (10, 1), (11, 2), (20, 2), (30, 3), (100, 10)])
def test_a_level_counts_after_its_time(stable_ms: int, after: int) -> None:
    assert changes(stable_ms, [False] * 5 + [True] * 20) == [(0, False), (4 + after, True)]


def test_a_bounce_starts_the_time_anew() -> None:
    assert changes(30, [False, True, True, False, True, True, True]) == [(0, False), (6, True)]


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 6))
def test_what_counts_is_a_run_long_enough(levels: list[bool], needed: int) -> None:
    """An independent reading: cut the samples into runs; each run long enough sets the value where it differs."""
    expected, index, value = [(0, levels[0])], 0, levels[0]
    for level, run in groupby(levels):
        length = len(list(run))
        if level != value and length >= needed:
            value = level
            expected.append((index + needed - 1, level))
        index += length
    assert changes(needed * 10, levels) == expected
