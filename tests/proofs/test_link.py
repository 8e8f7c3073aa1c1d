"""`loquet prove link` keeps its word, and notices who does not."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from edge.control_worker import ControlWorker
from edge.events import Event, LinkChanged
from edge.link import Link
from edge.outbox import Outbox
from loquet.main import main
from proofs import flapping, link
from proofs.flapping import Flapping
from proofs.proof import LossError, Task

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
"""paho leaves the socket of a handshake that failed to the garbage collector."""


def test_nothing_moves_and_nothing_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "link", "--rounds", "60", "--seed", "5", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["rounds"], said["broken"]) == (60, 0)
    assert said["figure"].startswith("60 connections cut, ")


def test_what_broke_is_tried_again_from_its_first_round(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = Task(1, 1).random(103).random()

    def flap(_site: Flapping, luck: Random) -> None:
        if luck.random() == broken:
            raise LossError("a row is lost")

    monkeypatch.setattr(link, "flap", flap)
    assert main(["prove", "link", "--first", "100", "--rounds", "10", "--json"]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["rounds"] == 4
    assert told.err.endswith("try again with: loquet prove link --seed 1 --first 100 --rounds 4\n")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Flapping]:
    with closing(Flapping(tmp_path)) as site:
        site.set_up()
        yield site


def flaps(site: Flapping, count: int = 30) -> None:
    for number in range(count):
        link.flap(site, Random(number))
    site.settle()


def test_a_strike_that_moves_with_the_link_is_found(site: Flapping, monkeypatch: pytest.MonkeyPatch) -> None:
    take = ControlWorker.handle

    def jumpy(front: ControlWorker, events: Sequence[Event]) -> None:
        take(front, events)
        if any(isinstance(event, LinkChanged) for event in events):
            site.pins.set("strike", active=True)

    monkeypatch.setattr(ControlWorker, "handle", jumpy)
    with pytest.raises(LossError, match="the strike was released, and nobody was granted anything"):
        flaps(site)


def test_a_door_that_locks_with_the_link_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flapping, "STRIKE_SECONDS", 60.0)  # the slowest machine is still within it
    with closing(Flapping(tmp_path)) as site:
        site.set_up()
        site.tap(0)
        site.pins.set("strike", active=False)
        with pytest.raises(LossError, match=r"the strike fell back \d+\.\d+ s after a grant"):
            site.turn()


def test_who_takes_sent_for_acknowledged_is_found(site: Flapping, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Outbox.sent

    def hasty(outbox: Outbox, last: int, now: float) -> None:
        sent(outbox, last, now)
        journal = site.edge.storage.writer.journal
        if journal is not None:
            journal.acknowledge(last)

    monkeypatch.setattr(Outbox, "sent", hasty)
    with pytest.raises(LossError, match=r"the edge takes row \d+ for acknowledged, the server has \d+"):
        flaps(site)


def test_a_link_that_does_not_come_back_is_found(site: Flapping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flapping, "PATIENCE", 0.5)
    monkeypatch.setattr(Link, "_tried", lambda _: False)
    with pytest.raises(LossError, match="the edge does not connect again within"):
        flaps(site)


def test_a_tap_that_is_answered_in_another_way_is_found(site: Flapping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flapping, "TAPS", ((iter(["CAFEF00D"]), "front-in", True),))
    with pytest.raises(LossError, match="badge CAFEF00D at front-in was answered"):
        site.tap(0)
