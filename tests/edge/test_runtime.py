"""An edge in its threads: taps from the field to the broker, clean ends, and parts that break down."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import pytest

from edge.config import Config, load
from edge.hardware.clock import SystemClock
from edge.journal import Journal
from edge.journal_errors import JournalError
from edge.link import connect
from edge.poller import Poller
from edge.ports import Clock
from edge.runtime import Edge, EdgeError
from edge.storage_worker import StorageWorker
from edge.work_items import RowToWrite
from policy.instants import text
from policy.reasons import Reason
from policy.terms import DAY, ClockState
from simulator.pins import SimulatedPins
from simulator.reader import SimulatedReader
from tests.support_broker import BROKERS, PATIENCE, Peer
from tests.support_edge import TOPICS, Bench, Folder, Wire, make_folder
from tests.support_site import ALICE, UNKNOWN
from wire.envelope import unseal
from wire.messages import Ack, Events, Rules, Status, decode
from wire.row import Kind, Row
from wire.row import decode as decode_row

SERVER = "a password for the server"


class Synced(SystemClock):
    """The real clock of a machine that trusts it."""

    def state(self) -> ClockState:
        return ClockState.SYNCED


class Watcher:
    """An observer to wait on."""

    def __init__(self) -> None:
        self.taps: SimpleQueue[Row] = SimpleQueue()
        self.written: SimpleQueue[int] = SimpleQueue()
        self.acknowledgements: SimpleQueue[int] = SimpleQueue()
        self.outputs: SimpleQueue[tuple[str, bool]] = SimpleQueue()

    def decided(self, row: Row, *_: object) -> None:
        self.taps.put(row)

    def journalled(self, seq: int, _: float) -> None:
        self.written.put(seq)

    def acknowledged(self, seq: int, _: float) -> None:
        self.acknowledgements.put(seq)

    def output(self, name: str, active: bool) -> None:
        self.outputs.put((name, active))

    def until_output(self, name: str, active: bool) -> None:
        while self.outputs.get(timeout=PATIENCE) != (name, active):
            pass

    def until_written(self, seq: int) -> None:
        while self.written.get(timeout=PATIENCE) != seq:
            pass


class Door:
    """An edge in threads and real time on simulated readers and pins."""

    def __init__(self, folder: Folder, link: Callable[[Config, Clock], object] | None = None) -> None:
        self.folder = folder
        self.config = load(folder.config)
        self.clock = Synced()
        self.readers = [SimulatedReader(name, self.clock) for name in self.config.readers]
        self.pins = SimulatedPins(self.config.outputs, self.config.inputs, self.clock)
        self.watcher = Watcher()
        self.edge = Edge(
            self.config,
            clock=self.clock,
            readers=self.readers,
            pins=self.pins,
            observer=self.watcher,
            link=(link or wired(folder))(self.config, self.clock),  # type: ignore[arg-type]
        )

    def rules(self) -> Rules:
        now = self.clock.now()
        return Rules(3, text(now), text(now + 14 * DAY), self.folder.rules(3).body)

    def tap(self, uid: bytes) -> Row:
        self.readers[0].lay(uid)
        return self.watcher.taps.get(timeout=PATIENCE)


def wired(folder: Folder) -> Callable[[Config, Clock], object]:
    return lambda config, clock: lambda put: Wire(folder, put)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return make_folder(tmp_path / "site")


@pytest.fixture
def door(folder: Folder) -> Iterator[Door]:
    door = Door(folder)
    yield door
    door.edge.stop()


def give_rules(door: Door) -> None:
    assert isinstance(door.edge.link, Wire)
    door.edge.link.say(TOPICS.rules, door.rules())
    while door.edge.control.controller.core.held is None:
        threading.Event().wait(0.001)


def test_a_tap_opens_the_door(door: Door) -> None:
    door.edge.start()
    give_rules(door)
    row = door.tap(ALICE)
    assert (row.granted, row.reason) == (True, Reason.STAFF)
    assert door.pins.is_active("strike")
    door.watcher.until_written(row.seq)
    door.edge.stop()
    with closing(Journal(door.config.journal)) as journal:
        assert [found.kind for found in journal.rows()] == [Kind.STARTED, Kind.TAP]


def test_the_strike_falls_back_in_real_time(folder: Folder) -> None:
    folder.replace("strike_seconds = 5", "strike_seconds = 0.5")
    door = Door(folder)
    door.edge.start()
    give_rules(door)
    door.tap(ALICE)
    door.watcher.until_output("strike", True)
    door.watcher.until_output("strike", False)
    released = [move.mono for move in door.pins.moves if move.output == "strike"]
    assert released[1] - released[0] == pytest.approx(0.5, abs=0.1)
    door.edge.stop()


def test_an_input_reaches_the_controller(door: Door) -> None:
    door.edge.start()
    door.watcher.until_written(1)
    door.pins.put("fire", True)
    door.watcher.until_output("strike", True)


def test_stopping_makes_safe_then_records_then_tells(door: Door) -> None:
    door.edge.start()
    give_rules(door)
    row = door.tap(ALICE)
    door.edge.stop()
    assert not any(door.pins.is_active(spec.name) for spec in door.config.outputs)
    assert isinstance(door.edge.link, Wire)
    assert door.edge.link.state == "stopped"
    topic, payload = door.edge.link.farewell or ("", b"")
    body = unseal(door.folder.own.public_key(), "front", topic, payload)
    assert decode(Status, body, topic) == Status(online=False, at=decode(Status, body, topic).at)
    with closing(Journal(door.config.journal)) as journal:
        assert journal.last_seq >= row.seq
    assert not [thread for thread in door.edge._threads.values() if thread.is_alive()]


def test_stopping_twice_is_harmless(door: Door) -> None:
    door.edge.start()
    door.edge.stop()
    door.edge.stop()


def test_an_edge_that_never_began_leaves_no_row(door: Door) -> None:
    door.edge.stop()
    with closing(Journal(door.config.journal)) as journal:
        assert journal.last_seq == 0


def test_run_ends_when_it_is_told_to(door: Door) -> None:
    asked: list[float] = []

    def ended_within(seconds: float) -> bool:
        asked.append(seconds)
        return len(asked) == 3

    door.edge.run(ended_within)
    assert asked == [1.0, 1.0, 1.0]
    assert door.edge.link.state == "stopped"  # type: ignore[union-attr]


def test_run_ends_when_it_is_stopped_elsewhere(door: Door) -> None:
    door.watcher.output = lambda name, active: threading.Thread(target=door.edge.stop).start()  # type: ignore[method-assign]
    door.edge.run()
    assert not door.pins.is_active("strike")


class BrokenReader(SimulatedReader):
    """A driver with a bug in it."""

    def poll(self) -> None:
        raise ZeroDivisionError("a bug")


@pytest.mark.parametrize("bug", [ZeroDivisionError("a bug"), SystemExit("a bug")])
@pytest.mark.parametrize("part", ["control worker", "storage worker", "poller"])
def test_a_part_that_breaks_down_ends_the_edge_with_safe_outputs(
    door: Door, part: str, bug: BaseException, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A SystemExit, too, which a library may raise and Python says nothing of: the journal would stand still."""

    def broken(*_: object) -> None:
        raise bug

    monkeypatch.setattr(
        *{
            "control worker": (door.edge.control, "handle", broken),
            "storage worker": (door.edge.storage.sender, "send", broken),
            "poller": (Poller, "look", broken),
        }[part]
    )
    door.readers[0].lay(ALICE)
    with pytest.raises(EdgeError, match=f"the {part} broke down: {type(bug).__name__}: a bug"):
        door.edge.run()
    assert not any(door.pins.is_active(spec.name) for spec in door.config.outputs)
    assert caplog.records[-1].levelno == logging.CRITICAL or "outputs are safe" in caplog.text


