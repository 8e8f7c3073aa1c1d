"""The product and the independent reading agree over random stories; `python -m tests.oracle.compare N` plays more."""

from collections.abc import Iterator

import pytest

from loquet.ask.replay import Desk
from tests.oracle.compare import differences

STORIES = 2000
PARTS = 40
"""So that several workers share them."""


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with Desk() as desk:
        yield desk


@pytest.mark.parametrize("part", range(PARTS))
def test_stories_end_as_the_rules_say(desk: Desk, part: int) -> None:
    each = STORIES // PARTS
    assert [found for seed in range(part * each, (part + 1) * each) for found in differences(desk, seed)] == []


CHATTY = 100


@pytest.fixture(scope="module")
def chatty() -> Iterator[Desk]:
    with Desk(chatty=True) as desk:
        yield desk


@pytest.mark.parametrize("part", range(5))
def test_they_end_so_too_when_the_server_says_its_state_after_every_step(chatty: Desk, part: int) -> None:
    each = CHATTY // 5
    assert [found for seed in range(part * each, (part + 1) * each) for found in differences(chatty, seed)] == []
