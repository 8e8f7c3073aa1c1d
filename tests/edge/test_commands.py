"""Commands: done once, in time, here, or answered with why not; and what each of them does at a door and a machine."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.commands import REFUSALS, REMEMBERED, Places, SeenCommands, dated, judge
from edge.events import Hold, Ordered
from edge.journal_errors import JournalError
from edge.knowledge import Positions
from edge.patterns import SOUND
from policy.instants import instant, text
from policy.reasons import Reason
from policy.ruleset import Places as PlacesOf
from policy.spans import spans
from policy.terms import DAY, HOUR, SECOND, ClockState
from simulator.clock import VirtualClock
from tests.support_edge import TOPICS, Bench, Folder, command_at, make_folder
from tests.support_fablab import FabBench, fab_rules, kinds
from tests.support_machine import fab_bench, power_cut
from tests.support_site import ALICE, BRIGITTE, GREGOIRE, at
from wire.envelope import seal
from wire.errors import WireError
from wire.messages import Command, Reply, encode
from wire.row import Kind, Order, Row

PLACES = Places(frozenset({"front"}), frozenset({"laser"}), frozenset({"front-in", "laser-tap"}))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return make_folder(tmp_path / "site")


@pytest.fixture
def bench(folder: Folder) -> Bench:
    bench = fab_bench(folder)
    bench.connect()
    return bench


def replies(bench: Bench) -> list[Reply]:
    return bench.wire.taken("reply")


def answer(bench: Bench) -> Reply:
    (reply,) = replies(bench)
    return reply


# Judged


def judged(command: Command, now: int | None = at(10), earliest: int = 0) -> str | None:
    return judge(dated(command), now, earliest, PLACES)


@pytest.mark.parametrize(
    ("order", "place", "fault"),
    [
        (Order.RELOCK, "front", None),
        (Order.RELOCK, "laser", "'laser' is no access point of this edge"),
        (Order.OPEN, "front", None),
        (Order.OPEN, "laser", "'laser' is no access point of this edge"),
        (Order.OPEN, None, "None is no access point of this edge"),
        (Order.LOCK_OUT, "laser", None),
        (Order.LOCK_OUT, "front", "'front' is no machine of this edge"),
        (Order.SOUND, "laser-tap", None),
        (Order.SOUND, "back-in", "'back-in' is no reader of this edge"),
        (Order.REREAD, None, None),
        (Order.ENROL, "front-in", None),
        (Order.ENROL, "front", "'front' is no reader of this edge"),
        (Order.STOP_ENROL, "front-in", None),
        (Order.STOP_ENROL, "front", "'front' is no reader of this edge"),
    ],
)
def test_an_order_must_fit_its_place(order: Order, place: str | None, fault: str | None) -> None:
    key = "ab" * 32 if order is Order.ENROL else None
    assert judged(command_at(at(10), order, place, key=key)) == fault


@pytest.mark.parametrize(
    ("now", "earliest", "fault"),
    [
        (at(10), 0, None),
        (at(10) + 10 * SECOND, 0, None),
        (at(10) + 10 * SECOND + 1, 0, "too late, by 0 s: see network and clocks"),
        (at(11), 0, "too late, by 3590 s: see network and clocks"),
        (at(10) - 10 * SECOND, 0, None),
        (at(10) - 10 * SECOND - 1, 0, "issued 10 s from now: see the clocks of server and edge"),
        (at(10), at(11), "too late, by 3590 s: see network and clocks"),
        (None, 0, "the clock of this edge is not trusted"),
    ],
)
def test_it_must_come_in_time(now: int | None, earliest: int, fault: str | None) -> None:
    assert judged(command_at(at(10), Order.OPEN, "front"), now, earliest) == fault


def test_none_holds_for_longer_than_ten_seconds() -> None:
    command = command_at(at(10), Order.OPEN, "front")
    assert judged(replace(command, not_after=text(at(10) + 10 * SECOND + 1))) == "holds for more than 10 s"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nonce": ""}, "a nonce of 0 characters"),
        ({"nonce": "n" * 65}, "a nonce of 65 characters"),
        ({"order": Order.ENROL}, "enrol without a key"),
        ({"key": "ab" * 32}, "open with a key"),
        ({"issued": "soon"}, "no instant"),
        ({"not_after": "9999-99-99"}, "no instant"),
    ],
)
def test_what_no_honest_server_writes_is_no_command(change: dict[str, object], said: str) -> None:
    with pytest.raises(WireError, match=said):
        dated(replace(command_at(at(10), Order.OPEN, "front"), **change))


@pytest.mark.parametrize(
    ("until", "fault"),
    [
        (at(10) + 1, None),
        (at(14), None),
        (at(14) + 1, "unlock: for more than 4 h"),
        (at(10), "unlock: until is missing, or over"),
        (None, "unlock: until is missing, or over"),
    ],
)
def test_a_door_is_kept_unlocked_for_four_hours_at_most(until: int | None, fault: str | None) -> None:
    said = None if until is None else text(until)
    assert judged(command_at(at(10), Order.UNLOCK, "front", until=said)) == fault
    assert judged(command_at(at(10), Order.UNLOCK, "laser", until=said)) == "'laser' is no access point of this edge"


# SeenCommands


@given(st.lists(st.integers(0, 3 * REMEMBERED), min_size=1, max_size=60), st.integers(0, 2**32))
def test_whatever_was_seen_is_known_for_ever(numbers: list[int], shuffled: int) -> None:
    """After more commands than are remembered too, in whatever order, and from the disk."""
    seen, disk = SeenCommands(), dict[str, bytes]()
    for number in [*numbers, *((n * 7919 + shuffled) % 4000 for n in range(REMEMBERED))]:
        it = dated(command_at(at(10) + number, Order.REREAD, nonce=f"n{number}"))
        for name, value in seen.note(it).items():
            disk.pop(name, None) if value is None else disk.update({name: value})
    assert len(disk) <= REMEMBERED + 1
    for number in numbers:
        it = dated(command_at(at(10) + number, Order.REREAD, nonce=f"n{number}"))
        assert seen.knows(it)
        assert SeenCommands(disk).knows(it)
    assert not SeenCommands(disk).knows(dated(command_at(at(11), Order.REREAD, nonce="new")))


# Carried out


def test_open_moves_the_strike_and_nobody_inside(bench: Bench) -> None:
    command = bench.order(Order.OPEN, "front")
    assert bench.pins.is_active("strike")
    (row,) = bench.rows(Kind.COMMAND)
    assert (row.nonce, row.order, row.access_point) == (command.nonce, Order.OPEN, "front")
    assert (row.granted, row.detail, row.member) == (True, "alice", None)
    assert answer(bench) == Reply(command.nonce, done=True)
    assert bench.core.state.presence.moves == {}
    bench.wait(6)
    assert not bench.pins.is_active("strike")


def test_open_works_in_a_lockdown() -> None:
    bench = FabBench()
    bench.knows(lockdown=True)
    assert bench.tap(BRIGITTE, "front-in").reason is Reason.LOCKDOWN
    ordered(bench, Order.OPEN, "front")
    assert bench.outputs["strike"]


def test_who_opens_then_breaks_nothing_open(folder: Folder) -> None:
    bench = Bench(folder)
    bench.order(Order.OPEN, "front")
    bench.wait(1)
    bench.pins.put("contact", active=True)
    bench.wait(0.1)
    assert bench.rows(Kind.DOOR_OPENED)
    assert not bench.rows(Kind.DOOR_FORCED)


def test_a_new_edge_without_rules_opens_too(folder: Folder) -> None:
    bench = Bench(folder)
    bench.order(Order.OPEN, "front")
    assert bench.pins.is_active("strike")


def test_sound_shows_one_reader_and_moves_no_relay(bench: Bench) -> None:
    bench.order(Order.SOUND, "front-out")
    assert bench.pins.is_active("front-out.buzzer")
    assert bench.pins.is_active("front-out.green")
    assert not bench.pins.is_active("front-in.buzzer")
    (row,) = bench.rows(Kind.COMMAND)
    assert (row.reader, row.access_point) == ("front-out", "front")
    bench.order(Order.SOUND, "laser-tap")
    assert bench.pins.is_active("laser-tap.buzzer")
    bench.wait(SOUND.seconds + 1)
    assert not any(bench.pins.is_active(f"{reader}.buzzer") for reader in ("front-out", "laser-tap"))
    assert not {move.output for move in bench.pins.moves} & {"strike", "laser.interlock"}


def test_reread_answers_and_then_connects_anew(bench: Bench) -> None:
    bench.order(Order.REREAD)
    assert answer(bench).done
    assert bench.wire.state == "reconnected"


# Kept unlocked


def unlocked(bench: Bench, minutes: int = 15) -> Command:
    return bench.order(Order.UNLOCK, "front", until=text(bench.clock.now() + minutes * 60 * SECOND))


def told(bench: Bench) -> dict[str, str]:
    """The doors that the edge says are kept unlocked."""
    status = bench.wire.taken("status")[-1]
    return dict(status.unlocked)


def test_a_door_is_kept_unlocked_until_its_time(bench: Bench) -> None:
    command = unlocked(bench)
    assert bench.pins.is_active("strike")
    assert answer(bench) == Reply(command.nonce, done=True)
    assert told(bench) == {"front": command.until}
    bench.wait(899)
    assert bench.pins.is_active("strike")
    bench.wait(2)
    assert not bench.pins.is_active("strike")
    order, end = bench.rows(Kind.COMMAND, Kind.RELOCKED)
    assert (order.until, order.granted) == (command.until, True)
    assert (end.access_point, end.detail) == ("front", "its time is over")
    assert told(bench) == {}


def test_its_time_is_that_of_the_monotonic_clock(bench: Bench) -> None:
    """Without a link, and whatever the wall clock says."""
    unlocked(bench)
    bench.wire.down()
    bench.clock.set(now=bench.clock.now() - DAY)
    bench.wait(899)
    assert bench.pins.is_active("strike")
    bench.clock.set(now=bench.clock.now() + 3 * DAY)
    bench.wait(0.5)
    assert bench.pins.is_active("strike")
    bench.wait(1)
    assert not bench.pins.is_active("strike")


def test_relock_locks_at_once(bench: Bench) -> None:
    unlocked(bench)
    command = bench.order(Order.RELOCK, "front")
    assert not bench.pins.is_active("strike")
    assert replies(bench)[-1] == Reply(command.nonce, done=True)
    assert told(bench) == {}
    bench.order(Order.OPEN, "front")
    bench.order(Order.RELOCK, "front")
    assert not bench.pins.is_active("strike"), "the five seconds of an opening, too"


def test_another_time_stands_in_place_of_the_first(bench: Bench) -> None:
    unlocked(bench)
    unlocked(bench, minutes=1)
    bench.wait(59)
    assert bench.pins.is_active("strike")
    bench.wait(2)
    assert not bench.pins.is_active("strike")


def test_a_restart_locks_it(bench: Bench) -> None:
    unlocked(bench)
    bench = power_cut(bench, VirtualClock(start=bench.clock.now()))
    bench.connect()
    assert not bench.pins.is_active("strike")
    assert told(bench) == {}


def test_who_opens_a_door_that_is_kept_unlocked_breaks_nothing_open(folder: Folder) -> None:
    bench = Bench(folder)
    unlocked(bench)
    bench.wait(60)
    bench.pins.put("contact", active=True)
    bench.wait(1)
    assert bench.rows(Kind.DOOR_OPENED)
    assert not bench.rows(Kind.DOOR_FORCED)


def hold(bench: FabBench, seconds: float = 900) -> Hold:
    return Hold(at(10) + round(seconds * 1000), bench.mono + seconds)


def test_a_lockdown_locks_it_and_lets_none_be_unlocked() -> None:
    bench = FabBench()
    ordered(bench, Order.UNLOCK, "front", hold=hold(bench))
    assert bench.outputs["strike"]
    rows = bench.knows(lockdown=True)
    assert [(row.kind, row.detail) for row in rows] == [(Kind.RELOCKED, "lockdown")]
    assert not bench.outputs["strike"]
    (row,) = ordered(bench, Order.UNLOCK, "front", hold=hold(bench))
    assert (row.granted, row.detail) == (False, "lockdown: no door is kept unlocked; lift it first")
    assert not bench.outputs["strike"]
    bench.knows(lockdown=False)
    assert not bench.outputs["strike"], "it does not come back with the end of the lockdown"


def test_to_lock_a_door_during_a_public_event_leaves_it_to_the_event_alone() -> None:
    """The order is not carried out, as the event goes on; and nothing opens the door again after the event."""
    times = spans([(at(10), at(11))])
    event = PlacesOf(times, {"front": times})
    bench = FabBench(rules=fab_rules(events=event, public_events=event), inside=("alice",))
    ordered(bench, Order.UNLOCK, "front", hold=hold(bench, 2 * 3600))
    rows = ordered(bench, Order.RELOCK, "front")
    assert [(row.kind, row.granted) for row in rows] == [(Kind.RELOCKED, None), (Kind.COMMAND, False)]
    assert bench.outputs["strike"]
    bench.until(at(11))
    assert not bench.outputs["strike"]


def test_the_last_who_answers_for_the_place_locks_it_by_leaving() -> None:
    bench = FabBench(inside=("alice", "gregoire", "brigitte"))
    ordered(bench, Order.UNLOCK, "front", hold=hold(bench))
    bench.mono += 60
    bench.taps(ALICE, "front-out")
    bench.waits(6)
    assert bench.outputs["strike"], "the gardien is still there"
    rows = bench.taps(GREGOIRE, "front-out")
    assert [row.detail for row in rows if row.kind is Kind.RELOCKED] == ["the last who answers for the place has left"]
    bench.waits(6)
    assert not bench.outputs["strike"]


def test_where_nobody_answered_for_the_place_nobody_locks_it_by_leaving() -> None:
    """Somebody of the team opens from afar."""
    bench = FabBench(inside=("brigitte",))
    ordered(bench, Order.UNLOCK, "front", hold=hold(bench))
    bench.mono += 60
    bench.taps(BRIGITTE, "front-out")
    bench.waits(6)
    assert bench.outputs["strike"]


def test_at_the_end_of_the_site_day_nobody_is_there_who_answers_for_it() -> None:
    bench = FabBench(start=at(27), inside=("alice",))
    ordered(bench, Order.UNLOCK, "front", hold=hold(bench, 2 * 3600))
    bench.waits(3599)
    assert bench.outputs["strike"]
    bench.waits(2)
    assert not bench.outputs["strike"]


def ordered(bench: FabBench, order: Order, place: str | None = None, **fields: object) -> list[Row]:
    told: dict[str, object] = {"nonce": "n1", "by": "alice", "until": bench.mono + 10} | fields
    return bench.does(Ordered, order=order, place=place, **told)


def test_a_lock_out_takes_the_power_first_and_keeps_the_machine_off() -> None:
    bench = FabBench()
    bench.taps(BRIGITTE)
    assert bench.runs()
    bench.mono += 60
    rows = ordered(bench, Order.LOCK_OUT, "laser")
    assert not bench.runs()
    assert kinds(rows) == [Kind.SESSION_ENDED, Kind.COMMAND]
    assert rows[0].ended == text(at(10, 1))
    bench.mono += 60
    assert bench.tap(BRIGITTE).reason is Reason.MACHINE_LOCKED_OUT
    bench.swaps(fab_rules())
    assert bench.tap(ALICE, "printer-tap").granted, "the machine beside it runs"
    bench.mono += 60
    assert bench.tap(BRIGITTE).reason is Reason.MACHINE_LOCKED_OUT, "new rules are about other things"
    assert bench.tap(GREGOIRE).reason is Reason.MACHINE_RESET
    bench.mono += 60
    assert bench.tap(BRIGITTE).reason is Reason.WALK_UP


def test_a_lock_out_stops_a_start_that_waits_for_the_disk() -> None:
    bench = FabBench()
    bench.disk = False
    bench.taps(BRIGITTE)
    ordered(bench, Order.LOCK_OUT, "laser")
    bench.disk = True
    bench.written()
    assert not bench.runs()


def test_a_lock_out_outlives_a_power_cut(bench: Bench) -> None:
    bench.order(Order.LOCK_OUT, "laser")
    bench = power_cut(bench, VirtualClock(start=bench.clock.now() + HOUR))
    bench.tap(BRIGITTE)
    assert bench.tap(BRIGITTE, reader=2).reason is Reason.MACHINE_LOCKED_OUT


def test_what_waited_too_long_on_its_way_to_the_door_is_not_done() -> None:
    bench = FabBench()
    (row,) = ordered(bench, Order.OPEN, "front", until=bench.mono - 0.001)
    assert (row.granted, row.access_point) == (False, "front")
    assert row.detail is not None
    assert row.detail.startswith("too late")
    assert not bench.outputs["strike"]


# Not carried out


def test_a_refusal_is_a_row_and_an_answer(bench: Bench) -> None:
    command = bench.order(Order.OPEN, "front", after=-11)
    (row,) = bench.rows(Kind.COMMAND)
    assert (row.granted, row.nonce) == (False, command.nonce)
    assert answer(bench) == Reply(command.nonce, done=False, why="too late, by 1 s: see network and clocks")
    assert not bench.pins.is_active("strike")


def test_an_unknown_place_is_named_in_words_only(bench: Bench) -> None:
    """The server does not believe a row about an access point that its edge has not."""
    bench.order(Order.OPEN, "back")
    (row,) = bench.rows(Kind.COMMAND)
    assert (row.access_point, row.detail) == (None, "'back' is no access point of this edge")


def test_a_clock_in_doubt_obeys_nobody(folder: Folder) -> None:
    bench = fab_bench(folder, VirtualClock(start=at(10), state=ClockState.UNKNOWN))
    bench.order(Order.OPEN, "front")
    assert answer(bench).why == "the clock of this edge is not trusted"
    assert not bench.pins.is_active("strike")


def test_a_second_copy_is_neither_done_nor_answered_nor_written(bench: Bench) -> None:
    command = bench.order(Order.OPEN, "front")
    bench.wait(6)
    replies(bench)
    for _ in range(3):
        bench.wire.say(TOPICS.command("front"), command)
        bench.settle()
    assert not bench.pins.is_active("strike")
    assert len(bench.rows(Kind.COMMAND)) == 1
    assert replies(bench) == []
    assert bench.edge.storage.refusals.counts["command again"] == 3


def test_what_was_refused_stays_refused(folder: Folder) -> None:
    bench = fab_bench(folder, VirtualClock(start=at(10), state=ClockState.UNKNOWN))
    command = bench.order(Order.OPEN, "front")
    bench.clock.set(state=ClockState.SYNCED)
    bench.wire.say(TOPICS.command("front"), command)
    bench.settle()
    assert not bench.pins.is_active("strike")
    assert len(bench.rows(Kind.COMMAND)) == 1


def test_a_flood_of_forged_commands_leaves_nothing(bench: Bench) -> None:
    before = bench.journal.last_seq
    stranger = Ed25519PrivateKey.generate()
    for _ in range(200):
        body = encode(command_at(bench.clock.now(), Order.OPEN, "front"))
        bench.wire.deliver(TOPICS.command("front"), seal(stranger, "server", TOPICS.command("front"), body))
    bench.settle()
    assert bench.journal.last_seq == before
    assert bench.edge.storage.refusals.counts["command ForgedError"] == 200
    assert replies(bench) == []


def test_a_flood_of_old_commands_leaves_a_hundred_rows_an_hour(bench: Bench) -> None:
    for _ in range(REFUSALS + 50):
        bench.order(Order.OPEN, "front", after=-60)
    assert len(bench.rows(Kind.COMMAND)) == REFUSALS
    assert bench.edge.storage.refusals.counts["command refused"] == 50
    bench.order(Order.OPEN, "front")
    assert bench.pins.is_active("strike"), "a good one is done all the same"
    bench.clock.advance(3_600_000_000_000)
    bench.order(Order.OPEN, "front", after=-60)
    assert len(bench.rows(Kind.COMMAND)) == REFUSALS + 2


def test_what_the_disk_does_not_take_is_not_done(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing would know after a power cut that it was done."""

    def refuse(*_: object) -> None:
        raise JournalError("the disk is full: make room")

    monkeypatch.setattr(bench.journal, "keep", refuse)
    bench.order(Order.OPEN, "front")
    assert not bench.pins.is_active("strike")
    assert "the disk of this edge does not take it" in answer(bench).why


