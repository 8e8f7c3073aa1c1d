"""A machine on a whole edge: its start waits for the real journal, its last second outlives a power cut."""

from datetime import datetime
from pathlib import Path

import pytest

from edge.journal_errors import JournalError
from loquet.edge import running
from policy.facts import Moved
from policy.instants import instant, text
from policy.reasons import Reason
from policy.terms import HOUR, MINUTE, SECOND
from simulator.clock import VirtualClock
from tests.support_edge import TOPICS, Bench, Folder, make_folder
from tests.support_machine import fab_bench, power_cut
from tests.support_site import ALICE, BRIGITTE, at
from wire.messages import State
from wire.row import Kind, Row
from wire.snapshot import Snapshot, pack


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return make_folder(tmp_path / "site")


@pytest.fixture
def bench(folder: Folder) -> Bench:
    """Brigitte is inside."""
    bench = fab_bench(folder)
    bench.tap(BRIGITTE)
    bench.wait(6)
    return bench


def starts(bench: Bench) -> Row:
    """Brigitte starts the laser."""
    assert bench.tap(BRIGITTE, reader=2).reason is Reason.WALK_UP
    return bench.rows(Kind.SESSION_STARTED)[-1]


def runs(bench: Bench) -> bool:
    return bench.pins.is_active("laser.interlock")


def test_power_comes_once_the_journal_has_the_start(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    append = bench.journal.append

    def refuse(_: object) -> None:
        raise JournalError("the card hangs")

    monkeypatch.setattr(bench.journal, "append", refuse)
    bench.readers[2].lay(BRIGITTE)
    bench.settle()
    assert not runs(bench)
    monkeypatch.setattr(bench.journal, "append", append)
    bench.wait(2)
    assert runs(bench)
    assert bench.rows(Kind.SESSION_STARTED)


def test_a_stop_waits_for_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    starts(bench)
    assert runs(bench)

    def refuse(_: object) -> None:
        raise JournalError("the disk is full: make room")

    monkeypatch.setattr(bench.journal, "append", refuse)
    bench.pins.put("laser.estop", active=True)
    bench.wait(0.05)
    assert not runs(bench)


def test_after_a_power_cut_the_session_ended_at_the_last_second_on_the_disk(bench: Bench) -> None:
    started = starts(bench)
    bench.wait(30.5)
    cut = bench.clock.now()
    bench = power_cut(bench, VirtualClock(start=cut + HOUR))
    (ended,) = bench.rows(Kind.SESSION_ENDED)
    assert ended.ended is not None
    assert cut - 1100 <= instant(ended.ended) <= cut
    assert (ended.started, ended.member, ended.access_point) == (started.started, "brigitte", "laser")
    assert not runs(bench)
    assert bench.core.state.sessions.running("laser", bench.clock.now()) is None


def test_a_power_cut_ends_a_session_that_the_state_leaves_out(bench: Bench) -> None:
    """The server may name no kind of machine that it knows no more; what was told to it of the start has its end."""
    started = starts(bench)
    bench.wait(60)
    last = bench.journal.last_seq
    snapshot = Snapshot(False, (Moved("brigitte", at(9), inside=True),), {"front": {bench.journal.id: last}})
    body = pack(snapshot)
    bench.wire.say(TOPICS.state, State(1, text(bench.clock.now()), body))
    bench.wait(2)
    assert bench.core.state.sessions.running("laser", bench.clock.now()) is None
    assert runs(bench)
    cut = bench.clock.now()
    bench = power_cut(bench, VirtualClock(start=cut + HOUR))
    (ended,) = bench.rows(Kind.SESSION_ENDED)
    assert (ended.started, ended.member, ended.access_point) == (started.started, "brigitte", "laser")
    assert ended.ended is not None
    assert cut - 1100 <= instant(ended.ended) <= cut
    again = power_cut(bench, VirtualClock(start=cut + 2 * HOUR))
    assert len(again.rows(Kind.SESSION_ENDED)) == 1, "once"


def test_no_second_is_noted_while_nothing_runs(bench: Bench) -> None:
    assert "alive" not in bench.journal.kept()
    starts(bench)
    bench.wait(1.5)
    kept = int(bench.journal.kept()["alive"])
    bench.wait(6)
    bench.tap(BRIGITTE, reader=2)
    assert bench.rows(Kind.SESSION_ENDED)
    last = int(bench.journal.kept()["alive"])
    assert last >= kept + 5 * SECOND
    bench.wait(30)
    assert int(bench.journal.kept()["alive"]) == last


def test_an_old_session_s_seconds_end_no_later_one(bench: Bench) -> None:
    """A cut before the first second is noted: the session that it cut ended when it began, not before."""
    starts(bench)
    bench.wait(6)
    bench.tap(BRIGITTE, reader=2)
    bench.wait(MINUTE / 1000)
    bench.tap(BRIGITTE, reader=2)
    started = bench.rows(Kind.SESSION_STARTED)[-1]
    bench.journal.keep({"alive": b"%d" % at(9)})
    bench = power_cut(bench, VirtualClock(start=bench.clock.now() + HOUR))
    assert bench.rows(Kind.SESSION_ENDED)[-1].ended == started.started


def test_a_session_is_stopped_by_its_own_badge_and_the_next_one_starts(bench: Bench) -> None:
    starts(bench)
    bench.wait(6)
    assert bench.tap(BRIGITTE, reader=2).reason is Reason.SESSION_ENDED
    assert not runs(bench)
    assert bench.tap(ALICE, reader=2).reason is Reason.NOT_INSIDE
    assert bench.rows(Kind.SESSION_ENDED)[-1].ended == text(instant(bench.rows(Kind.SESSION_ENDED)[-1].at))


def test_whoever_is_to_restart_the_edge_is_told_what_runs(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert running(bench.config, bench.clock) == 0
    starts(bench)
    assert running(bench.config, bench.clock) == 1
    bench.wait(6)
    bench.tap(BRIGITTE, reader=2)
    assert running(bench.config, bench.clock) == 0
    (line,) = capsys.readouterr().out.splitlines()
    begun = datetime.fromtimestamp(at(10) / SECOND).astimezone()
    assert line.startswith(f"on 'laser' a session runs since {begun:%a %H:%M %Z}, until ")
