"""`loquet prove bank`: a minute too much or too little ends it."""

from random import Random

import pytest

from proofs.bank import GARDIENS, PROOF, _site
from proofs.proof import Task


def test_a_few_nights() -> None:
    rounds = PROOF.run(Task(3, 1))
    assert [next(rounds), next(rounds), next(rounds)] == [1, 2, 3]
    with pytest.raises(StopIteration, match=r"3 nights, .* 0 minutes off in"):
        next(rounds)


def test_a_minute_too_few_in_the_ledger_is_noticed() -> None:
    with _site(Random(2)) as house:
        pay = house.recount.left
        house.recount.left = lambda who: pay(who) + (who == GARDIENS[0])  # type: ignore[method-assign]
        said = [house.night() for _ in range(4)]
    assert any(f"{GARDIENS[0]} has " in (one or "") for one in said)
