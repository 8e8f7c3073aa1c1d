"""Does `loquet init` make a site that holds together, from what is asked, from a file, and of the demo?"""

import tomllib
from pathlib import Path

import pytest

from loquet.bundle import read_bundle
from loquet.main import main

ANSWERS = """
id = "passerelle"
name = "La Passerelle"
holidays = "FR-57"
capacity = 40
tiers = "both"
hours = { mon = "09:00-12:30, 14:00-18:00" }
[doors.front]
name = "Entrée"
out = ""
[machines.laser]
name = "Découpe laser"
"""


def test_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "answers.toml").write_text(ANSWERS, "utf-8")
    assert main(["init", str(tmp_path / "site.json"), "--from", str(tmp_path / "answers.toml")]) == 0
    bundle = read_bundle(tmp_path / "site.json")
    [door], [machine] = bundle.access_points, bundle.machines
    assert (bundle.site.capacity, bundle.site.staff_hours["mon"][1]) == (40, ("14:00", "18:00"))
    assert (door.readers.in_, door.readers.out, machine.reader) == ("front-in", None, "laser")
    assert [kind.name for kind in bundle.kinds] == ["Découpe laser"]


def test_asked_at_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty line takes what is offered."""
    said = iter(["passerelle", "La Passerelle", "", "", "", "fablab", "front back", "laser", *[""] * 7])
    monkeypatch.setattr("builtins.input", lambda _prompt: next(said))
    assert main(["init", str(tmp_path / "site.json")]) == 0
    bundle = read_bundle(tmp_path / "site.json")
    assert [door.id for door in bundle.access_points] == ["front", "back"]
    assert (sorted(bundle.site.staff_hours), bundle.site.capacity) == (["fri", "mon", "thu", "tue", "wed"], None)


def test_of_the_demo(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "site.json"), "--demo"]) == 0
    assert read_bundle(tmp_path / "site.json").site.id == "casaco"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('name = "La', 'nom = "La', "nom: there is no such answer"),
        ('id = "passerelle"', "", "id: is lacking"),
        ('"both"', '"hotel"', "tiers 'hotel': answer one of"),
        ("09:00-12:30", "9 to 12", "hours mon"),
        ("mon =", "lundi =", "hours lundi"),
        ('"FR-57"', '"FR-ZZ"', "FR-ZZ"),
        ("capacity = 40", 'capacity = "beaucoup"', "capacity 'beaucoup'"),
        ('out = ""', 'out = "front-in"', "front-in"),
        ('out = ""', 'aus = "x"', "doors front"),
        ('holidays = "FR-57"', 'timezone = "Paris"', "site.timezone"),
    ],
)
def test_bad_answers_are_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, said: str
) -> None:
    changed = ANSWERS.replace(before, after, 1)
    assert tomllib.loads(changed) != tomllib.loads(ANSWERS)
    (tmp_path / "answers.toml").write_text(changed, "utf-8")
    assert main(["init", str(tmp_path / "site.json"), "--from", str(tmp_path / "answers.toml")]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["answers.toml"]


def test_what_is_there_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "site.json").write_text("mine")
    assert main(["init", str(tmp_path / "site.json"), "--demo"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "site.json").read_text() == "mine"
