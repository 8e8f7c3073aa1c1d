"""Who is inside: the last move counts, whatever the order in which moves arrive."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from policy.presence import Move, Presence, later
from policy.terms import DAY, HOUR, Instant
from tests.support_policy import TUESDAY, at, in_since

MOVES = st.lists(st.builds(Move, st.integers(0, 5), st.booleans()), min_size=1, max_size=4)


def folded(moves: list[Move]) -> Move | None:
    known = None
    for move in moves:
        known = later(known, move)
    return known


@given(MOVES)
def test_the_last_move_counts_in_any_order_of_arrival(moves: list[Move]) -> None:
    last = max(moves, key=lambda move: (move.at, not move.inside))
    assert {folded(list(order)) for order in permutations(moves)} == {last}


def test_of_an_in_and_an_out_at_one_instant_the_out_counts() -> None:
    arrived, left = Move(5, inside=True), Move(5, inside=False)
    assert later(arrived, left) == left
    assert later(left, arrived) == left


TODAY, TOMORROW = at(TUESDAY + "04:00"), at("2026-11-25T04:00")


def test_nobody_is_inside_of_whom_nothing_is_known() -> None:
    assert not Presence().holds("remy", 0)
    assert Presence().inside(0) == set()


def test_everybody_is_checked_out_when_the_site_day_turns() -> None:
    here = in_since(TUESDAY + "23:00", "remy", "alice")
    assert here.inside(TODAY) == {"alice", "remy"}
    assert here.inside(TOMORROW) == set()
    assert here.inside(TODAY) == {"alice", "remy"}
    assert here.holds("remy", TODAY)
    assert not here.holds("remy", TOMORROW)


def test_who_comes_in_at_the_turn_itself_is_of_the_new_day() -> None:
    assert in_since("2026-11-25T04:00", "remy").inside(TOMORROW) == {"remy"}


def test_only_who_went_in_last_is_inside() -> None:
    here = in_since(TUESDAY + "09:00", "remy")
    here.apply("alice", Move(at(TUESDAY + "09:00"), inside=False))
    assert here.inside(TODAY) == {"remy"}


def test_who_is_inside_is_kept_up_to_date_while_it_is_asked_for() -> None:
    here = in_since(TUESDAY + "09:00", "remy")
    assert here.inside(TODAY) == {"remy"}
    here.apply("alice", Move(at(TUESDAY + "10:00"), inside=True))
    here.apply("sarah", Move(TODAY - 1, inside=True))
    here.apply("remy", Move(at(TUESDAY + "10:00"), inside=False))
    assert here.inside(TODAY) == {"alice"}
    here.apply("sarah", Move(TODAY, inside=True))
    assert here.inside(TODAY) == {"alice", "sarah"}


told = st.tuples(
    st.sampled_from("abc"), st.builds(Move, st.integers(0, 4).map(lambda hours: hours * 12 * HOUR), st.booleans())
)


@given(st.lists(told, max_size=8), st.lists(st.sampled_from([0, DAY, 2 * DAY]), min_size=8, max_size=8))
def test_the_quick_answer_is_that_of_each_member_asked_for(moves: list[tuple[str, Move]], asked: list[Instant]) -> None:
    here = Presence()
    for (who, move), day in zip(moves, asked, strict=False):
        here.apply(who, move)
        assert here.inside(day) == {member for member in "abc" if here.holds(member, day)}
    assert here.moves == Presence(reversed(moves)).moves == Presence([*moves, *moves]).moves
