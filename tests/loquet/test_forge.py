"""`loquet prove forge` throws every sort of forgery, at a site that does believe what is genuine."""

import json

import pytest

from edge.keeper import Keeper
from loquet.main import main
from loquet.proofs import forge
from loquet.proofs.forge import Attack
from loquet.proofs.forgeries import TAMPERINGS, Letters
from loquet.proofs.proof import Task


def test_nothing_forged_is_believed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "forge", "--rounds", "1500", "--seed", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figure"].endswith(": 0 accepted")


def test_every_sort_is_thrown() -> None:
    attack = Attack()
    try:
        task = Task(1500, 3)
        thrown = {attack.attempt(task.random(number))[0] for number in task.numbers}
        named = {tampering.__name__ for tampering in TAMPERINGS} | {"moved"}
        dishonest = {name for letters in attack._dishonest for name in letters}
        assert thrown == named | dishonest
    finally:
        attack.close()


def test_an_edge_that_hears_nothing_proves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Keeper, "take", lambda _keeper, _items: None)
    assert main(["prove", "forge", "--rounds", "1", "--json"]) == 1
    assert "the genuine rules message was not believed" in json.loads(capsys.readouterr().out)["figure"]


def test_every_genuine_message_is_shown_to_be_believed() -> None:
    attack = Attack()
    try:
        letters = Letters(attack.site)
        assert set(forge.GENUINE) == set(letters.to_edge()) | set(letters.to_server())
    finally:
        attack.close()
