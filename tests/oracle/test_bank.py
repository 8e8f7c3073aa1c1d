"""The bank and its independent recount agree over random stories, and a lost counter-entry would be seen."""

from collections.abc import Iterator

import pytest

from loquet.ask.replay import Desk
from policy.bank import Bank
from policy.held import Source
from policy.terms import Instant
from tests.oracle.bank_stories import bank_story
from tests.oracle.compare import differences

STORIES = 24
PARTS = 8


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with Desk() as desk:
        yield desk


@pytest.mark.parametrize("part", range(PARTS))
def test_the_bank_ends_as_the_recount_says(desk: Desk, part: int) -> None:
    seeds = range(part, STORIES, PARTS)
    assert [found for seed in seeds for found in differences(desk, seed, bank_story)] == []


def test_a_counter_entry_that_is_lost_is_seen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgotten(bank: Bank, source: Source, at: Instant) -> None:
        bank._booked.pop(source, None)

    monkeypatch.setattr(Bank, "_counter", forgotten)
    assert any(list(differences(desk, seed, bank_story)) for seed in range(STORIES))
