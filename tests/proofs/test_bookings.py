"""`loquet prove bookings`: a slot that two have, or a loser who is told wrong, ends it."""

import pytest

from policy.booking_terms import Against, Rule
from proofs.bookings import PROOF, _judged, _turned
from proofs.proof import Task
from server.changes.bookings import Booked, Taken
from server.queries.bookings import Free, Slot

MINE, HERS = Slot(10, 20, "cnc", "m1", "b1"), Slot(10, 20, "cnc", "m2", "b2")
NEXT = Free("cnc", 20, 30)


def test_a_round_on_each_database() -> None:
    rounds = PROOF.run(Task(1, 3))
    assert next(rounds) == 1
    with pytest.raises(StopIteration, match="sqlite and postgresql: 200 asked for 2 slots, 2 have one, 198 were told"):
        next(rounds)


def test_what_is_wrong_is_noticed() -> None:
    told = Taken(held_by_other=True, next_free=NEXT)
    assert _judged([Booked(MINE), told, told], [MINE], 10, 20) is None
    for said, held in (
        ([Booked(MINE), Booked(HERS)], [MINE, HERS]),
        ([Booked(MINE), told], [MINE, HERS]),
        ([told, told], []),
        ([Booked(MINE), told], [HERS]),
        ([Booked(MINE), Against(Rule.PAST)], [MINE]),
        ([Booked(MINE), Taken(held_by_other=False, next_free=NEXT)], [MINE]),
        ([Booked(MINE), Taken(held_by_other=True, next_free=None)], [MINE]),
        ([Booked(MINE), Taken(held_by_other=True, next_free=Free("cnc", 15, 25))], [MINE]),
    ):
        assert _judged(list(said), held, 10, 20) is not None


def test_that_it_was_not_the_turn_of_whoever_has_it_is_noticed() -> None:
    assert _turned(["m0"], [], "m0") is None
    assert _turned([], ["m0"], "m0") is None
    for won, offered in ((["m1"], []), ([], ["m1"]), ([], ["m0", "m1"]), (["m1"], ["m0"]), ([], [])):
        assert _turned(won, offered, "m0") is not None
