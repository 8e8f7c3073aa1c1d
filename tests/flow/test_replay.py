"""Scenarios played in virtual time: the examples hold, what does not hold is said, what is no scenario is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from loquet.main import main

SCENARIOS = sorted((Path(__file__).parents[1] / "scenarios").glob("*.json"))
TRICKY = sorted((Path(__file__).parents[1] / "scenarios" / "tricky").glob("*.json"))
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


def test_the_tricky_stories_hold(capsys: pytest.CaptureFixture[str]) -> None:
    """Instants at the edge, lines in order, edges cut off: each expectation was derived from the text alone."""
    status, _, err = played(capsys, *TRICKY)
    assert (status, err) == (0, "")


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


def test_a_scenario_s_taps_are_taps_however_close(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a reader would not take for a tap (a trembling hand, a field through the wall) no scenario can tell."""
    tap = EXAMPLE["steps"][0]["tap"]
    close = [("10:00:00", "front-in"), ("10:00:00.040", "front-out"), ("10:00:00.080", "front-in")]
    steps = [{"at": f"2026-11-24T{at}+01:00", "tap": tap | {"reader": reader}} for at, reader in close]
    status, lines, _ = played(capsys, written(tmp_path, steps=steps))
    assert (status, [line["reason"] for line in lines]) == (0, ["staffed_hours", "egress", "staffed_hours"])


def test_a_bundle_may_lie_beside_the_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "site.json").write_text(json.dumps(EXAMPLE["bundle"]))
    assert played(capsys, written(tmp_path, bundle="site.json"))[0] == 0


GARDE = {"id": "mardi", "weekday": "tue", "from": "18:00", "to": "22:00", "gardien": "noemie"}
TAP = {"at": "2026-11-24T10:00+01:00", "tap": {"reader": "front-in", "uid": "04D40000"}}

CORRECT = {"member": "noemie", "inside": True, "by": "alice"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "loquet.scenario/9"}, "format"),
        ({"colour": "red"}, "colour"),
        ({"start": "2026-11-24T08:00"}, "start '2026-11-24T08:00'"),
        ({"start": "0001-01-01T00:00Z"}, "start '0001-01-01T00:00Z': write a year from 1900 to 2999"),
        ({"steps": [TAP | {"at": "9999-12-31T23:59Z"}]}, "at '9999-12-31T23:59Z': write a year from 1900 to 2999"),
        ({"bundle": "nowhere.json"}, "nowhere.json"),
        ({"bundle": {}}, "bundle: format"),
        ({"edges": {"a": ["attic"]}}, "edges.a: 'attic'"),
        ({"edges": {"a": ["front"], "b": ["front"]}}, "edges.b: 'front' belongs to an edge already"),
        ({"steps": [TAP, TAP | {"at": "2026-11-24T09:00+01:00"}]}, "steps[1]: at '2026-11-24T09:00+01:00' is before"),
        ({"steps": [TAP | {"tap": {"reader": "attic", "uid": "04D40000"}}]}, "tap.reader 'attic'"),
        ({"steps": [TAP | {"tap": {"reader": "front-in", "uid": "04D4"}}]}, "tap.uid '04D4'"),
        ({"steps": [{"at": TAP["at"], "extend": {"machine": "saw"}}]}, "extend.machine 'saw'"),
        ({"steps": [{"at": TAP["at"], "correct": {"member": "nobody", "inside": True}}]}, "correct.member 'nobody'"),
        ({"steps": [{"at": TAP["at"], "correct": {"member": "noemie"}}]}, "steps[0].correct"),
        ({"steps": [{"at": TAP["at"], "correct": CORRECT | {"by": "noemie"}}]}, "nobody corrects themselves"),
        ({"steps": [{"at": TAP["at"], "correct": CORRECT | {"at": "2026-11-25T10:00Z"}}]}, "is later than the step"),
        ({"steps": [{"at": TAP["at"], "expect": {"bank": {"nobody": 0}}}]}, "'nobody' is expected to have something"),
        ({"steps": [{"at": TAP["at"], "expect": {"slots": {"mardi/24 nov": None}}}]}, "'24 nov' is no date"),
        ({"format": "loquet.bundle/1"}, "is a bundle: `loquet bundle check` reads it"),
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


def test_what_changes_no_decision_yet_is_stored_and_removed_by_its_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gap = {key: value for key, value in GARDE.items() if key != "gardien"}
    change = {"rota": "mardi", "date": "2026-11-24"}
    credit = {"id": "k", "member": "noemie", "minutes": 60, "date": "2026-11-24", "why": "travaux", "by": "alice"}
    steps = [
        does(0, change={"rota": [gap], "rota_changes": [change], "kinds": [{"id": "saw"}], "credits": [credit]}),
        does(1, change={"rota_changes": [change | {"cancelled": True}], "site": {"rota_notice": 24}}),
        does(2, remove={"rota_changes": [["mardi", "2026-11-24"]], "kinds": ["saw"], "credits": ["k"]}),
        does(3, remove={"rota": ["mardi"]}),
        does(4, expect={"inside": []}),
    ]
    assert played(capsys, written(tmp_path, steps=steps))[::2] == (0, "")


def test_every_mistake_of_a_story_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = [
        does(1, tap={"reader": "attic", "uid": "04C30000"}),
        does(2, change={"members": [{"id": "remy", "name": "R", "tier": "none"}]}),
        does(0, lockdown=True),
        tap(5, "front-in", "always"),
        does(6, remove={"members": ["nobody"]}),
    ]
    file = written(tmp_path, start="soon", edges={"a": ["attic"]}, steps=steps)
    status, _, err = played(capsys, file)
    assert status == 2
    first, *others = err.removeprefix("loquet replay: ").splitlines()
    places = [line.removeprefix(f"{file}: ").split()[0] for line in (first, *others)]
    assert places == ["edges.a:", "start", "steps[0]:", "steps[1]:", "steps[4]:"]


