"""The door controller: what a step does, event by event, in virtual time."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.actions import Drive, Record
from edge.controller import EdgeController, Step
from edge.core import Memory, Now
from edge.door import DoorController, DoorSetup
from edge.events import (
    CardGone,
    CardsCollided,
    CardSeen,
    CardUnreadable,
    Event,
    InputChanged,
    InputSteady,
    InputUnsteady,
    JournalTrouble,
    ReaderFault,
    ReaderRecovered,
    ReadThroughWall,
    RulesConfirmed,
    RulesSwapped,
)
from edge.held import HeldRules
from edge.knowledge import Knowledge
from policy.facts import Moved
from policy.instants import text
from policy.presence import Move
from policy.reasons import Reason
from policy.terms import DAY, ClockState
from tests.support_site import ALICE, BRIGITTE, GREGOIRE, REMY, UNKNOWN, at, name_of, small_rules
from wire.row import Kind, Row

SETUP = DoorSetup("front", "front-in", "front-out")
FOREVER = at(0) + 14 * DAY


class Bench:
    """A controller, its two clocks and everything that it has done."""

    def __init__(
        self,
        setup: DoorSetup = SETUP,
        *,
        rules: bool = True,
        start: int = at(10),
        trusted: bool = True,
        moves: dict[str, Move] | None = None,
        last_at: int = 0,
    ) -> None:
        held = HeldRules(7, "", FOREVER, small_rules()) if rules else None
        knowledge = Knowledge(Moved(member, move.at, move.inside) for member, move in (moves or {}).items())
        self.controller = EdgeController((setup,), Memory("boot", 0, knowledge, held, last_at), name_of)
        self.start, self.mono = start, 0.0
        self.clock = ClockState.SYNCED if trusted else ClockState.UNKNOWN
        self.outputs: dict[str, bool] = {}
        self.history: list[tuple[float, str, bool]] = []
        self.rows: list[Row] = []
        self.deadline: float | None = None
        self._carry_out(self.controller.start(self.now))
        self.contact(is_open=False)

    @property
    def now(self) -> Now:
        return Now(self.start + round(self.mono * 1000), self.mono, self.clock)

    def _carry_out(self, step: Step) -> list[Row]:
        actions, self.deadline = step
        new = []
        for action in actions:
            if isinstance(action, Drive):
                self.outputs[action.output] = action.active
                self.history.append((self.mono, action.output, action.active))
            elif isinstance(action, Record):
                new.append(action.row)
        self.rows += new
        return new

    def does(self, kind: type[Event], **fields: object) -> list[Row]:
        return self._carry_out(self.controller.step(self.now, [kind(self.now.at, self.mono, **fields)]))

    def taps(self, uid: bytes, reader: str = "front-in") -> Row:
        rows = self.does(CardSeen, reader=reader, uid=uid, sak=8, transfers=26, seconds=0.003)
        return next(row for row in rows if row.kind is Kind.TAP)

    def contact(self, is_open: bool) -> list[Row]:
        return self.does(InputChanged, name="contact", active=is_open)

    def opens(self) -> list[Row]:
        """The contact opens; what is said of it when it is judged, if nothing explains it before."""
        return self.contact(is_open=True) + self.waits(0.5)

    def changes(self, name: str, active: bool, first: float) -> list[Row]:
        """An input changed at this second, and is stable now."""
        event = InputChanged(self.start + round(first * 1000), first, name, active)
        return self._carry_out(self.controller.step(self.now, [event]))

    def waits(self, seconds: float) -> list[Row]:
        """Let time pass, stopping at every deadline."""
        end, new = self.mono + seconds, []
        while self.deadline is not None and self.deadline <= end:
            assert self.deadline > self.mono, "a deadline that does not move on would spin"
            self.mono = self.deadline
            new += self._carry_out(self.controller.step(self.now, ()))
        self.mono = end
        return new + self._carry_out(self.controller.step(self.now, ()))

    def inside(self) -> list[str]:
        return sorted(member for member, move in self.moves.items() if move.inside)

    @property
    def moves(self) -> dict[str, Move]:
        return self.controller.core.state.presence.moves


def test_it_says_that_it_started_with_every_output_safe() -> None:
    bench = Bench()
    assert bench.rows[0].kind is Kind.STARTED
    assert bench.rows[0].seq == 1
    assert set(bench.outputs.values()) == {False}
    assert "strike" in bench.outputs


def test_a_grant_releases_the_strike_for_five_seconds_before_anything_is_written() -> None:
    bench = Bench()
    step = bench.controller.step(bench.now, [CardSeen(at(10), 0.0, "front-in", BRIGITTE, 8, 26, 0.003)])
    assert step.actions[0] == Drive("strike", active=True)
    bench._carry_out(step)
    bench.waits(4.999)
    assert bench.outputs["strike"]
    bench.waits(0.001)
    assert not bench.outputs["strike"]


def test_the_row_of_a_tap_says_who_where_why_and_by_which_rules() -> None:
    row = Bench().taps(BRIGITTE)
    assert (row.reader, row.credential, row.member) == ("front-in", BRIGITTE.hex(), "brigitte")
    assert (row.granted, row.reason, row.rules_version) == (True, Reason.STAFFED_HOURS, 7)
    assert (row.at, row.mono_ms, row.boot, row.clock) == (text(at(10)), 0, "boot", ClockState.SYNCED)
    assert row.access_point == "front"
    assert row.pending


def test_a_refusal_moves_no_strike_and_pends_nothing() -> None:
    bench = Bench()
    row = bench.taps(UNKNOWN)
    assert (row.granted, row.reason, row.member, row.pending) == (False, Reason.UNKNOWN_CREDENTIAL, None, False)
    assert not bench.outputs["strike"]
    assert bench.outputs["front-in.red"]
    assert bench.opens()[0].kind is Kind.DOOR_FORCED


def test_an_entry_takes_effect_when_the_door_opens() -> None:
    bench = Bench()
    tap = bench.taps(BRIGITTE)
    assert bench.inside() == []
    bench.waits(1.5)
    (row,) = bench.contact(is_open=True)
    assert (row.kind, row.settles, row.member) == (Kind.DOOR_OPENED, tap.seq, "brigitte")
    assert bench.moves == {"brigitte": Move(at(10) + 1500, inside=True)}


def test_a_grant_whose_door_stays_shut_lapses() -> None:
    bench = Bench()
    bench.taps(BRIGITTE)
    bench.waits(5)
    (row,) = bench.opens()
    assert (row.kind, row.settles) == (Kind.DOOR_FORCED, None)
    assert bench.inside() == []


def test_two_people_through_one_opening_are_both_in() -> None:
    bench = Bench()
    first = bench.taps(BRIGITTE)
    bench.waits(1)
    second = bench.taps(REMY)
    bench.waits(1)
    assert [row.settles for row in bench.contact(is_open=True)] == [first.seq, second.seq]
    assert bench.inside() == ["brigitte", "remy"]


def test_a_grant_is_settled_by_the_first_opening_only() -> None:
    bench = Bench()
    bench.taps(BRIGITTE)
    bench.contact(is_open=True)
    bench.contact(is_open=False)
    (again,) = bench.contact(is_open=True)
    assert (again.kind, again.member, again.settles) == (Kind.DOOR_OPENED, None, None)


def test_an_opening_after_the_strike_time_settles_nothing_however_it_is_heard_of() -> None:
    """Nothing made the controller look at the clock between the grant and the opening."""
    bench = Bench()
    bench.taps(BRIGITTE)
    bench.mono = 5.0
    (opened,) = bench.opens()
    assert (opened.kind, opened.member) == (Kind.DOOR_FORCED, None)
    assert bench.inside() == []


def test_an_opening_within_the_strike_time_settles_however_late_it_is_heard_of() -> None:
    bench = Bench()
    tap = bench.taps(BRIGITTE)
    bench.mono = 6.0
    late = InputChanged(bench.now.at - 2000, 4.0, "contact", active=True)
    (opened,) = bench._carry_out(bench.controller.step(bench.now, [late]))
    assert (opened.kind, opened.settles) == (Kind.DOOR_OPENED, tap.seq)
    assert bench.inside() == ["brigitte"]


def test_a_door_that_stands_open_counts_as_opening() -> None:
    bench = Bench()
    bench.taps(BRIGITTE)
    bench.contact(is_open=True)
    bench.waits(20)
    tap = bench.taps(REMY)
    assert (bench.rows[-1].kind, bench.rows[-1].settles) == (Kind.DOOR_OPENED, tap.seq)
    assert bench.inside() == ["brigitte", "remy"]


def test_without_a_contact_an_entry_takes_effect_at_once() -> None:
    bench = Bench(dataclasses.replace(SETUP, has_contact=False))
    row = bench.taps(BRIGITTE)
    assert not row.pending
    assert bench.inside() == ["brigitte"]


def test_leaving_takes_effect_at_once_whatever_the_badge() -> None:
    bench = Bench(moves={"brigitte": Move(at(9), inside=True)})
    assert bench.taps(UNKNOWN, "front-out").reason is Reason.EGRESS
    row = bench.taps(BRIGITTE, "front-out")
    assert (row.granted, row.reason, row.member, row.pending) == (True, Reason.EGRESS, "brigitte", False)
    assert bench.inside() == []
    assert bench.outputs["strike"]
    assert bench.contact(is_open=True)[0].kind is Kind.DOOR_OPENED


@pytest.mark.parametrize("wrong", [at(10) - 400 * DAY, at(10) + 400 * DAY])
@pytest.mark.parametrize(
    ("badge", "reason"),
    [
        (ALICE, Reason.STAFF),
        (GREGOIRE, Reason.GARDIEN_GRACE),
        (REMY, Reason.ALWAYS),
        (BRIGITTE, Reason.CLOCK_UNTRUSTED),
    ],
)
def test_while_the_clock_is_in_doubt_the_last_trusted_instant_decides(wrong: int, badge: bytes, reason: Reason) -> None:
    """By what the clock says the rules would be stale, or long in force."""
    assert Bench(start=wrong, trusted=False, last_at=at(9, 59)).taps(badge).reason is reason


def test_rules_that_were_stale_when_the_clock_was_last_trusted_still_are() -> None:
    bench = Bench(start=at(10), trusted=False, last_at=FOREVER + DAY)
    assert bench.taps(REMY).reason is Reason.RULES_STALE


def test_it_knows_from_its_journal_who_was_inside() -> None:
    bench = Bench(start=at(19), moves={"gregoire": Move(at(17, 40), inside=True)})
    assert bench.taps(BRIGITTE).reason is Reason.GARDIEN_PRESENT
    bench.taps(GREGOIRE, "front-out")
    assert bench.taps(BRIGITTE).reason is Reason.OUTSIDE_HOURS


def test_a_gardien_who_tapped_but_did_not_enter_holds_nothing() -> None:
    bench = Bench(start=at(19))
    assert bench.taps(GREGOIRE).reason is Reason.OWN_SHIFT
    assert bench.taps(BRIGITTE).reason is Reason.OUTSIDE_HOURS
    bench.contact(is_open=True)
    assert bench.taps(BRIGITTE).reason is Reason.GARDIEN_PRESENT


def test_a_badge_laid_on_again_before_the_door_opens_is_one_arrival() -> None:
    bench = Bench()
    bench.taps(BRIGITTE)
    bench.waits(1)
    second = bench.taps(BRIGITTE)
    (row,) = bench.contact(is_open=True)
    assert (row.kind, row.settles) == (Kind.DOOR_OPENED, second.seq)


def test_a_door_that_stands_open_at_the_start_is_no_burglary() -> None:
    bench = Bench()
    (front,) = bench.controller.places
    assert isinstance(front, DoorController)
    front._open = None
    (row,) = bench.contact(is_open=True)
    assert (row.kind, row.settles) == (Kind.DOOR_OPENED, None)
    assert [row.kind for row in bench.waits(60)] == [Kind.DOOR_HELD]


def test_a_door_held_open_is_said_once_and_beeps_until_it_shuts() -> None:
    bench = Bench()
    bench.taps(ALICE)
    bench.contact(is_open=True)
    rows = bench.waits(200)
    assert [row.kind for row in rows] == [Kind.DOOR_HELD]
    assert sum(1 for _, output, active in bench.history if output == "front-in.buzzer" and active) > 50
    assert [row.kind for row in bench.contact(is_open=False)] == [Kind.DOOR_CLOSED]
    bench.waits(3)
    assert set(bench.outputs.values()) == {False}
    assert bench.controller.places[0].deadline(bench.now) is None


def test_the_exit_button_and_the_fire_alarm_explain_an_opening() -> None:
    bench = Bench()
    assert bench.does(InputChanged, name="rex", active=True)[0].kind is Kind.REX
    assert bench.contact(is_open=True)[0].kind is Kind.DOOR_OPENED
    bench.contact(is_open=False)
    bench.waits(10)
    assert bench.does(InputChanged, name="fire", active=True)[0].kind is Kind.FIRE
    assert bench.outputs["strike"]
    bench.waits(600)
    assert bench.outputs["strike"], "the strike follows the alarm for as long as it lasts"
    assert bench.contact(is_open=True)[0].kind is Kind.DOOR_OPENED
    assert bench.does(InputChanged, name="fire", active=False)[0].kind is Kind.FIRE_ENDED
    assert not bench.outputs["strike"]


@pytest.mark.parametrize("cause", ["rex", "fire"])
@pytest.mark.parametrize("after", [0.0, 0.01, 0.3, 0.5])
def test_what_explains_an_opening_may_come_after_it(cause: str, after: float) -> None:
    bench = Bench()
    bench.waits(20)
    assert bench.contact(is_open=True) == []
    bench.mono += after
    rows = bench.does(InputChanged, name=cause, active=True)
    assert [(row.kind, row.at) for row in rows] == [
        (Kind(cause), text(at(10) + 20_000 + round(after * 1000))),
        (Kind.DOOR_OPENED, text(at(10) + 20_000)),
    ]
    assert bench.waits(10) == []


def test_what_comes_later_than_half_a_second_explains_nothing() -> None:
    bench = Bench()
    (forced,) = bench.opens()
    assert (forced.kind, forced.at) == (Kind.DOOR_FORCED, text(at(10)))
    assert [row.kind for row in bench.does(InputChanged, name="rex", active=True)] == [Kind.REX]


def test_a_forced_door_that_shuts_at_once_is_judged_at_once() -> None:
    bench = Bench()
    bench.contact(is_open=True)
    bench.waits(0.1)
    assert [row.kind for row in bench.contact(is_open=False)] == [Kind.DOOR_FORCED, Kind.DOOR_CLOSED]
    assert bench.waits(20) == []


def test_a_slow_contact_tells_late_what_happened_in_time() -> None:
    bench = Bench(dataclasses.replace(SETUP, debounce=1.0))
    tap = bench.taps(BRIGITTE)
    bench.waits(5.9)
    (opened,) = bench.changes("contact", active=True, first=4.9)
    assert (opened.kind, opened.settles, opened.at) == (Kind.DOOR_OPENED, tap.seq, text(at(10) + 4900))
    assert bench.inside() == ["brigitte"]


def test_a_slow_exit_button_explains_what_it_opened() -> None:
    bench = Bench(dataclasses.replace(SETUP, debounce=1.0))
    bench.waits(20)
    assert bench.changes("contact", active=True, first=19.97) == []
    bench.waits(0.9)
    rows = bench.changes("rex", active=True, first=19.95)
    assert [row.kind for row in rows] == [Kind.REX, Kind.DOOR_OPENED]


def test_an_exit_button_that_is_held_frees_the_latch_for_as_long() -> None:
    bench = Bench()
    bench.does(InputChanged, name="rex", active=True)
    bench.waits(60)
    assert [row.kind for row in bench.opens()] == [Kind.DOOR_OPENED]
    bench.contact(is_open=False)
    bench.does(InputChanged, name="rex", active=False)
    bench.waits(1)
    assert [row.kind for row in bench.opens()] == [Kind.DOOR_FORCED]


def test_an_unsteady_input_is_a_row_when_it_begins_and_one_when_it_ends() -> None:
    bench = Bench()
    (began,) = bench.does(InputUnsteady, name="contact")
    (ended,) = bench.does(InputSteady, name="contact", changes=231)
    assert [(row.kind, row.access_point, row.detail) for row in (began, ended)] == [
        (Kind.INPUT_UNSTEADY, "front", "contact"),
        (Kind.INPUT_STEADY, "front", "contact: 231 changes"),
    ]


def test_a_door_without_an_exit_contact_calls_no_opening_forced() -> None:
    bench = Bench(dataclasses.replace(SETUP, has_rex=False))
    assert bench.contact(is_open=True)[0].kind is Kind.DOOR_OPENED


def test_a_forced_door_is_shown_at_the_outside_reader_only() -> None:
    bench = Bench()
    assert bench.opens()[0].kind is Kind.DOOR_FORCED
    bench.waits(9.9)
    shown = {output for _, output, active in bench.history if active}
    assert shown == {"front-in.red", "front-in.green", "front-in.buzzer"}
    bench.waits(0.2)
    assert set(bench.outputs.values()) == {False}


def test_the_first_sample_of_a_shut_door_is_no_event() -> None:
    bench = Bench()
    assert bench.contact(is_open=False) == []


def test_two_badges_at_once_get_their_own_signal_and_no_decision() -> None:
    bench = Bench()
    (row,) = bench.does(CardsCollided, reader="front-in")
    assert (row.kind, row.reader, row.granted) == (Kind.CARDS_COLLIDED, "front-in", None)
    assert not bench.outputs["strike"]
    bench.waits(2)
    shown = {output for _, output, active in bench.history if active}
    assert shown == {"front-in.red", "front-in.green", "front-in.buzzer"}
    assert bench.does(CardGone, reader="front-in") == []


def test_what_cannot_be_read_shows_a_signal_each_time_and_writes_a_row_an_hour_with_its_count() -> None:
    bench = Bench()
    (row,) = bench.does(CardUnreadable, reader="front-in")
    assert (row.kind, row.reader, row.detail) == (Kind.CARD_UNREADABLE, "front-in", "1 time")
    assert bench.outputs["front-in.red"]
    for _ in range(359):
        bench.waits(10)
        assert bench.does(CardUnreadable, reader="front-in") == []
        assert bench.outputs["front-in.buzzer"]
    bench.waits(10)
    (row,) = bench.does(CardUnreadable, reader="front-in")
    assert row.detail == "360 times since the last such row"
    (other,) = bench.does(CardUnreadable, reader="front-out")
    assert other.detail == "1 time"
    assert not bench.outputs["strike"]


def test_what_is_read_through_the_wall_moves_nobody_and_no_strike() -> None:
    bench = Bench(moves={"brigitte": Move(at(9), inside=True)})
    (row,) = bench.does(ReadThroughWall, reader="front-out")
    assert (row.kind, row.reader, row.granted) == (Kind.READ_THROUGH_WALL, "front-out", None)
    assert bench.does(ReadThroughWall, reader="front-out") == []
    assert not any(bench.outputs.values())
    assert bench.inside() == ["brigitte"]


def test_a_reader_fault_blinks_until_it_recovers() -> None:
    bench = Bench()
    (row,) = bench.does(ReaderFault, reader="front-in", why="answers all 00")
    assert (row.kind, row.reader, row.detail) == (Kind.READER_FAULT, "front-in", "answers all 00")
    bench.waits(60)
    blinks = [mono for mono, output, active in bench.history if output == "front-in.red" and active]
    assert len(blinks) > 50
    assert not any(output.startswith("front-out") and active for _, output, active in bench.history)
    assert bench.does(ReaderRecovered, reader="front-in")[0].kind is Kind.READER_RECOVERED
    assert not bench.outputs["front-in.red"]
    assert bench.controller.places[0].deadline(bench.now) is None


def test_a_new_device_lets_out_and_nobody_in_until_its_rules_come() -> None:
    bench = Bench(rules=False)
    assert bench.taps(ALICE).reason is Reason.RULES_STALE
    assert bench.taps(ALICE, "front-out").reason is Reason.EGRESS
    bench.waits(10)
    lit = [mono for mono, output, active in bench.history if output == "front-in.red" and active and mono > 5]
    assert lit, "it shows that it waits"
    bench.does(RulesSwapped, held=HeldRules(3, "", FOREVER, small_rules()))
    assert bench.taps(BRIGITTE).rules_version == 3


def test_a_confirmation_carries_rules_past_their_first_date() -> None:
    bench = Bench()
    bench.does(RulesSwapped, held=HeldRules(7, "", at(9), small_rules()))
    assert bench.taps(BRIGITTE).reason is Reason.RULES_STALE
    assert bench.taps(ALICE).reason is Reason.STAFF
    bench.does(RulesConfirmed, not_after=FOREVER)
    assert bench.taps(BRIGITTE).reason is Reason.STAFFED_HOURS


def test_a_confirmation_without_rules_is_nothing() -> None:
    bench = Bench(rules=False)
    bench.does(RulesConfirmed, not_after=FOREVER)
    assert bench.taps(ALICE).reason is Reason.RULES_STALE


def test_with_a_lost_clock_it_goes_by_the_last_instant_that_it_trusted() -> None:
    bench = Bench(start=0, trusted=False, last_at=at(11), moves={"remy": Move(at(9), inside=True)})
    assert bench.taps(BRIGITTE).reason is Reason.CLOCK_UNTRUSTED
    assert bench.taps(GREGOIRE).reason is Reason.GARDIEN_GRACE
    bench.contact(is_open=True)
    bench.waits(30)
    assert bench.taps(GREGOIRE, "front-out").clock is ClockState.UNKNOWN
    assert bench.inside() == ["remy"]
    assert at(11) <= bench.moves["gregoire"].at <= at(11, 1)


def test_with_a_full_journal_the_door_goes_on_deciding_and_numbers_stay_gapless() -> None:
    bench = Bench()
    bench.does(JournalTrouble, why="disk full", full=True)
    before = len(bench.rows)
    for uid in (BRIGITTE, REMY):
        bench._carry_out(
            bench.controller.step(bench.now, [CardSeen(bench.now.at, bench.mono, "front-in", uid, 8, 26, 0.003)])
        )
    assert bench.outputs["strike"]
    bench.contact(is_open=True)
    assert bench.inside() == ["brigitte", "remy"]
    assert (len(bench.rows), bench.controller.core.unrecorded) == (before, 4)
    bench.does(JournalTrouble, why=None)
    bench.taps(ALICE)
    assert [row.seq for row in bench.rows] == list(range(1, len(bench.rows) + 1))


READERS = st.sampled_from(["front-in", "front-out"])
UIDS = st.sampled_from([ALICE, BRIGITTE, GREGOIRE, REMY, UNKNOWN])
HAPPENINGS = st.one_of(
    st.tuples(st.just("tap"), UIDS, READERS),
    st.tuples(st.just("contact"), st.booleans()),
    st.tuples(st.just("rex"), st.booleans()),
    st.tuples(st.just("collide"), READERS),
    st.tuples(st.just("fault"), READERS),
    st.tuples(st.just("wait"), st.floats(0.01, 90)),
)


def _live(bench: Bench, happening: tuple[object, ...]) -> None:
    match happening:
        case ("tap", bytes(uid), str(reader)):
            bench.taps(uid, reader)
        case ("contact" | "rex" as name, bool(active)):
            bench.does(InputChanged, name=name, active=active)
        case ("collide", str(reader)):
            bench.does(CardsCollided, reader=reader)
        case ("fault", str(reader)):
            bench.does(ReaderFault, reader=reader, why="silent")
        case ("wait", float(seconds)):
            bench.waits(seconds)


@given(st.lists(HAPPENINGS, max_size=25), st.booleans(), st.integers(at(6), at(23)))
def test_whatever_happens_the_strike_moves_only_for_a_grant_and_falls_back(
    story: list[tuple[object, ...]], rules: bool, start: int
) -> None:
    bench = Bench(rules=rules, start=start)
    for happening in story:
        released = len([1 for _, output, active in bench.history if output == "strike" and active])
        _live(bench, happening)
        if not (happening[0] == "tap" and bench.rows and any(row.granted for row in bench.rows[-3:])):
            now = len([1 for _, output, active in bench.history if output == "strike" and active])
            assert now == released
    bench.waits(5)
    assert not bench.outputs["strike"]
    assert [row.seq for row in bench.rows] == list(range(1, len(bench.rows) + 1))


@given(st.lists(HAPPENINGS, max_size=25), st.booleans(), UIDS)
def test_leaving_is_never_refused(story: list[tuple[object, ...]], rules: bool, uid: bytes) -> None:
    bench = Bench(rules=rules)
    for happening in story:
        _live(bench, happening)
    row = bench.taps(uid, "front-out")
    assert (row.granted, row.reason) == (True, Reason.EGRESS)
    assert bench.outputs["strike"]


@pytest.mark.parametrize("field", ["strike_seconds", "held_after"])
def test_times_are_the_setups(field: str) -> None:
    bench = Bench(dataclasses.replace(SETUP, **{field: 2.0}))
    bench.taps(ALICE)
    bench.contact(is_open=True)
    rows = bench.waits(2)
    assert (bench.outputs["strike"], [row.kind for row in rows]) == (
        field != "strike_seconds",
        [Kind.DOOR_HELD] if field == "held_after" else [],
    )
