"""Is the demo's edge a process that can be worked by remote control, cut off from its power, and never left behind?"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from queue import Queue

import pytest

from simulator.demo.folder import Folder
from simulator.edge_process import EdgeProcess
from simulator.pace import Pace
from simulator.remote import Event, Follow, Lay, Move, Output, Plug, Stages, Take

PATIENCE = 20.0
BADGE = "04a1b2c3d4e5f6"


class Bench:
    """An edge without a server: it has no rules, lets everybody out and nobody in."""

    def __init__(self, folder: Folder) -> None:
        self.heard: Queue[Event] = Queue()
        self.folder = folder
        self.pace = Pace.starting(folder.state.now, 1)
        self.process = EdgeProcess(folder.write_edge_toml("front", 9), folder.path / "edge.log", self.heard.put)
        self.process.start(self.pace.anchor)

    def wait_for(self, is_it: Callable[[Event], bool]) -> Event:
        while True:
            event = self.heard.get(timeout=PATIENCE)
            if is_it(event):
                return event

    def ready(self) -> None:
        """The lamp says that it waits for rules."""
        self.wait_for(
            lambda event: isinstance(event, Output) and (event.name, event.active) == ("front-in.green", True)
        )

    def tap(self, reader: str) -> Stages:
        """The tap at a reader, once its row is on the disk."""
        self.process.send(Lay(reader, BADGE))
        told = self.wait_for(lambda event: isinstance(event, Stages) and event.journal is not None)
        self.process.send(Take(reader, BADGE))
        assert isinstance(told, Stages)
        return told

    def kinds(self) -> list[str]:
        """Of the rows in the journal of an edge that has ended."""
        with closing(sqlite3.connect(self.folder.path / "journal.db")) as journal:
            rows = journal.execute("SELECT json_extract(CAST(row AS TEXT), '$.kind') FROM journal ORDER BY seq")
            return [kind for (kind,) in rows]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with closing(Folder(tmp_path / "demo", reset=False, today=date(2026, 11, 24))) as folder:
        bench = Bench(folder)
        bench.ready()
        yield bench
        bench.process.cut()


def test_it_is_worked_by_remote_control(bench: Bench) -> None:
    out = bench.tap("front-out")
    assert (out.granted, out.reason, out.server) == (True, "egress", None)
    assert out.transfers <= 48
    assert 0.004 < out.chip < 0.006
    inward = bench.tap("front-in")
    assert (inward.granted, inward.reason, inward.seq) == (False, "rules_stale", out.seq + 1)


def test_the_strike_moves_for_whoever_leaves_and_falls_back(bench: Bench) -> None:
    bench.process.send(Follow(bench.pace.change(60)))
    bench.process.send(Lay("front-out", BADGE))
    released = bench.wait_for(lambda event: isinstance(event, Output) and event.name == "strike")
    locked = bench.wait_for(lambda event: isinstance(event, Output) and event.name == "strike")
    assert isinstance(released, Output)
    assert isinstance(locked, Output)
    assert (released.active, locked.active) == (True, False)


def test_who_leaves_by_the_handle_is_no_burglar(bench: Bench) -> None:
    """The handle moves its switch and the leaf at one moment; the fire alarm only tells when both were seen."""
    bench.process.send(Move("rex", True))
    bench.process.send(Move("contact", True))
    bench.process.send(Move("fire", True))
    bench.wait_for(lambda event: isinstance(event, Output) and event.name == "strike")
    bench.process.stop()
    assert [kind for kind in bench.kinds() if kind in ("rex", "door_opened", "door_forced")] == ["rex", "door_opened"]


def test_a_pulled_cable_shows_on_the_lamp(bench: Bench) -> None:
    bench.process.send(Plug("front-out", False))
    bench.wait_for(lambda event: isinstance(event, Output) and (event.name, event.active) == ("front-out.red", True))


def test_a_power_cut_is_a_kill_and_the_journal_goes_on(bench: Bench) -> None:
    before = bench.tap("front-out")
    bench.process.send(Move("contact", True))
    bench.process.cut()
    assert not bench.process.broken_down
    bench.process.send(Lay("front-out", BADGE))
    bench.process.start(bench.pace.anchor)
    bench.ready()
    assert bench.tap("front-out").seq > before.seq


def test_an_edge_that_ends_by_itself_is_noticed(bench: Bench) -> None:
    process = bench.process._process
    assert process is not None
    assert not bench.process.broken_down
    process.terminate()
    process.wait(PATIENCE)
    assert bench.process.broken_down


def test_it_ends_in_good_order_when_it_is_stopped(bench: Bench) -> None:
    process = bench.process._process
    assert process is not None
    bench.process.stop()
    assert process.returncode == 0
    assert "Traceback" not in (bench.folder.path / "edge.log").read_text()


def test_it_ends_when_time_stands_still(bench: Bench) -> None:
    process = bench.process._process
    assert process is not None
    bench.process.send(Follow(bench.pace.change(0)))
    bench.process.stop()
    assert process.returncode == 0


def test_it_ends_when_its_parent_is_gone(bench: Bench) -> None:
    process = bench.process._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(PATIENCE) == 0
