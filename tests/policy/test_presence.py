"""Who is inside: the last move counts, whatever the order in which moves arrive."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from policy.presence import Move, gardiens_inside, holders, inside, is_inside, later
from tests.support_policy import TUESDAY, at, in_since, ruling

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


def test_nobody_is_inside_of_whom_nothing_is_known() -> None:
    assert not is_inside({}, "remy", 0)


def test_everybody_is_checked_out_when_the_site_day_turns() -> None:
    rules, moves = ruling(), in_since(TUESDAY + "23:00", "remy", "alice")
    assert inside(moves, rules, at("2026-11-25T03:59:59.999")) == ["alice", "remy"]
    assert inside(moves, rules, at("2026-11-25T04:00")) == []


def test_who_comes_in_at_the_turn_itself_is_of_the_new_day() -> None:
    assert inside(in_since("2026-11-25T04:00", "remy"), ruling(), at("2026-11-25T04:00")) == ["remy"]


def test_only_who_went_in_last_is_inside() -> None:
    moves = {**in_since(TUESDAY + "09:00", "remy"), "alice": Move(at(TUESDAY + "09:00"), inside=False)}
    assert inside(moves, ruling(), at(TUESDAY + "10:00")) == ["remy"]


def test_a_gardien_inside_holds_the_place_only_during_the_shift() -> None:
    rules, moves = ruling(), in_since(TUESDAY + "09:00", "gregoire", "remy")
    assert list(gardiens_inside(moves, rules, at(TUESDAY + "10:00"))) == ["gregoire"]
    assert list(holders(moves, rules, at(TUESDAY + "10:00"))) == []
    assert list(holders(moves, rules, at(TUESDAY + "18:00"))) == ["gregoire"]
