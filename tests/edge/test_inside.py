"""Who is inside is read from a copy of the journal: what the controller knows, while it runs and after it is dead."""

import argparse
from pathlib import Path

import pytest

from edge.inside import roll
from loquet.edge import add_arguments, run
from policy.instants import text
from policy.terms import DAY, HOUR, SECOND
from simulator.clock import VirtualClock
from tests.support_edge import Bench, make_folder
from tests.support_site import ALICE, BRIGITTE, GREGOIRE, at
from wire.row import Order


def bench_of(folder: Path, clock: VirtualClock | None = None) -> Bench:
    bench = Bench(make_folder(folder / "site"), clock)
    bench.connect()
    bench.give_rules()
    return bench


def enters(bench: Bench, uid: bytes) -> None:
    bench.tap(uid)
    bench.pins.put("contact", active=True)
    bench.wait(1)
    bench.pins.put("contact", active=False)
    bench.wait(10)


def test_the_roll_is_what_the_controller_knows_while_it_runs(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)
    enters(bench, ALICE)
    enters(bench, GREGOIRE)
    bench.tap(GREGOIRE, reader=1)
    bench.wait(1)
    files = {
        file: file.read_bytes() for file in bench.config.journal.parent.glob("journal.db*") if file.suffix != ".db-shm"
    }
    known = roll(bench.config, bench.clock)
    assert known is not None
    assert [who for who, _ in known.inside] == ["alice"]
    assert {who for who, _ in known.inside} == bench.core.state.presence.inside(
        bench.core.held.rules.day_start(known.at)
    )  # type: ignore[union-attr]
    assert (known.doubtful, known.unlocked) == ((), ())
    assert {file: file.read_bytes() for file in files} == files, "nothing of the edge's own is touched"


def test_a_dead_edge_still_says_it_and_who_never_went_out(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)
    enters(bench, ALICE)
    until = bench.clock.now() + 900 * SECOND
    bench.order(Order.UNLOCK, "front", until=text(until))
    bench.wait(1)
    known = roll(bench.config, VirtualClock(start=at(12)))
    assert known is not None
    assert [who for who, _ in known.inside] == ["alice"]
    assert [(door, end) for door, _, end in known.unlocked] == [("front", until)]
    bench.edge.stop()
    known = roll(bench.config, VirtualClock(start=at(10) + 20 * HOUR))
    assert known is not None
    assert known.inside == ()
    assert [who for who, _ in known.doubtful] == ["alice"]
    assert known.unlocked == ()


def test_a_journal_that_is_damaged_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    bench = bench_of(tmp_path)
    enters(bench, ALICE)
    bench.edge.stop()
    with bench.config.journal.open("r+b") as file:
        file.write(b"not a database !")
    known = roll(bench.config, VirtualClock(start=at(12)))
    assert known is not None
    assert [who for who, _ in known.inside] == ["alice"]


def told(bench: Bench, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args(["--config", str(bench.config.file), "--inside"])), capsys.readouterr().out


def test_a_new_edge_knows_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = Bench(make_folder(tmp_path / "site"))
    bench.turn()
    assert roll(bench.config, bench.clock) is None
    status, said = told(bench, capsys)
    assert (status, said) == (1, "0 inside, as far as a new edge without rules can know: check all the same\n")


def test_the_command_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = bench_of(tmp_path)
    enters(bench, ALICE)
    status, said = told(bench, capsys)
    assert status == 0
    assert " inside, as edge 'front' knows it at " in said
    assert "these are the members' ids" in said


def test_whom_a_closing_checked_out_is_to_be_checked_for_a_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = bench_of(tmp_path, VirtualClock(start=at(20)))
    enters(bench, GREGOIRE)
    enters(bench, BRIGITTE)
    bench.tap(GREGOIRE, reader=1)
    bench.wait(10)
    bench.tap(GREGOIRE, reader=1)
    bench.wait(1)
    known = roll(bench.config, bench.clock)
    assert known is not None
    ((who, since),) = known.closed
    assert (who, known.inside) == ("brigitte", ())
    assert "brigitte  to be checked: checked out " in told(bench, capsys)[1]
    late = roll(bench.config, VirtualClock(start=since + DAY))
    assert late is not None
    assert late.closed == ()
