"""How long is waited, and when another machine is suspected."""

import pytest

from wire.pauses import SUSPECT, Pauses


def test_where_nobody_answers_the_pause_grows_to_the_longest() -> None:
    pauses = Pauses(1, 30)
    assert [pauses.after(None, ended=False) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert not pauses.twin


def test_connections_that_are_soon_ended_are_waited_for_longer_each_time_and_arouse_suspicion() -> None:
    pauses = Pauses(1, 30)
    seen = [(pauses.after(0.1, ended=True), pauses.twin) for _ in range(6)]
    assert seen == [(1, False), (2, False), (4, True), (8, True), (16, True), (30, True)]


def test_two_that_end_each_other_come_to_rest_at_the_longest_pause_and_never_stop_suspecting() -> None:
    """Each stands for as long as the other waits; neither takes that for lasting."""
    ours, theirs = Pauses(1, 30), Pauses(1, 30)
    stood = 0.0
    for _ in range(20):
        stood = theirs.after(stood, ended=True)
        stood = ours.after(stood, ended=True)
    assert stood == 30
    assert ours.twin
    assert theirs.twin


@pytest.mark.parametrize(("stood", "ended"), [(60.0, True), (0.1, False)])
def test_one_that_lasts_or_that_we_ended_begins_anew(stood: float, ended: bool) -> None:
    pauses = Pauses(1, 30)
    for _ in range(SUSPECT):
        pauses.after(0.1, ended=True)
    assert pauses.after(stood, ended=ended) == 1
    assert not pauses.twin


def test_a_broker_that_crashes_again_and_again_is_no_twin() -> None:
    """While it starts, nobody is let in."""
    pauses = Pauses(1, 30)
    for _ in range(SUSPECT):
        pauses.after(0.1, ended=True)
        pauses.after(None, ended=False)
    assert not pauses.twin
