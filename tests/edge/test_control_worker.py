"""The front: actions are done in the order given, at once, and a row is handed over after the strike has moved."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.events import CardSeen, ReaderFault
from edge.poller import PERIOD, REST, Poller
from edge.runtime import Edge
from edge.taps import Walls
from edge.work_items import RowToWrite, UnrecordedCount, WorkItem
from policy.instants import instant
from policy.reasons import Reason
from simulator.clock import VirtualClock
from simulator.pins import SimulatedPins
from simulator.reader import COST, SimulatedReader
from tests.support_edge import Bench, Folder, make_folder
from tests.support_site import ALICE, BRIGITTE, UNKNOWN, at
from wire.row import Kind, Row


class Diary:
    """An observer that notes what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def decided(
        self, row: Row, chip_seconds: float, chip_transfers: int, decision_seconds: float, actuator_seconds: float
    ) -> None:
        self.told.append(("decided", row, chip_seconds, chip_transfers, decision_seconds, actuator_seconds))

    def journalled(self, seq: int, seconds: float) -> None:
        self.told.append(("journalled", seq, seconds))

    def acknowledged(self, seq: int, seconds: float) -> None:
        self.told.append(("acknowledged", seq, seconds))

    def output(self, name: str, active: bool) -> None:
        self.told.append(("output", name, active))

    def of(self, word: str) -> list[tuple[object, ...]]:
        return [told[1:] for told in self.told if told[0] == word]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return make_folder(tmp_path / "site")


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def bench(folder: Folder, diary: Diary) -> Iterator[Bench]:
    bench = Bench(folder, observer=diary)
    bench.turn()
    bench.give_rules()
    yield bench
    bench.edge.stop()


def test_the_strike_moves_before_the_row_is_written(bench: Bench, diary: Diary) -> None:
    diary.told.clear()
    row = bench.tap(ALICE)
    words = [told[:2] for told in diary.told]
    assert words.index(("output", "strike")) < words.index(("decided", row)) < words.index(("journalled", row.seq))


def test_what_the_bench_page_is_told_of_a_tap(bench: Bench, diary: Diary) -> None:
    row = bench.tap(ALICE)
    ((told, chip, transfers, decision, actuator),) = diary.of("decided")
    assert told == row
    assert (transfers, chip) == COST[len(ALICE)]
    assert isinstance(decision, float)
    assert isinstance(actuator, float)
    assert 0 < decision < 1
    assert 0 < actuator < 1
    bench.connect()
    bench.clock.advance(30_000_000)
    bench.acknowledge(row.seq)
    ((seq, seconds),) = diary.of("acknowledged")
    assert seq == row.seq
    assert seconds == pytest.approx(0.03)


def test_every_row_is_told_once_it_is_on_the_disk(bench: Bench, diary: Diary) -> None:
    bench.tap(ALICE)
    bench.tap(UNKNOWN)
    assert [seq for seq, _ in diary.of("journalled")] == [row.seq for row in bench.rows()]


def test_the_outputs_are_told_as_they_are_driven(bench: Bench, diary: Diary) -> None:
    diary.told.clear()
    bench.pins.moves.clear()
    bench.tap(ALICE)
    bench.wait(6)
    assert diary.of("output") == [(move.output, move.active) for move in bench.pins.moves]
    assert ("strike", False) in diary.of("output")


def test_outputs_that_are_not_wired_are_left_alone(folder: Folder) -> None:
    folder.replace("[readers.front-in.buzzer]\nline = 13\n", "")
    bench = Bench(folder)
    bench.turn()
    bench.tap(UNKNOWN)
    assert "front-in.buzzer" not in [move.output for move in bench.pins.moves]
    assert "front-in.red" in [move.output for move in bench.pins.moves]


def test_the_strike_falls_back_when_its_time_is_over(bench: Bench) -> None:
    bench.readers[0].lay(ALICE)
    bench.settle()
    assert bench.pins.is_active("strike")
    assert bench.edge.control.deadline is not None
    bench.wait(4.9)
    assert bench.pins.is_active("strike")
    bench.wait(0.2)
    assert not bench.pins.is_active("strike")


def test_a_change_is_dated_by_its_first_sample(bench: Bench) -> None:
    bench.wait(1)
    bench.tap(ALICE)
    bench.wait(2)
    bench.pins.put("contact", True)
    began = bench.clock.now()
    bench.wait(0.1)
    (opened,) = bench.rows(Kind.DOOR_OPENED)
    assert instant(opened.at) == began


def test_a_contact_that_flips_every_40_ms_fills_no_journal(bench: Bench) -> None:
    bench.wait(1)
    before = len(bench.rows())
    for place in range(250):
        bench.pins.put("contact", place % 2 == 0)
        bench.wait(0.03)
    bench.wait(20)
    rows = bench.rows()[before:]
    assert len(rows) <= 15
    assert [row.detail for row in rows if row.kind is Kind.INPUT_UNSTEADY] == ["contact"]
    (ended,) = bench.rows(Kind.INPUT_STEADY)
    assert ended.detail == "contact: 250 changes"


