"""Scenarios played in virtual time: the examples hold, what does not hold is said, what is no scenario is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from loquet.main import main

SCENARIOS = sorted((Path(__file__).parents[1] / "scenarios").glob("*.json"))
EXAMPLE = json.loads((Path(__file__).parents[1] / "scenarios" / "carnet.json").read_text())


def played(capsys: pytest.CaptureFixture[str], *files: Path) -> tuple[int, list[dict[str, Any]], str]:
    status = main(["replay", *map(str, files)])
    said = capsys.readouterr()
    return status, [json.loads(line) for line in said.out.splitlines()], said.err


def written(folder: Path, **changes: Any) -> Path:
    file = folder / "scenario.json"
    file.write_text(json.dumps(EXAMPLE | changes))
    return file


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_the_examples_hold(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, err = played(capsys, file)
    assert (status, err) == (0, "")
    assert [line["step"] for line in lines] == list(range(1, len(json.loads(file.read_text())["steps"]) + 1))


def test_the_same_lines_each_time_and_in_any_company(capsys: pytest.CaptureFixture[str]) -> None:
    _, together, _ = played(capsys, *SCENARIOS)
    _, backwards, _ = played(capsys, *reversed(SCENARIOS))
    assert sorted(map(json.dumps, together)) == sorted(map(json.dumps, backwards))


def test_what_does_not_hold_is_said_step_by_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = [dict(step) for step in EXAMPLE["steps"]]
    steps[0] = steps[0] | {"expect": {"granted": False, "reason": "site_full", "until": "2026-11-24T10:00:00Z"}}
    steps[1] = steps[1] | {"expect": {"pass_left": {"noemie": 7}, "history": {"taps": 9}}}
    file = written(tmp_path, steps=steps)
    status, _, err = played(capsys, file)
    assert status == 1
    assert f'{file} step 1: expected reason "site_full" got "staffed_hours"' in err
    assert f'{file} step 2: expected pass_left {{"noemie": 7}} got {{"noemie": 1}}' in err
    assert err.count("expected") == 5


def test_a_bundle_may_lie_beside_the_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "site.json").write_text(json.dumps(EXAMPLE["bundle"]))
    assert played(capsys, written(tmp_path, bundle="site.json"))[0] == 0


TAP = {"at": "2026-11-24T10:00+01:00", "tap": {"reader": "front-in", "uid": "04D40000"}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "loquet.scenario/9"}, "format"),
        ({"colour": "red"}, "colour"),
        ({"start": "2026-11-24T08:00"}, "start '2026-11-24T08:00'"),
        ({"bundle": "nowhere.json"}, "nowhere.json"),
        ({"bundle": {}}, "bundle: format"),
        ({"edges": {"a": ["attic"]}}, "edges.a: 'attic'"),
        ({"edges": {"a": ["front"], "b": ["front"]}}, "edges.b: 'front' belongs to an edge already"),
        ({"steps": [TAP, TAP | {"at": "2026-11-24T09:00+01:00"}]}, "steps[1]: at '2026-11-24T09:00+01:00' is before"),
        ({"steps": [TAP | {"tap": {"reader": "attic", "uid": "04D40000"}}]}, "tap.reader 'attic'"),
        ({"steps": [TAP | {"tap": {"reader": "front-in", "uid": "04D4"}}]}, "tap.uid '04D4'"),
        ({"steps": [TAP | {"taps": 0}]}, "taps 0"),
        ({"steps": [TAP | {"lockdown": True}]}, "a step does one thing"),
        ({"steps": [{"at": TAP["at"]}]}, "nothing happens"),
        ({"steps": [{"at": TAP["at"], "link": {"edge": "attic", "up": True}}]}, "link.edge 'attic'"),
        ({"steps": [{"at": TAP["at"], "power": {"edge": "front", "up": True, "clock": "dim"}}]}, "clock"),
        ({"steps": [{"at": TAP["at"], "estop": {"machine": "saw"}}]}, "estop.machine 'saw'"),
        ({"steps": [{"at": TAP["at"], "change": {"moods": []}}]}, "change.moods"),
        ({"steps": [{"at": TAP["at"], "change": {"members": [{"name": "X"}]}}]}, "lacks its key"),
        ({"steps": [{"at": TAP["at"], "change": {"site": {"capacity": "many"}}}]}, "capacity"),
        ({"steps": [{"at": TAP["at"], "remove": {"members": ["nobody"]}}]}, "remove.members 'nobody'"),
        ({"steps": [{"at": TAP["at"], "remove": {"tiers": ["carnet"]}}]}, "steps[0]"),
        ({"steps": [{"at": TAP["at"], "expect": {"pass_left": {"nobody": 1}}}]}, "'nobody'"),
    ],
)
def test_what_is_no_scenario_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], words: str
) -> None:
    file = written(tmp_path, **changes)
    status, _, err = played(capsys, file)
    assert status == 2
    assert words in err
    assert str(file) in err


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = played(capsys, tmp_path / "nothing.json")
    assert (status, "nothing.json: cannot be read" in err) == (2, True)
