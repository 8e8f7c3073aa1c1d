"""Is every signal of a door recognised from what the lamp does?"""

import pytest

from edge.patterns import DARK, Levels, Player
from policy.reasons import Family
from simulator.demo.lamp import SIGNALS, SILENCE, Lamp

START = 1_000_000
STANDING = (
    "no_rules", "reader_fault", "door_held", "machine_on", "machine_ends_soon", "machine_overrun", "machine_stopped",
    "machine_locked_out",
)  # fmt: skip


def play(lamp: Lamp, player: Player, start: int, seconds: float, between: int = 0) -> int:
    """Let the player drive the lamp as a controller does, output by output, for so long. The end, ms.

    between: the ms from one output to the next.
    """
    mono, shown = 0.0, lamp.levels
    while mono < seconds:
        levels = player.levels(mono)
        moved = [name for name in Levels._fields if getattr(levels, name) != getattr(shown, name)]
        for number, name in enumerate(moved):
            lamp.move(name, getattr(levels, name), start + round(mono * 1000) + number * between)
        shown = levels
        following = player.next_change(mono)
        mono = seconds if following is None else following
    return start + round(seconds * 1000)


def played(name: str, seconds: float, lamp: Lamp | None = None, start: int = START) -> tuple[Lamp, int]:
    lamp = lamp or Lamp(name.startswith("machine_"))
    signal, player = SIGNALS[name], Player()
    if signal.repeats:
        player.stand(signal, 0.0)
    else:
        player.play(signal, 0.0)
    return lamp, play(lamp, player, start, seconds)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_is_known_once_it_was_seen(name: str) -> None:
    lamp, now = played(name, SIGNALS[name].seconds)
    assert lamp.signal(now) == name


@pytest.mark.parametrize("name", SIGNALS)
def test_a_busy_machine_that_sets_one_output_after_the_other_is_no_other_signal(name: str) -> None:
    player = Player()
    (player.stand if SIGNALS[name].repeats else player.play)(SIGNALS[name], 0.0)
    lamp = Lamp(name.startswith("machine_"))
    now = play(lamp, player, START, SIGNALS[name].seconds, between=20)
    assert lamp.signal(now) == name


@pytest.mark.parametrize("name", SIGNALS)
def test_it_is_known_again_when_it_follows_another(name: str) -> None:
    lamp, now = played("granted", 1.0, Lamp(name.startswith("machine_")))
    lamp, now = played(name, SIGNALS[name].seconds, lamp, now)
    assert lamp.signal(now) == name


@pytest.mark.parametrize("name", [name for name, signal in SIGNALS.items() if not signal.repeats])
def test_that_a_badge_was_enrolled_is_told_from_every_other_end(name: str) -> None:
    lamp, now = played("lay_here", 3.0)
    lamp, _ = played(name, SIGNALS[name].seconds + 0.5, lamp, now)
    assert lamp.gave(SIGNALS["enrolled"]) is (name == "enrolled")


@pytest.mark.parametrize("name", STANDING)
def test_a_standing_signal_stays_known(name: str) -> None:
    lamp, now = played(name, 300.0)
    assert lamp.signal(now) == name


@pytest.mark.parametrize(
    ("name", "seconds"),
    [(name, seconds) for name in STANDING for seconds in (1.0, 5.0, 61.0) if seconds >= SIGNALS[name].frames[0][0]],
)
def test_a_standing_signal_is_known_when_it_has_just_ended(name: str, seconds: float) -> None:
    lamp, now = played(name, seconds)
    for light, on in zip(Levels._fields, lamp.levels, strict=True):
        if on:
            lamp.move(light, False, now)
    assert lamp.levels == DARK
    assert lamp.signal(now + 500) == name


def test_a_lamp_that_stays_dark_says_nothing_any_more() -> None:
    lamp, now = played(Family.SEE_DESK, 3.0)
    assert lamp.levels == DARK
    assert lamp.signal(now) == Family.SEE_DESK
    assert lamp.signal(now + SILENCE) is None


def test_the_end_of_a_signal_at_a_door_is_none_of_a_machine() -> None:
    lamp = Lamp()
    lamp.move("green", True, START)
    lamp.move("green", False, START + 80)
    assert not (lamp.signal(START + 1_000) or "").startswith("machine_")


def test_a_dark_lamp_has_never_said_anything() -> None:
    assert Lamp().signal(START) is None


def test_without_power_it_is_dark() -> None:
    lamp, now = played("door_held", 10.0)
    lamp.off()
    assert (lamp.levels, lamp.signal(now)) == (DARK, None)
