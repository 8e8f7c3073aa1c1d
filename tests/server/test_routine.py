"""Each task at its own pace, by the site's clock; one that fails holds up no other and is tried again."""

import logging

import pytest

from policy.terms import MINUTE, SECOND
from server.errors import DatabaseError
from server.routine import AGAIN, Routine, Task


class Clock:
    now = 1_000 * MINUTE

    def __call__(self) -> int:
        return self.now


def test_each_task_at_its_own_pace() -> None:
    clock, done = Clock(), list[str]()
    routine = Routine(clock, (Task("often", lambda: done.append("o")), Task("rare", lambda: done.append("r"), MINUTE)))
    for _ in range(4):
        routine.tick()
        clock.now += 20 * SECOND
    assert "".join(done) == "orooor"


def test_a_clock_that_is_set_back_waits_for_nothing() -> None:
    clock, done = Clock(), list[int]()
    routine = Routine(clock, (Task("rare", lambda: done.append(clock.now), MINUTE),))
    routine.tick()
    clock.now -= 600 * MINUTE
    routine.tick()
    assert len(done) == 2


@pytest.mark.parametrize("error", [DatabaseError("loquet.db: is full"), KeyError("nobody's mistake but ours")])
def test_one_that_fails_is_tried_again_and_holds_up_no_other(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    clock, tried, done = Clock(), list[int](), list[int]()

    def fails() -> None:
        tried.append(clock.now)
        if len(tried) < 3:
            raise error

    routine = Routine(clock, (Task("news", fails), Task("bank", lambda: done.append(clock.now))))
    with caplog.at_level(logging.ERROR, "loquet.server"):
        for _ in range(3):
            routine.tick()
            routine.tick()
            clock.now += AGAIN
    assert len(tried[:3]) == len(set(tried[:3])), "no more often than once in AGAIN while it fails"
    assert (len(tried), len(done)) == (4, 6)
    assert [one.message.startswith("news: not done, tried again") for one in caplog.records] == [True, True]
