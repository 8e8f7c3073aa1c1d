"""Lamp and buzzer: signals and their player."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import patterns
from edge.patterns import AMBER, DARK, GREEN, RED, Levels, Player, Signal
from policy.reasons import Family, Reason, family

SIGNALS = [
    *patterns.OF_FAMILY.values(),
    patterns.CARNET_LOW,
    patterns.TWO_CARDS,
    patterns.NO_RULES,
    patterns.READER_FAULT,
]
SIGNALS += [patterns.DOOR_HELD, patterns.DOOR_FORCED, patterns.SOUND, patterns.TRY_AGAIN]


def heard(player: Player, start: float, seconds: float) -> list[tuple[float, Levels]]:
    """The changes of a lamp over a time, stepping from deadline to deadline."""
    changes, mono = [(start, player.levels(start))], start
    while (due := player.next_change(mono)) is not None and due < start + seconds:
        assert due > mono
        mono = due
        levels = player.levels(mono)
        if levels != changes[-1][1]:
            changes.append((round(mono - start, 6), levels))
    return changes


def test_every_signal_can_be_told_from_every_other_without_colours() -> None:
    shapes = {tuple((seconds, any(levels), levels.buzzer) for seconds, levels in signal.frames) for signal in SIGNALS}
    assert len(shapes) == len(SIGNALS)


def test_every_reason_has_a_signal() -> None:
    assert {family(granted, reason) for granted in (True, False) for reason in Reason} == set(patterns.OF_FAMILY)


def test_a_grant_is_green_and_no_refusal_is() -> None:
    for kind, signal in patterns.OF_FAMILY.items():
        lit = {levels._replace(buzzer=False) for _, levels in signal.frames} - {DARK}
        assert lit == ({GREEN} if kind is Family.GRANTED else {AMBER} if kind is Family.CALL_GARDIEN else {RED})


def test_a_passing_signal_plays_once_and_leaves_the_standing_one() -> None:
    player = Player()
    player.stand(Signal(((1.0, RED), (1.0, DARK)), repeats=True), 0.0)
    player.play(Signal(((0.5, GREEN),)), 10.2)
    assert heard(player, 10.2, 3) == [(10.2, GREEN), (0.5, RED), (0.8, DARK), (1.8, RED), (2.8, DARK)]


def test_nothing_to_show_is_dark_with_no_deadline() -> None:
    player = Player()
    assert (player.levels(5.0), player.next_change(5.0)) == (DARK, None)
    player.play(patterns.TWO_CARDS, 0.0)
    assert (player.levels(100.0), player.next_change(100.0)) == (DARK, None)


def test_a_standing_signal_goes_on_where_it_was_when_said_again() -> None:
    player = Player()
    for mono in (0.0, 0.7, 1.2):
        player.stand(patterns.READER_FAULT, mono)
    assert heard(player, 0.0, 0.4) == [(0.0, RED), (0.1, DARK), (0.25, RED), (0.35, DARK)]


@pytest.mark.parametrize("signal", SIGNALS)
@given(start=st.floats(0, 1e6), jitter=st.floats(0, 0.01))
def test_a_player_never_spins_and_a_passing_signal_ends(signal: Signal, start: float, jitter: float) -> None:
    player = Player()
    player.play(signal, start)
    mono, steps = start, 0
    while (due := player.next_change(mono)) is not None:
        assert due > mono
        mono, steps = due + jitter, steps + 1
        player.levels(mono)
    assert steps <= len(signal.frames)
    assert mono >= start + signal.seconds - 1e-3


def test_frames_last() -> None:
    for signal in SIGNALS:
        assert all(seconds >= 0.05 for seconds, _ in signal.frames)
        assert all(a != b for a, b in pairwise(signal.frames))