def test_a_door_in_use_is_safe_after_a_breakdown(door: Door) -> None:
    door.edge.start()
    give_rules(door)
    door.tap(ALICE)
    assert door.pins.is_active("strike")
    door.edge._poller._readers = [BrokenReader("front-in", door.clock)]
    while door.pins.is_active("strike"):
        threading.Event().wait(0.001)
    with pytest.raises(EdgeError, match="the poller broke down"):
        door.edge.run()


def test_two_edges_cannot_share_a_journal(door: Door, folder: Folder) -> None:
    with pytest.raises(JournalError, match="another process has it open"):
        Door(folder)


def test_an_edge_that_cannot_start_lets_go_of_its_journal(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: StorageWorker) -> None:
        raise ValueError("a letter in `at`")

    with monkeypatch.context() as patched:
        patched.setattr(StorageWorker, "recover", broken)
        with pytest.raises(ValueError, match="a letter") as failed:
            Door(folder)
    Door(folder).edge.stop()
    assert failed.tb is not None, "until here it kept what the edge had opened from being collected"


def test_a_hanging_disk_does_not_hold_up_the_door(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The storage worker waits for its disk; the door decides, and what it decided is written once the disk is back."""
    hangs = threading.Event()
    append = door.edge.storage.writer.write

    def slow() -> None:
        hangs.wait(PATIENCE)
        append()

    door.edge.start()
    give_rules(door)
    door.watcher.until_written(1)
    monkeypatch.setattr(door.edge.storage.writer, "write", slow)
    row = door.tap(ALICE)
    assert door.pins.is_active("strike")
    assert door.watcher.written.empty()
    hangs.set()
    door.watcher.until_written(row.seq)


def test_a_disk_that_hangs_for_ever_does_not_keep_the_edge_from_ending(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hangs = threading.Event()
    monkeypatch.setattr("edge.runtime.BEHIND_THE_DOOR", 0.1)
    monkeypatch.setattr(door.edge.storage.writer, "write", lambda: hangs.wait(PATIENCE))
    door.edge.start()
    door.edge.stop()
    assert not door.pins.is_active("strike")
    assert "the disk has not answered" in caplog.text
    hangs.set()
    door.edge._threads["storage worker"].join()
    door.edge.storage.writer.close()


def test_the_clocks_pace_is_asked_for_the_time_to_wait(folder: Folder) -> None:
    bench = Bench(folder)
    asked: list[float] = []

    def real_timeout(mono: float) -> float | None:
        asked.append(mono)
        return None if len(asked) > 1 else 3600.0

    edge = bench.edge
    edge._real_timeout = real_timeout
    assert edge._timeout(17.0) == 1.0
    assert edge._timeout(18.0) == 1.0
    assert asked == [17.0, 18.0]
    assert edge._timeout(None) == 1.0


@pytest.mark.parametrize("name", BROKERS)
def test_from_the_field_to_the_broker_and_back(name: str, tmp_path: Path) -> None:
    """A real broker in between: rules come, a tap goes, its acknowledgement comes, the farewell is the last word."""
    folder = make_folder(tmp_path / "site")
    with BROKERS[name]({"front": folder.password, "server": SERVER}, tmp_path) as port:
        folder.replace("port = 1883", f"port = {port}")
        server = Peer(port, "server", SERVER, TOPICS.status("front"))
        ingest = Peer(port, "server", SERVER, TOPICS.events("front"))
        door = Door(folder, connect)
        door.edge.start()
        assert hear(server, folder, Status).online
        server.publish(TOPICS.rules, folder.sealed(TOPICS.rules, door.rules()), retain=True)
        status = hear(server, folder, Status)
        while status.rules_version != 3:
            status = hear(server, folder, Status)
        for seq, kind in ((1, Kind.STARTED), (2, Kind.TAP)):
            events = hear(ingest, folder, Events)
            assert {decode_row(bytes(row), "heard").boot for row in events.rows} == {status.boot}
            assert [decode_row(bytes(row), "heard").kind for row in events.rows] == [kind]
            topic = TOPICS.ack("front")
            server.publish(topic, folder.sealed(topic, Ack(events.journal, seq)), retain=True)
            assert door.watcher.acknowledgements.get(timeout=PATIENCE) == seq
            if seq == 1:
                assert door.tap(UNKNOWN).reason is Reason.UNKNOWN_CREDENTIAL
        door.edge.stop()
        status = hear(server, folder, Status)
        while status.online:
            status = hear(server, folder, Status)
        server.close()
        ingest.close()


Kept = TypeVar("Kept", Status, Events)


def hear(server: Peer, folder: Folder, kind: type[Kept]) -> Kept:
    """The next message of a kind from the edge, opened."""
    message = server.next()
    body = unseal(folder.own.public_key(), "front", message.topic, bytes(message.payload))
    return decode(kind, body, message.topic)


def test_what_the_front_hands_over_is_timed(folder: Folder) -> None:
    bench = Bench(folder)
    bench.edge.begin()
    item = bench.edge._items.get_nowait()
    assert isinstance(item, RowToWrite)
    assert item.row.kind is Kind.STARTED
    assert item.handed_over > 0
