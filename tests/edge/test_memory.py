"""What an edge knows when it starts, from its journal alone: checked against a controller that lived through it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.actions import Record
from edge.controller import EdgeController
from edge.core import Memory, Now
from edge.door import DoorSetup
from edge.events import CardSeen, InputChanged
from edge.held import HeldRules
from edge.knowledge import Knowledge
from edge.memory import REACH, recall, recent
from policy.facts import Moved
from policy.presence import Move
from policy.reasons import Reason
from policy.terms import DAY, SECOND, ClockState
from tests.support_rows import BOOT, row, tap
from tests.support_site import ALICE, BRIGITTE, GREGOIRE, MIDNIGHT, REMY, UNKNOWN, at, name_of, small_rules
from wire.row import Kind, Row


def known(*rows: Row) -> Memory:
    return recall(reversed(rows), Memory("b777", len(rows)))


def test_an_empty_journal_knows_nothing() -> None:
    memory = known()
    assert (memory.boot, memory.last_seq, memory.held, memory.last_at) == ("b777", 0, None, 0)
    assert memory.knowledge.state.presence.moves == {}
    assert not memory.knowledge.state.units
    assert not memory.knowledge.state.stopped


def test_a_tap_in_and_a_tap_out() -> None:
    entered = tap(1, "alice", at=at(9))
    left = tap(2, "alice", at=at(12), reason=Reason.EGRESS, reader="front-out")
    assert known(entered).knowledge.state.presence.moves == {"alice": Move(at(9), inside=True)}
    assert known(entered, left).knowledge.state.presence.moves == {"alice": Move(at(12), inside=False)}


def test_a_refused_tap_and_a_strangers_moves_nobody() -> None:
    refused = tap(1, "brigitte", granted=False, reason=Reason.OUTSIDE_HOURS)
    stranger = tap(2, None, reason=Reason.EGRESS, reader="front-out")
    assert known(refused, stranger).knowledge.state.presence.moves == {}


def test_a_pending_tap_counts_with_the_row_that_settles_it() -> None:
    waiting = tap(1, "alice", at=at(9), pending=True)
    opened = row(2, Kind.DOOR_OPENED, at=at(9, 0, 3), member="alice", settles=1)
    assert known(waiting).knowledge.state.presence.moves == {}
    assert known(waiting, opened).knowledge.state.presence.moves == {"alice": Move(at(9, 0, 3), inside=True)}


def test_a_door_that_opened_for_nobody_moves_nobody() -> None:
    assert known(row(1, Kind.DOOR_OPENED), row(2, Kind.REX)).knowledge.state.presence.moves == {}


def test_in_and_out_at_one_instant_is_out() -> None:
    left = tap(1, "alice", at=at(9), reason=Reason.EGRESS)
    assert known(left, tap(2, "alice", at=at(9))).knowledge.state.presence.moves == {"alice": Move(at(9), inside=False)}


def test_the_days_of_a_month_s_quota_are_read_and_no_more() -> None:
    newest = MIDNIGHT + 50 * DAY
    old, edge, last = row(1, at=newest - REACH - 1), row(2, at=newest - REACH), row(3, at=newest)
    assert recent([last, edge, old]) == [edge, last]


def test_reading_stops_at_the_first_old_row() -> None:
    def newest_first() -> object:
        yield row(3, at=MIDNIGHT + REACH + DAY)
        yield row(2, at=MIDNIGHT)
        raise AssertionError("the whole journal was read")

    assert len(recent(newest_first())) == 1  # type: ignore[arg-type]


def test_the_newest_trusted_instant() -> None:
    lost = row(2, at=0, clock=ClockState.UNKNOWN)
    assert known(row(1, at=at(9)), lost).last_at == at(9)
    assert known(lost).last_at == 0


def test_an_untrusted_row_counts_from_the_last_trusted_one() -> None:
    before = row(1, at=at(9), mono_ms=50_000)
    same_boot = tap(2, "alice", at=0, mono_ms=80_000, clock=ClockState.UNKNOWN)
    next_boot = tap(3, "remy", at=0, mono_ms=7_000, clock=ClockState.UNKNOWN, boot="b002")
    assert known(before, same_boot, next_boot).knowledge.state.presence.moves == {
        "alice": Move(at(9) + 30 * SECOND, inside=True),
        "remy": Move(at(9) + 7 * SECOND, inside=True),
    }


def test_a_row_in_doubt_is_dated_by_the_clock_that_was_set_later_in_its_boot() -> None:
    before = row(1, at=at(9), mono_ms=50_000)
    entered = tap(2, "alice", at=0, mono_ms=7_000, clock=ClockState.UNKNOWN, boot="b002")
    was_set = row(3, Kind.CLOCK_SET, at=at(11), mono_ms=67_000, boot="b002")
    lost = tap(4, "remy", at=0, mono_ms=8_000, clock=ClockState.UNKNOWN, boot="b003")
    assert known(before, entered, was_set, lost).knowledge.state.presence.moves == {
        "alice": Move(at(10, 59), inside=True),
        "remy": Move(at(11) + 8 * SECOND, inside=True),
    }


def test_of_rows_that_the_server_s_state_includes_only_the_time_is_read() -> None:
    knowledge = Knowledge([Moved("remy", at(8), True)])
    told = [tap(1, "alice", at=at(8)), row(2, at=at(9)), tap(3, "brigitte", at=0, clock=ClockState.UNKNOWN, boot="b9")]
    memory = recall(reversed(told), Memory("b777", 3, knowledge), reached=2)
    assert set(memory.knowledge.state.presence.moves) == {"remy", "brigitte"}
    assert memory.last_at == at(9)
    assert recall(reversed(told), Memory("b777", 3), reached=3).last_at == at(9)


def test_with_a_state_reading_stops_at_the_first_trusted_row_that_it_includes() -> None:
    def newest_first() -> object:
        yield row(9, at=at(10))
        yield row(8, at=0, clock=ClockState.UNKNOWN)
        yield row(7, at=at(9))
        raise AssertionError("the whole journal was read")

    assert [found.seq for found in recent(newest_first(), reached=8)] == [7, 8, 9]  # type: ignore[arg-type]


READERS = st.sampled_from(["front-in", "front-out"])
BADGES = st.sampled_from([ALICE, BRIGITTE, GREGOIRE, REMY, UNKNOWN])
STEPS = st.lists(st.tuples(st.integers(1, 4000), st.one_of(st.booleans(), st.tuples(READERS, BADGES))), max_size=40)


@settings(deadline=None)
@given(steps=STEPS, contact=st.booleans(), cut=st.integers(0, 40), doubt=st.integers(0, 60), back=st.integers(1, 60))
def test_after_a_power_cut_the_edge_knows_what_it_knew(
    steps: list[tuple[int, bool | tuple[str, bytes]]], contact: bool, cut: int, doubt: int, back: int
) -> None:
    """Live through any steps, doubting the clock for some of them: the journal's rows tell the same moves."""
    setup = DoorSetup("front", "front-in", "front-out", has_contact=contact)
    held = HeldRules(7, "", at(0) + 14 * DAY, small_rules())
    controller = EdgeController((setup,), Memory(BOOT, held=held), name_of)
    start, mono = at(9), 0.0
    written: list[Row] = []

    def live(now: Now, *events: CardSeen | InputChanged) -> None:
        step = controller.step(now, events) if written else controller.start(now)
        written.extend(action.row for action in step.actions if isinstance(action, Record))

    live(Now(start, mono, ClockState.SYNCED))
    for number, (tenths, what) in enumerate(steps[:cut]):
        mono += tenths / 10
        lost = doubt <= number < doubt + back
        now = Now(start + round(mono * 1000), mono, ClockState.UNKNOWN if lost else ClockState.SYNCED)
        if isinstance(what, bool):
            live(now, InputChanged(now.at, now.mono, "contact", what))
        else:
            live(now, CardSeen(now.at, now.mono, what[0], what[1], 8, 25, 0.003))
    assert (
        recall(reversed(written), Memory("b002", len(written))).knowledge.state.presence.moves
        == controller.core.state.presence.moves
    )
