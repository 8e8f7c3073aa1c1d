"""`loquet prove kill` keeps its word, and notices who does not."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from edge.journal import Journal
from loquet.main import main
from policy.reasons import Reason
from policy.terms import ClockState
from proofs import kill
from proofs.killed import Part
from proofs.ledger import Ledger
from proofs.planted import catches
from proofs.plants import PLANTS
from proofs.proof import LossError, Task
from simulator.remote import Stages
from wire.row import Kind, Row

AT = "2026-03-03T10:00:00.000Z"


def test_nothing_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "kill", "--rounds", "8", "--seed", "5", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["rounds"], said["broken"]) == (8, 0)
    assert said["figure"].startswith("8 kills (edge ")
    assert "0 lost, 0 twice" in said["figure"]


@pytest.mark.parametrize(("kills", "first", "rounds"), [(3, 17, 4), (10, 17, 9)])
def test_what_broke_is_tried_again_from_the_first_kill_of_its_site(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kills: int, first: int, rounds: int
) -> None:
    """The second site breaks: in a round of its own, or when all is over."""

    def live(site: kill.Site, _task: Task, before: int) -> Iterator[int]:
        site.kills[Part.EDGE] = 7 if not before else kills
        yield before
        if before:
            raise LossError("a row is lost")

    monkeypatch.setattr(kill.Site, "live", live)
    assert main(["prove", "kill", "--first", "10", "--rounds", "16", "--json"]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["rounds"] == 7 + rounds
    assert told.err.endswith(f"try again with: loquet prove kill --seed 1 --first {first} --rounds {rounds}\n")


def test_rows_told_before_they_are_on_the_disk_are_missed() -> None:
    plant = next(plant for plant in PLANTS if plant.proof == "kill")
    assert "was told to be on the disk and is not" in (catches(plant, 1) or "")


def row(seq: int) -> Row:
    return Row(
        seq,
        AT,
        seq * 1000,
        "boot",
        ClockState.SYNCED,
        Kind.TAP,
        access_point="front",
        reader="front-in",
        credential="00" * 16,
        member="alice",
        granted=True,
        reason=Reason.STAFF,
    )


def told(seq: int, journal: float | None = 0.001) -> Stages:
    return Stages(AT, "front-in", seq, True, "staff", "alice", "00" * 16, journal=journal)


class Site:
    """The files of a site whose processes are dead."""

    def __init__(self, folder: Path) -> None:
        self.journal, self.database = folder / "journal.db", folder / "server.db"
        self.ledger = Ledger(self.journal, self.database, folder / "scratch")
        with closing(sqlite3.connect(self.database)) as database:
            database.execute(
                "CREATE TABLE journal_row (id INTEGER PRIMARY KEY, edge, journal, seq, at, boot, mono_ms, kind, reader,"
                " credential, member, granted, reason, said)"
            )

    def write(self, rows: Iterable[Row]) -> str:
        with closing(Journal(self.journal)) as journal:
            journal.append(list(rows))
            return journal.id

    def store(self, journal: str, rows: Iterable[Row]) -> None:
        with closing(sqlite3.connect(self.database)) as database, database:
            for row in rows:
                values: list[Any] = ["front", journal, row.seq, "2026-03-03 10:00:00.000000", row.boot, row.mono_ms]
                values += [row.kind, row.reader, row.credential, row.member, row.granted, row.reason]
                database.execute(f"INSERT INTO journal_row VALUES (NULL{', ?' * len(values)}, NULL)", values)  # noqa: S608 (marks only)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_what_agrees_is_settled(site: Site) -> None:
    journal = site.write([row(1), row(2)])
    site.store(journal, [row(1), row(2)])
    site.ledger.edge_died({1: told(1), 2: told(2)})
    site.ledger.server_died(2)
    site.ledger.settled()


def test_what_is_under_way_is_not_lost(site: Site) -> None:
    site.store(site.write([row(1), row(2)]), [row(1)])
    site.ledger.edge_died({2: told(2)})
    site.ledger.server_died(1)
    with pytest.raises(LossError, match="2 rows are in the journal, 1 in the history"):
        site.ledger.settled()


def test_a_tap_that_was_only_decided_is_counted(site: Site) -> None:
    site.write([row(1)])
    site.ledger.edge_died({1: told(1), 2: told(2, journal=None)})
    assert site.ledger.unrecorded == 1


def test_a_journal_that_lost_a_row_is_found(site: Site) -> None:
    site.write([row(1)])
    with pytest.raises(LossError, match="row 2 was told to be on the disk and is not"):
        site.ledger.edge_died({1: told(1), 2: told(2)})


def test_a_row_of_another_tap_is_found(site: Site) -> None:
    site.write([replace(row(1), member="remy")])
    with pytest.raises(LossError, match="row 1 was told to be on the disk and is not"):
        site.ledger.edge_died({1: told(1)})


def test_a_journal_that_forgot_what_it_had_is_found(site: Site) -> None:
    site.write([row(1)])
    site.ledger.edge_died({})
    site.journal.unlink()
    with pytest.raises(LossError, match="of the 1 rows that the journal had"):
        site.ledger.edge_died({})


def test_a_server_that_lacks_what_it_acknowledged_is_found(site: Site) -> None:
    site.store(site.write([row(1), row(2)]), [row(1)])
    with pytest.raises(LossError, match="row 2 was acknowledged, the server has 1"):
        site.ledger.server_died(2)


@pytest.mark.parametrize("seqs", [(1, 1), (2, 1), (1, 3)])
def test_rows_twice_out_of_order_or_with_gaps_are_found(site: Site, seqs: tuple[int, ...]) -> None:
    site.store(site.write([row(1), row(2), row(3)]), map(row, seqs))
    with pytest.raises(LossError, match=r"history \d: row \d of front/"):
        site.ledger.server_died(0)


def test_a_history_that_differs_is_found(site: Site) -> None:
    site.store(site.write([row(1)]), [replace(row(1), granted=False)])
    site.ledger.edge_died({})
    with pytest.raises(LossError, match=r"row 1 is .* in the journal and .* in the history"):
        site.ledger.server_died(1)
