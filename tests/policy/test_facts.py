"""What is taken into a site's state: the same in any order and any number of times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, Stopped, apply
from policy.presence import Move
from policy.sessions import Session
from policy.state import SiteState

who = st.sampled_from(["remy", "sarah"])
place = st.sampled_from(["prusa", "voron"])
instant = st.integers(0, 9)


@st.composite
def ran(draw: st.DrawFn) -> Ran:
    """What a session is was fixed when it began: only its end differs from one word of it to the next."""
    start = draw(instant)
    until = None if start % 3 == 0 else start + 4
    end = draw(st.none() | st.integers(start, 12))
    return Ran(Session(draw(place), "printer", draw(who), start, until, start % 2 == 0, end))


facts = st.lists(
    st.one_of(
        st.builds(Moved, who, instant, st.booleans()),
        st.builds(Paid, who, st.sampled_from(["2026-11-24", "2026-11-24am"]) | instant),
        st.builds(Opened, who, instant, st.integers(10, 12)),
        ran(),
        st.builds(Busy, place, who, instant),
    ),
    max_size=12,
)


def told(facts: list[Fact]) -> SiteState:
    state = SiteState()
    for fact in facts:
        apply(state, fact)
    return state


def seen(state: SiteState) -> object:
    """All that a state tells; an empty table is no table."""
    sessions = [set(state.sessions.of_machine(machine)) for machine in ("prusa", "voron")]
    sessions += [set(state.sessions.of_member(member, "printer")) for member in ("remy", "sarah")]
    here = [state.presence.inside(day) for day in (0, 5)]
    return state.presence.moves, here, dict(state.units), dict(state.adhoc), dict(state.busy), state.stopped, sessions


@given(facts.flatmap(lambda once: st.tuples(st.just(once), st.permutations([*once, *once]))))
def test_in_any_order_and_any_number_of_times(stories: tuple[list[Fact], list[Fact]]) -> None:
    once, shuffled = stories
    assert seen(told(shuffled)) == seen(told(once))


def test_each_fact_lands_where_it_is_looked_for() -> None:
    ran = Session("prusa", "printer", "remy", 3)
    state = told([Moved("remy", 1, True), Paid("remy", 2), Opened("sarah", 3, 9), Ran(ran), Busy("prusa", "sarah", 4)])
    assert state.presence.moves == {"remy": Move(1, inside=True)}
    assert dict(state.units) == {"remy": {2}}
    assert dict(state.adhoc) == {"sarah": {(3, 9)}}
    assert list(state.sessions.of_machine("prusa")) == [ran]
    assert dict(state.busy) == {"prusa": {("sarah", 4)}}
    assert state.stopped == set()


def test_a_machine_is_stopped_until_it_is_put_back_in_service() -> None:
    assert told([Stopped("prusa", True), Stopped("prusa", True), Stopped("voron", True)]).stopped == {"prusa", "voron"}
    assert told([Stopped("prusa", True), Stopped("prusa", False)]).stopped == set()
    assert told([Stopped("prusa", False)]).stopped == set()
    assert told([Stopped("prusa", False), Stopped("prusa", True)]).stopped == {"prusa"}


def test_two_states_share_nothing() -> None:
    told([Paid("remy", 2), Opened("sarah", 3, 9), Busy("prusa", "sarah", 4), Stopped("prusa", True)])
    assert seen(SiteState()) == seen(told([]))
    assert SiteState().units == {}


def test_what_is_no_fact_is_the_programmer_s_fault() -> None:
    with pytest.raises(AssertionError, match="rumour"):
        apply(SiteState(), "rumour")  # type: ignore[arg-type]
