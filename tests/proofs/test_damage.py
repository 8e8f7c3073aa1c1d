"""`loquet prove damage` keeps its word, and notices who does not."""

import json
from pathlib import Path
from random import Random

import pytest

from edge import rescue
from edge.salvage import Saved
from edge.storage_worker import StorageWorker
from loquet.main import main
from proofs import damage
from proofs.damaged import Left, evening
from proofs.proof import LossError


def test_nothing_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "damage", "--rounds", "40", "--seed", "5", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["broken"] == 0
    assert "0 that did not start, 0 readable rows lost" in said["figure"]


def fresh(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    return evening(fresh(tmp_path_factory.mktemp("evening"), "edge"), Random(3), orderly=True)


def many(left: Left, folder: Path) -> None:
    for number in range(60):
        damage.damaged(left, Random(number), fresh(folder, str(number)))


def test_an_edge_that_does_not_start_is_found(left: Left, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: StorageWorker) -> None:
        raise ValueError("a letter in `at`")

    monkeypatch.setattr(StorageWorker, "recover", broken)
    with pytest.raises(LossError, match="ValueError: a letter in `at`"):
        many(left, tmp_path)


def test_rows_that_are_not_told_again_are_found(left: Left, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescue, "salvage", lambda path, newer: Saved())
    with pytest.raises(LossError, match="lost"):
        many(left, tmp_path)


def test_a_damage_changes_one_place(left: Left) -> None:
    for number in range(200):
        content = next(iter(left.files.values()))
        changed, words = damage._damage(content, Random(number))
        assert len(changed) == len(content)
        places = [place for place, (a, b) in enumerate(zip(content, changed, strict=True)) if a != b]
        assert len(places) == 1 if words.startswith("byte") else len({place // 512 for place in places}) <= 1
