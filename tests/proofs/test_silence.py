"""`prove silence` notices a site that is silenced, and every misuse says something."""

from random import Random

import pytest

from proofs import silence
from proofs.misuses import MISUSES, SELDOM, Thief
from proofs.proof import BrokenError, Task
from proofs.silenced import THIEVES, Silenced
from simulator.clock import WORKING_TUESDAY
from wire.envelope import MAX_BYTES


def test_a_round_holds() -> None:
    rounds = silence.run(Task(1, seed=1, first=1))
    assert next(rounds) == 1
    with pytest.raises(StopIteration, match=r"^1 stolen keys, \d+ messages in 4 misuses: 20 lockdowns"):
        next(rounds)


@pytest.mark.parametrize("misuse", [*MISUSES, SELDOM], ids=lambda misuse: misuse.__name__)
@pytest.mark.parametrize("edge", THIEVES)
def test_every_misuse_says_something_and_the_same_for_the_same_luck(edge: str, misuse: object) -> None:
    said = [list(misuse(Thief(edge, Random(3), lambda: WORKING_TUESDAY))) for _ in range(2)]  # type: ignore[operator]
    assert said[0]
    assert said[0] == said[1]


def test_a_server_that_is_cut_off_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "Silenced", lambda folder, _: _Cut(folder, MAX_BYTES))
    with pytest.raises(BrokenError, match="the server is cut off: loquet/casaco/state: 5000 bytes"):
        list(silence.run(Task(1, seed=1, first=1)))


class _Cut(Silenced):
    """A site whose server said too much once."""

    def tick(self) -> None:
        super().tick()
        self.cut_off = "loquet/casaco/state: 5000 bytes"


def test_a_lockdown_that_does_not_come_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "Silenced", _Deaf)
    with pytest.raises(BrokenError, match=r": a lockdown is not there after 10\d0 ms"):
        list(silence.run(Task(1, seed=1, first=1)))


class _Deaf(Silenced):
    """A site whose front door has no turn any more once somebody is inside."""

    def tick(self) -> None:
        super().tick()
        if self.told:
            self._busy_until = self.clock.now() + 10_000
