"""The fuzzing finds what it should find: each target with a hole in it, and none without."""

import random
from contextlib import closing
from typing import Any

import pytest

from edge import storage_worker
from edge.hardware import field
from edge.hardware.iso14443 import Badge
from edge.storage_worker import StorageWorker
from edge.work_items import Received
from loquet.main import main
from policy.terms import HOUR
from proofs import fuzz, hostile_bundles, hostile_messages
from proofs.attacked import bundle
from proofs.forgeries import Letters
from proofs.hostile_bundles import Bundles
from proofs.hostile_messages import Messages
from proofs.hostile_radio import Radios
from proofs.proof import BrokenError, Task
from server.ingest.messages import Ingest
from wire import ruleset, snapshot
from wire.packing import unpack_json

ROUNDS = 400


def tried(attack: fuzz.Attack, rounds: int = ROUNDS) -> list[str]:
    found = (attack(random.Random(number)) for number in range(rounds))
    return [wrong for wrong in found if wrong]


def test_hostile_input_opens_nothing_and_crashes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "fuzz", "--rounds", "3000", "--seed", "7", "--json"]) == 0
    assert "3000 hostile inputs" in capsys.readouterr().out


def test_every_round_can_be_played_alone() -> None:
    rounds = fuzz.run(Task(1, 7, first=812))
    with pytest.raises(StopIteration, match="1 hostile inputs"):
        next(rounds)


def test_a_hostile_card_does_get_read_at_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the fuzzing would never come past the first frame."""
    seen: list[Badge] = []

    def noted(radio: Any) -> Badge:
        seen.append(select(radio))
        return seen[-1]

    select = field.select
    monkeypatch.setattr(field, "select", noted)
    tried(Radios().frames, 2000)
    assert {len(badge.uid) for badge in seen} == {4, 7, 10}


def test_rules_and_states_are_unpacked_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one that was believed, of a high version, would keep all others out."""
    unpacked: list[bytes] = []

    def noted(packed: bytes, *how: Any) -> Any:
        unpacked.append(packed)
        return unpack_json(packed, *how)

    for module in (ruleset, snapshot):
        monkeypatch.setattr(module, "unpack_json", noted)
    with closing(Messages()) as messages:
        tried(messages.to_edge, 1000)
        early, before = len(unpacked), messages._site
        tried(messages.to_edge, 1000)
        assert len(unpacked) > early * 1.8 > 100
        monkeypatch.setattr(hostile_messages, "LARGEST", 0)
        tried(messages.to_edge, 1)
        assert messages._site is not before, "the site that holds such a version is given up"


def test_a_message_from_the_future_makes_no_edge_deaf() -> None:
    with closing(Messages()) as messages:
        site = messages._site
        letters, topic = Letters(site), site.topics.command("front")
        messages._payload = lambda *_: letters.server(topic, letters.command("early", after=HOUR))[1]  # type: ignore[method-assign]
        tried(messages.to_edge, 30)
        site.say(*letters.server(topic, letters.command("now")))
        assert site.unlocked


@pytest.mark.parametrize(("name", "since"), [("messages to the edge", 5), ("messages to the server", 5), ("frames", 7)])
def test_what_is_broken_names_the_rounds_on_which_it_hangs(
    monkeypatch: pytest.MonkeyPatch, name: str, since: int
) -> None:
    """Messages all come to one site."""
    monkeypatch.setattr(fuzz, "SHARES", {name: 1})
    left = iter((None, None, "wrong"))
    with pytest.raises(BrokenError) as found:
        list(fuzz._inputs(Task(9, 1, first=5), {name: lambda _: next(left)}))
    assert (found.value.number, found.value.since) == (7, since)


def test_a_badge_cut_short_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    select = field.select
    monkeypatch.setattr(field, "select", lambda radio: select(radio)._replace(uid=b"\x01\x02\x03"))
    assert "a badge number of 3 bytes" in tried(Radios().frames)[0]


def test_a_driver_that_trusts_the_bus_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.hardware.reader import MfrcReader

    def trusting(reader: MfrcReader) -> None:
        raise IndexError

    monkeypatch.setattr(MfrcReader, "_look", trusting)
    with pytest.raises(BrokenError, match="bus: IndexError"):
        list(fuzz.run(Task(50, 1)))


def test_an_edge_that_breaks_on_a_message_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = Messages()
    received = StorageWorker._received

    def frail(worker: StorageWorker, item: Any) -> None:
        received(worker, item)
        item.payload.decode("ascii")

    monkeypatch.setattr(StorageWorker, "_received", frail)
    monkeypatch.setitem(storage_worker._HANDLERS, Received, frail)
    try:
        assert "the edge broke down: UnicodeDecodeError" in tried(messages.to_edge)[0]
    finally:
        messages.close()


def test_a_server_that_breaks_on_a_message_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = Messages()
    monkeypatch.setattr(Ingest, "take_all", lambda _ingest, messages: messages[0][1].decode("ascii"))
    try:
        assert "ingest broke down: UnicodeDecodeError" in tried(messages.to_server)[0]
    finally:
        messages.close()


def test_a_reader_of_bundles_that_breaks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    files = Bundles(bundle())
    monkeypatch.setattr(hostile_bundles, "_compile", lambda parsed: parsed.members[0].name.encode("ascii"))
    assert any("UnicodeEncodeError" in wrong for wrong in tried(files.file))
