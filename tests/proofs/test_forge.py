"""`loquet prove forge` throws every sort of forgery, at a site that does believe what is genuine."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from edge.commands import Places, SeenCommands
from edge.storage_worker import StorageWorker
from loquet.main import main
from policy.terms import HOUR
from proofs import forge
from proofs.forge import Attack
from proofs.forgeries import (
    SEEN,
    TAMPERINGS,
    Letters,
    dishonest_to_edge,
    dishonest_to_server,
    refused_commands,
)
from proofs.proof import BrokenError, Task
from server.publish.orders import Orders

GENUINE = ("ack", "command", "facts", "state", "fresh", "rules", "events", "status", "reply")


@pytest.fixture
def attack() -> Iterator[Attack]:
    with closing(Attack()) as attack:
        yield attack


def test_nothing_forged_is_believed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "forge", "--rounds", "1500", "--seed", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figure"].endswith(": 0 accepted")


def test_every_sort_is_thrown(attack: Attack) -> None:
    task, letters = Task(1500, 3), Letters(attack.site)
    thrown = {attack.attempt(task.random(number))[0] for number in task.numbers}
    named = {tampering.__name__ for tampering in TAMPERINGS} | {"moved"}
    assert thrown == named | {
        *dishonest_to_edge(letters), *refused_commands(letters, ""), *dishonest_to_server(letters, "")
    }  # fmt: skip


def test_an_edge_that_hears_nothing_proves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(StorageWorker, "handle", lambda _worker, _items: None)
    assert main(["prove", "forge", "--rounds", "1", "--json"]) == 1
    assert "the genuine ack message was not believed" in json.loads(capsys.readouterr().out)["figure"]


def test_what_was_attacked_still_believes_every_genuine_message(attack: Attack) -> None:
    assert (*attack._to_edge, *attack._to_server) == GENUINE
    for number in range(300):
        attack.attempt(Task(1, 3).random(number))
    assert attack.deaf_to() is None


@pytest.mark.parametrize("name", GENUINE)
def test_who_is_deaf_to_one_sort_is_found(attack: Attack, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    _, lost = (attack._to_edge | attack._to_server)[name]
    for way in ("say", "tell"):
        hear = getattr(attack.site, way)
        monkeypatch.setattr(
            attack.site, way, lambda topic, payload, hear=hear: payload != lost and hear(topic, payload)
        )
    assert attack.deaf_to() == name


def test_a_genuine_command_that_is_refused_is_not_taken_for_believed(attack: Attack) -> None:
    command = attack.site.topics.command("front")
    attack.site.say(*attack._letters.server(command, attack._letters.command("of an hour from now", after=HOUR)))
    assert attack.deaf_to() == "command"


def test_after_a_command_from_the_future_the_edge_is_told_the_time(attack: Attack) -> None:
    command = attack.site.topics.command("front")
    attack.site.say(*attack._letters.server(command, attack._letters.command("of an hour from now", after=HOUR)))
    attack.site.exchange()
    assert attack.deaf_to() is None


def test_a_site_that_went_deaf_proves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its question about the time stays without an answer."""
    mutant(monkeypatch, Orders, "tell_time", None)
    monkeypatch.setattr(forge, "SITE", 400)
    assert main(["prove", "forge", "--rounds", "900", "--seed", "3", "--first", "7", "--json"]) == 1
    told = capsys.readouterr()
    figure = json.loads(told.out)["figure"]
    assert figure == "the genuine command message was not believed, so that nothing is shown"
    again = told.err.splitlines()[-1].removeprefix("see it again with: loquet ").split()
    assert again == ["prove", "forge", "--seed", "3", "--first", "7", "--rounds", "400"]
    assert main([*again, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["figure"] == figure


def mutant(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, answer: Any) -> None:
    monkeypatch.setattr(owner, name, lambda *_: answer)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_a_command_that_is_done_twice_is_found_and_found_again(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    mutant(monkeypatch, SeenCommands, "knows", False)
    with pytest.raises(BrokenError, match=f"(?s)a command {SEEN} before: .*strike was False, is True") as found:
        list(forge.run(Task(2000, seed)))
    assert found.value.since == found.value.number // forge.SITE * forge.SITE, "the first round of its site"
    with pytest.raises(BrokenError) as again:
        list(forge.run(Task(1, seed, first=found.value.number)))
    assert (again.value.number, again.value.since) == (found.value.number, found.value.number)


def test_a_command_for_elsewhere_that_is_said_to_be_done_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch, Places, "fault", None)
    with pytest.raises(BrokenError, match=r"done was \[.*\], is \[.*'(foreign|odd) [^']*'\]"):
        list(forge.run(Task(2000, 3)))