def test_a_badge_is_laid_on_and_changed_in_any_way_of_writing_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = {"uid": "04:c3:00:00", "member": "remy", "status": "lost"}
    asked = {"reader": "front-in", "uid": "0x04 0xC3 0x00 0x00"}
    steps = [
        does(0, tap=asked, expect={"granted": True}),
        does(1, change={"credentials": [lost]}),
        does(2, tap=asked, expect={"reason": "credential_blocked"}),
        does(3, remove={"credentials": ["04-C3-00-00"]}),
        does(4, tap=asked, expect={"reason": "unknown_credential"}),
    ]
    assert played(capsys, written(tmp_path, steps=steps))[::2] == (0, "")


def test_a_key_that_stands_twice_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, steps=[TAP])
    file.write_text(file.read_text().replace('"reader": ', '"reader": "attic", "reader": ', 1))
    status, _, err = played(capsys, file)
    assert status == 2
    assert f'{file}: steps[0].tap.reader (of "04D40000") is "front-in": it is given twice, first as "attic"' in err


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = played(capsys, tmp_path / "nothing.json")
    assert (status, "nothing.json: cannot be read" in err) == (2, True)


BACK = {"id": "back", "readers": {"in": "back-in", "out": "back-out"}}
SAW = {"id": "saw", "kind": "saw", "reader": "saw"}
CERTIFIED = [{"member": "remy", "kind": "saw"}]


def tap(minute: int, reader: str, reason: str | None) -> dict[str, Any]:
    expect = {} if reason is None else {"expect": {"granted": True, "reason": reason}}
    return {"at": f"2026-11-24T10:{minute:02}+01:00", "tap": {"reader": reader, "uid": "04C30000"}} | expect


def does(minute: int, **step: Any) -> dict[str, Any]:
    return {"at": f"2026-11-24T10:{minute:02}+01:00"} | step


@pytest.mark.parametrize("edges", [None, {"hall": ["front"]}])
def test_a_change_may_bring_a_door_and_a_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], edges: dict[str, Any] | None
) -> None:
    """Each has an edge of its own, named after it, with the rules of the site."""
    steps = [
        does(0, change={"access_points": [BACK], "machines": [SAW], "certifications": CERTIFIED}),
        tap(1, "back-in", "always"),
        tap(2, "saw", "walk_up"),
        does(3, expect={"inside": ["remy"], "running": {"saw": "remy"}}),
        does(4, link={"edge": "back", "up": False}),
        does(5, estop={"machine": "saw"}),
        does(6, expect={"running": {"saw": None}}),
    ]
    file = written(tmp_path, steps=steps, **({} if edges is None else {"edges": edges}))
    assert played(capsys, file)[::2] == (0, "")


def test_readers_may_change_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    front, back = {"in": "back-in", "out": "front-out"}, {"in": "front-in", "out": "back-out"}
    steps = [
        does(0, change={"access_points": [BACK]}),
        does(1, change={"access_points": [{"id": "front", "readers": front}, {"id": "back", "readers": back}]}),
        does(1, change={"tiers": [{"id": "resident", "grounds": ["always"], "access_points": ["back"]}]}),
        tap(2, "front-in", "always"),
        tap(3, "back-in", None) | {"expect": {"granted": False, "reason": "not_allowed_here"}},
    ]
    assert played(capsys, written(tmp_path, steps=steps))[::2] == (0, "")


def test_an_edge_without_link_does_not_know_its_new_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = [
        does(0, link={"edge": "front", "up": False}),
        does(1, change={"access_points": [{"id": "front", "readers": {"in": "new-in"}}]}),
        tap(2, "new-in", None),
        does(3, link={"edge": "front", "up": True}),
        tap(4, "new-in", "always"),
        does(5, expect={"history": {"taps": 1}}),
    ]
    assert played(capsys, written(tmp_path, steps=steps))[::2] == (0, "")


def test_what_a_machine_does_after_it_was_removed_counts_for_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saw = SAW | {"on_end": "cut"}
    bookings = [
        {"id": "b", "machine": "saw", "member": "alice", "start": "2026-11-24T10:30", "end": "2026-11-24T11:00"}
    ]
    steps = [
        does(0, change={"machines": [saw], "certifications": CERTIFIED, "bookings": bookings}),
        tap(1, "front-in", "always"),
        tap(2, "saw", "walk_up"),
        does(3, remove={"bookings": ["b"], "machines": ["saw"]}),
        does(40, expect={"inside": ["remy"], "history": {"taps": 2, "granted": 2}}),
    ]
    assert played(capsys, written(tmp_path, steps=steps))[::2] == (0, "")


@pytest.mark.parametrize("code", ["XX", "FR-ZZZ"])
def test_holidays_of_nowhere_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str) -> None:
    file = written(tmp_path, steps=[does(0, change={"site": {"holidays": code}})])
    status, _, err = played(capsys, file)
    assert (status, f"{file}: bundle: site.holidays {code!r}" in err) == (2, True)


def test_an_edge_may_not_have_the_name_of_a_place_that_is_not_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = [does(0, change={"access_points": [BACK]})]
    status, _, err = played(capsys, written(tmp_path, edges={"back": ["front"]}, steps=steps))
    assert (status, "edges.back: the edge of this name lacks 'back'" in err) == (2, True)


def test_a_file_that_is_not_valid_keeps_no_other_from_being_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines, err = played(capsys, tmp_path / "nothing.json", SCENARIOS[0])
    assert (status, len(lines) > 1, err.count("\n")) == (2, True, 1)
