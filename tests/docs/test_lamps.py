"""Drawings and sheet say what lamp and buzzer do: they are as tools/lamps makes them, and nothing is missing."""

from pathlib import Path

import pytest

from server.text.lamps import AT_A_MACHINE, AT_THE_DOOR, Lamp
from tests.docs.lamp_sheet import files, signals

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(("file", "content"), files().items(), ids=list(files()))
def test_it_is_as_the_code_plays_it(file: str, content: str) -> None:
    assert (ROOT / file).read_text("utf-8") == content, "run tools/lamps"


@pytest.mark.parametrize("lamp", [*AT_THE_DOOR, *AT_A_MACHINE], ids=lambda lamp: lamp.signal)
def test_what_sounds_is_said_to_sound(lamp: Lamp) -> None:
    """For whoever sees no drawing."""
    sounds = any(levels.buzzer for _, levels in signals()[lamp.signal].frames)
    assert sounds == ("bip" in lamp.shows)


def test_every_signal_is_told_once() -> None:
    told = [lamp.signal for lamp in (*AT_THE_DOOR, *AT_A_MACHINE)]
    assert sorted(told) == sorted(signals())
    assert {file.stem for file in (ROOT / "server/static/lamps").iterdir()} == set(told)
