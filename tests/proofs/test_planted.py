"""Bugs are put back and found; one that nobody notices is said."""

import ast
from dataclasses import replace

import pytest

from console.errors import CommandError
from loquet.main import main
from proofs import planted
from proofs.planted import ROOT, catches
from proofs.plants import PLANTS, TESTED, Plant

HARMLESS = Plant("nothing is wrong", "edge/hardware/iso14443.py", "SHORT_FRAME = 7", "SHORT_FRAME = 7 + 0", "fuzz", 50)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.bug)
def test_what_a_bug_replaces_stands_there_once(plant: Plant) -> None:
    source = (ROOT / plant.file).read_text("utf-8")
    assert source.count(plant.good) == 1
    assert plant.bad != plant.good
    if plant.file.endswith(".py"):
        ast.parse(source.replace(plant.good, plant.bad))


@pytest.mark.parametrize("plant", TESTED, ids=lambda plant: plant.bug)
def test_a_test_that_catches_a_bug_is_there(plant: Plant) -> None:
    file, _, name = plant.proof.partition("::")
    assert f"\ndef {name}(" in (ROOT / file).read_text("utf-8")


def test_a_test_that_passes_has_not_noticed_and_one_that_cannot_run_is_none() -> None:
    file = "tests/policy/test_units.py"
    assert catches(replace(HARMLESS, proof=f"{file}::test_names_are_told_from_whatever_else_is_written"), 1) is None
    with pytest.raises(CommandError, match=r"test_gone broke down: (?s:.*)not found"):
        catches(replace(HARMLESS, proof=f"{file}::test_gone"), 1)


def test_a_planted_bug_is_caught() -> None:
    plant = next(plant for plant in PLANTS if plant.proof == "fuzz")
    assert "a badge number of 3 bytes" in (catches(plant, 1) or "")


def test_a_bug_that_nobody_notices_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(planted, "PLANTS", (HARMLESS,))
    assert main(["prove", "planted", "--rounds", "1", "--json"]) == 1
    assert "nothing is wrong (edge/hardware/iso14443.py): `prove fuzz` did not notice" in capsys.readouterr().err


@pytest.mark.parametrize("first", [len(PLANTS), -2])
def test_no_bug_at_all_is_no_proof(first: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "planted", "--first", str(first), "--rounds", "2", "--json"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"--first {first}: no bug has that number; the last is {len(PLANTS) - 1}" in told.err


def test_a_proof_that_breaks_down_has_caught_nothing() -> None:
    with pytest.raises(CommandError, match=r"(?s)prove fuzz broke down: .*NameError"):
        catches(replace(HARMLESS, bad="SHORT_FRAME = nonsense"), 1)


def test_a_plant_that_fits_nowhere_is_named() -> None:
    with pytest.raises(CommandError, match="stands there 0x"):
        catches(replace(HARMLESS, good="SHORT_FRAME = 8"), 1)
