"""A row an hour at most, and how often it was."""

from edge.hourly_count import HourlyCount


def test_the_first_is_told_at_once_and_the_next_after_an_hour_with_all_between() -> None:
    counted = HourlyCount()
    told = [(mono, words) for mono in range(0, 9000, 10) if (words := counted.happened(float(mono))) is not None]
    assert told == [(0, "1 time"), (3600, "360 times since the last such row"), (7200, told[2][1])]
    assert told[2][1] == told[1][1]
