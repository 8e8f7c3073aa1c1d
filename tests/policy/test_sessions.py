"""Sessions: when they are over, what they used, and that hearing of them in any order comes to the same."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.sessions import Session, Sessions
from policy.terms import MINUTE, SECOND
from tests.support_policy import TUESDAY, at, session

NINE, TEN = TUESDAY + "09:00", TUESDAY + "10:00"


def test_a_session_runs_from_its_start_until_its_end() -> None:
    open_ended, ended = session("prusa", "remy", NINE), session("prusa", "remy", NINE, TEN)
    assert [open_ended.runs(when) for when in (at(NINE) - 1, at(NINE), at(TEN))] == [False, True, True]
    assert [ended.runs(when) for when in (at(NINE), at(TEN) - 1, at(TEN))] == [True, True, False]


def test_one_that_warns_runs_on_past_until() -> None:
    printing = session("prusa", "remy", NINE, until=TEN)
    assert printing.runs(at(TEN))
    assert printing.over is None
    assert session("prusa", "remy", NINE, TUESDAY + "11:00", until=TEN).over == at(TUESDAY + "11:00")


def test_one_that_cuts_is_over_at_until_heard_of_or_not() -> None:
    assert session("laser", "remy", NINE, until=TEN).over == at(TEN)
    assert session("laser", "remy", NINE, TUESDAY + "09:30", until=TEN).over == at(TUESDAY + "09:30")
    assert session("laser", "remy", NINE, TUESDAY + "10:30", until=TEN).over == at(TEN)
    assert session("laser", "remy", NINE, TEN).over == at(TEN)
    assert session("laser", "remy", NINE).over is None
    assert not session("laser", "remy", NINE, until=TEN).runs(at(TEN))


def test_a_session_of_which_no_more_is_said_warns_and_has_no_end() -> None:
    plain = Session("prusa", "printer", "remy", at(NINE))
    assert plain == session("prusa", "remy", NINE)
    assert (plain.cuts, plain.until, plain.end) == (False, None, None)


def test_whole_seconds_within_a_period() -> None:
    used = session("prusa", "remy", NINE, TUESDAY + "09:00:10.900")
    assert used.seconds(at(NINE) - MINUTE, at(TEN)) == 10
    assert used.seconds(at(NINE) + 2 * SECOND, at(TEN)) == 8
    assert used.seconds(at(NINE), at(NINE) + 4 * SECOND) == 4
    assert used.seconds(at(TEN), at(TEN) + MINUTE) == 0
    assert used.seconds(at(NINE) - MINUTE, at(NINE)) == 0
    assert session("prusa", "remy", NINE).seconds(at(NINE), at(TEN)) == 3600
    assert session("laser", "remy", NINE, until=TUESDAY + "09:30").seconds(at(NINE), at(TEN)) == 1800


def test_a_stretch_of_time_that_a_session_touches() -> None:
    nine, ten = at(NINE), at(TEN)
    assert session("prusa", "remy", TUESDAY + "08:00", TUESDAY + "09:00:00.001").overlaps(nine, ten)
    assert not session("prusa", "remy", TUESDAY + "08:00", NINE).overlaps(nine, ten)
    assert session("prusa", "remy", TUESDAY + "08:00").overlaps(nine, ten)
    assert session("prusa", "remy", TUESDAY + "09:59:59.999").overlaps(nine, ten)
    assert not session("prusa", "remy", TEN).overlaps(nine, ten)
    assert not session("laser", "remy", TUESDAY + "08:00", until=NINE).overlaps(nine, ten)
    assert not session("prusa", "remy", TUESDAY + "09:30", TUESDAY + "09:30").overlaps(nine, ten)


WORDS = (
    session("laser", "remy", NINE, until=TEN),
    session("laser", "remy", NINE, until=TUESDAY + "10:30"),
    session("laser", "remy", NINE, until=None),
    session("laser", "remy", NINE, TUESDAY + "10:20", until=TEN),
    session("laser", "remy", NINE, TUESDAY + "10:40", until=TEN),
)


@pytest.mark.parametrize("words", list(permutations(WORDS)))
def test_of_two_untils_the_later_counts_and_of_two_ends_the_earlier_in_whatever_order_they_come(
    words: tuple[Session, ...],
) -> None:
    known = Sessions()
    for word in words:
        known.apply(word)
    (found,) = known.of_machine("laser")
    assert (found.until, found.end) == (None, at(TUESDAY + "10:20"))
    bounded = Sessions(word for word in words if word.until is not None)
    assert [found.until for found in bounded.of_member("remy", "laser")] == [at(TUESDAY + "10:30")]


def test_the_running_session_of_a_machine() -> None:
    known = Sessions([session("prusa", "remy", NINE, TEN), session("voron", "sarah", NINE)])
    found = known.running("prusa", at(NINE))
    assert found is not None
    assert found.member == "remy"
    assert known.running("prusa", at(TEN)) is None
    assert known.running("laser", at(NINE)) is None


def test_sessions_of_a_member_on_one_kind_of_machine() -> None:
    mine = [session("prusa", "remy", NINE), session("voron", "remy", NINE)]
    known = Sessions([*mine, session("laser", "remy", NINE), session("prusa", "sarah", TEN)])
    assert list(known.of_member("remy", "printer")) == mine
    assert list(known.of_member("brigitte", "printer")) == []
    assert list(known.of_machine("garage")) == []


def test_what_was_over_before_an_instant_can_be_forgotten() -> None:
    kept = [
        session("prusa", "sarah", TEN),
        session("prusa", "sarah", TUESDAY + "08:00", TEN),
        session("laser", "sarah", TUESDAY + "08:00", until=TEN),
    ]
    gone = [session("prusa", "remy", NINE, TUESDAY + "09:59:59.999"), session("laser", "remy", NINE, until=NINE)]
    known = Sessions([*kept, *gone])
    known.forget(at(TEN))
    assert [*known.of_machine("prusa"), *known.of_machine("laser")] == kept
    assert [*known.of_member("remy", "printer"), *known.of_member("remy", "laser")] == []
    assert [*known.of_member("sarah", "printer"), *known.of_member("sarah", "laser")] == kept


@st.composite
def told(draw: st.DrawFn) -> list[Session]:
    """What is told of up to three sessions of one machine and its neighbour: begun, ended, ended earlier."""
    stories = []
    for start in draw(st.sets(st.integers(0, 9), max_size=3)):
        machine = draw(st.sampled_from(["prusa", "voron"]))
        until = draw(st.none() | st.integers(start, 20))
        ends = draw(st.lists(st.none() | st.integers(start, 20), min_size=1, max_size=3))
        stories += [Session(machine, "printer", "remy", start, until, start % 2 == 0, end) for end in ends]
    return stories


def seen(sessions: Sessions) -> object:
    by_machine = {machine: set(sessions.of_machine(machine)) for machine in ("prusa", "voron")}
    return by_machine, set(sessions.of_member("remy", "printer"))


@given(told().flatmap(lambda told: st.tuples(st.just(told), st.permutations([*told, *told]))))
def test_in_any_order_and_any_number_of_times(stories: tuple[list[Session], list[Session]]) -> None:
    once, shuffled = stories
    assert seen(Sessions(shuffled)) == seen(Sessions(once))


def test_of_two_ends_the_earlier_counts_and_a_beginning_undoes_none() -> None:
    stories = [session("prusa", "remy", NINE, end) for end in (None, TEN, TUESDAY + "09:30")]
    for order in permutations(stories):
        assert [one.end for one in Sessions(order).of_machine("prusa")] == [at(TUESDAY + "09:30")]


@given(told())
def test_a_machine_s_sessions_and_a_member_s_are_the_same(stories: list[Session]) -> None:
    known = Sessions(stories)
    of_machines = {*known.of_machine("prusa"), *known.of_machine("voron")}
    assert of_machines == set(known.of_member("remy", "printer"))
    assert {one.start for one in of_machines} == {one.start for one in stories}