def test_it_is_on_the_disk_before_it_is_done(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    keep, told = bench.journal.keep, list[bool]()

    def watched(values: dict[str, bytes | None], included: Positions | None) -> None:
        told.append(bench.pins.is_active("strike"))
        keep(values, included)

    monkeypatch.setattr(bench.journal, "keep", watched)
    bench.order(Order.OPEN, "front")
    assert told == [False]
    assert bench.pins.is_active("strike")


# Once and in time, whatever happens


@dataclass
class Story:
    """A bench, the true time, and the commands that the server gave; true: of the server, ms."""

    bench: Bench
    true: int = at(10)
    given: list[Command] = field(default_factory=list)
    done: dict[str, list[int]] = field(default_factory=dict)

    def waits(self, seconds: float) -> None:
        self.bench.wait(seconds)
        self.true += round(seconds * 1000)
        self.note()

    def note(self) -> None:
        """Which commands are done, and when that was noticed."""
        for row in self.bench.rows(Kind.COMMAND):
            if row.granted and row.seq not in self.done.setdefault(str(row.nonce), []):
                self.done[str(row.nonce)].append(row.seq)
                sent = next(command for command in self.given if command.nonce == row.nonce)
                assert text(self.true) <= sent.not_after, "done late"


STEPS = (-DAY, -HOUR, -60 * SECOND, -15 * SECOND, 15 * SECOND, HOUR, 400 * DAY)
KINDS = ("give", "give", "deliver", "deliver", "deliver", "wait", "wait", "step", "aim", "right", "cut")
ACTS = st.tuples(st.sampled_from(KINDS), st.integers(0, 27))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(acts=[("give", 0), ("wait", 2), ("aim", 0), ("deliver", 0)])
@example(acts=[("give", 0), ("wait", 0), ("deliver", 0), ("cut", 0), ("deliver", 0)])
@example(acts=[("give", 0), ("deliver", 0), ("wait", 3), ("aim", 0), ("deliver", 0)])
@given(acts=st.lists(ACTS, min_size=5, max_size=20))
def test_none_is_done_twice_or_late(tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]]) -> None:
    """Delivered late, again and in another order, over power cuts and a trusted clock that steps both ways."""
    story = Story(Bench(make_folder(tmp_path_factory.mktemp("story") / "site")))
    story.bench.turn()
    for what, number in acts:
        bench = story.bench
        if what == "give":
            story.given.append(command_at(story.true, Order.OPEN, "front"))
        elif what == "deliver" and story.given:
            bench.wire.say(TOPICS.command("front"), story.given[-1 - number % len(story.given)])
            bench.settle()
        elif what == "wait":
            story.waits((1, 4, 11, 40)[number % 4])
        elif what == "step":
            bench.clock.set(now=bench.clock.now() + STEPS[number % len(STEPS)])
            bench.settle()
        elif what == "aim" and story.given:  # a clock that makes an old command look new
            bench.clock.set(now=instant(story.given[-1 - number % len(story.given)].issued) + 5 * SECOND)
            bench.settle()
        elif what == "right":
            bench.clock.set(now=story.true)
            bench.settle()
        elif what == "cut":
            story.bench = power_cut(bench, VirtualClock(start=story.true))
        story.note()
    story.bench.edge.stop()
    assert all(len(rows) == 1 for rows in story.done.values()), "done twice"