def test_a_field_that_reaches_through_the_wall_opens_nothing(bench: Bench) -> None:
    bench.readers[0].lay(UNKNOWN)
    bench.settle()
    bench.clock.advance(40_000_000)
    bench.readers[1].lay(UNKNOWN)
    bench.settle()
    assert not bench.pins.is_active("strike")
    assert [row.reader for row in bench.rows(Kind.TAP)] == ["front-in"]
    assert [row.reader for row in bench.rows(Kind.READ_THROUGH_WALL)] == ["front-out"]


@pytest.mark.parametrize("hidden", ["two", "one left of two", "unreadable"])
def test_of_cards_that_are_not_read_outside_none_opens_from_inside(bench: Bench, hidden: str) -> None:
    """Two cards on the reader outside, and the one inside reads one of them through the wall: leaving is granted."""
    outside, inside = bench.readers
    if hidden == "unreadable":
        outside.unreadable = True
        bench.wait(1.1)
    else:
        outside.lay(ALICE)
        outside.lay(UNKNOWN)
        bench.settle()
    if hidden == "one left of two":
        outside.take(ALICE)
        bench.wait(10)
    inside.lay(UNKNOWN)
    bench.settle()
    assert not bench.pins.is_active("strike")
    assert [row.reader for row in bench.rows(Kind.READ_THROUGH_WALL)] == ["front-out"]
    inside.take(UNKNOWN)
    outside.unreadable = False
    outside.close()
    bench.wait(3.0)
    inside.lay(UNKNOWN)
    bench.settle()
    assert bench.pins.is_active("strike"), "two seconds later it is a tap like any other"


def test_two_taps_at_once_are_two_rows(bench: Bench) -> None:
    bench.readers[0].lay(ALICE)
    bench.readers[1].lay(BRIGITTE)
    bench.settle()
    assert [(row.reader, row.reason) for row in bench.rows(Kind.TAP)] == [
        ("front-in", Reason.STAFF),
        ("front-out", Reason.EGRESS),
    ]


def test_what_the_controller_asks_for_is_handed_over_as_it_comes(bench: Bench) -> None:
    items: list[WorkItem] = []
    control = bench.edge.control
    control._hand_over = items.append
    fault = ReaderFault(at(10), 1.0, "front-in", "no answer")
    control.handle([CardSeen(at(10), 1.0, "front-out", ALICE, 8, 25, 0.003), fault])
    assert [type(item) for item in items] == [RowToWrite, RowToWrite, ReaderFault]
    assert items[-1] is fault
    control.controller.core.unrecorded = 3
    control.handle([])
    assert items[-1] == UnrecordedCount(3)
    control.handle([])
    assert len(items) == 4, "said once"


class Rounds:
    """Stops a poller after so many rounds, and notes when each began."""

    def __init__(self, clock: VirtualClock, most: int) -> None:
        self.clock = clock
        self.most = most
        self.began: list[float] = []

    def over(self) -> bool:
        self.began.append(self.clock.monotonic())
        return len(self.began) > self.most


class SlowReader(SimulatedReader):
    """A reader whose poll takes time on the bus."""

    seconds = 0.0

    def poll(self) -> None:
        self._clock.advance(round(self.seconds * 1e9))  # type: ignore[attr-defined]


@pytest.mark.parametrize(("seconds", "period"), [(0.0005, PERIOD), (0.004, PERIOD), (0.02, 0.02 + REST)])
def test_readers_are_asked_a_hundred_times_a_second(seconds: float, period: float) -> None:
    """A round that takes long still leaves the processor to others."""
    clock = VirtualClock(wake_ns=0)
    reader = SlowReader("front-in", clock)
    reader.seconds = seconds
    rounds = Rounds(clock, 100)
    Poller([reader], SimulatedPins([], [], clock), [], clock, lambda _: None, Walls({})).run(rounds.over)
    assert rounds.began[-1] == pytest.approx(100 * period, rel=0.01)


def test_an_edge_can_be_driven_by_hand_from_deadline_to_deadline(folder: Folder) -> None:
    """Nothing happens between deadlines: jumping from one to the next tells the same story as each 10 ms."""

    def story(jump: bool) -> list[tuple[str, bool]]:
        bench = Bench(make_folder(folder.config.parent / str(jump)))
        bench.turn()
        bench.give_rules()
        bench.tap(ALICE)
        end = bench.clock.monotonic() + 8
        while bench.clock.monotonic() < end:
            ahead = bench.edge.deadline - bench.clock.monotonic() if jump else 0.01
            bench.clock.advance(max(round(ahead * 1e9), 1_000_000))
            bench.turn()
        assert isinstance(bench.edge, Edge)
        return [(move.output, move.active) for move in bench.pins.moves]

    assert story(jump=True) == story(jump=False)
