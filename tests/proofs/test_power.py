"""`loquet prove power` keeps its word, and notices who does not."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edge.journal import Journal, Told
from loquet.main import main
from proofs import power
from proofs.cut_database import CutDatabase
from proofs.cut_journal import CutJournal
from proofs.proof import LossError, Task
from server.ingest.messages import Ingest, Message, Owed, Taken
from wire.messages import Ack


def test_nothing_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "power", "--rounds", "40", "--seed", "5", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["broken"] == 0
    assert "0 lost, 0 twice, 0 corrupt" in said["figure"]


def stories(kind: type[CutJournal | CutDatabase], folder: Path, count: int = 60) -> None:
    task = Task(count, 5)
    for number in task.numbers:
        power.play(kind(folder), task.random(number))


def test_a_journal_that_promises_too_early_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that wait in memory after `append` has returned."""
    append, waiting = Journal.append, []

    def lazy(journal: Journal, rows: Any) -> None:
        waiting.extend(rows)
        if len(waiting) > 6:
            rows = list(waiting)
            waiting.clear()
            append(journal, rows)

    monkeypatch.setattr(Journal, "append", lazy)
    with pytest.raises(LossError):
        stories(CutJournal, tmp_path)


def test_kept_in_halves_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = Journal.keep

    def one_by_one(journal: Journal, values: dict[str, bytes | None], included: Any) -> None:
        for name, value in values.items():
            keep(journal, {name: value})
        keep(journal, {}, included)

    monkeypatch.setattr(Journal, "keep", one_by_one)
    with pytest.raises(LossError, match="neither what it was nor what it was to be"):
        stories(CutJournal, tmp_path)


def test_heard_in_halves_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hear = Journal.hear

    def one_by_one(journal: Journal, batch: list[Told]) -> None:
        for told in batch:
            for row in told.rows:
                hear(journal, [told._replace(rows=(row,))])

    monkeypatch.setattr(Journal, "hear", one_by_one)
    with pytest.raises(LossError, match="neither what it was nor what it was to be"):
        stories(CutJournal, tmp_path)


def test_who_acknowledges_before_the_commit_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take_all = Ingest.take_all

    def hasty(ingest: Ingest, messages: Sequence[Message]) -> Taken:
        try:
            return take_all(ingest, messages)
        except Exception:
            bodies = [json.loads(payload)["body"] for _, payload in messages]
            return Taken([Owed("front", Ack(body["journal"], body["rows"][-1]["seq"])) for body in bodies], [])

    monkeypatch.setattr(Ingest, "take_all", hasty)
    with pytest.raises(LossError, match="were acknowledged"):
        stories(CutDatabase, tmp_path)
