"""What is a proof? Rounds drawn from a seed; it ends at the first one in which the promise is broken."""

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

Rounds: TypeAlias = Generator[int, None, str]
"""Yields how many rounds are done; returns the figure in words, as `200 kills, 0 lost, 0 twice`."""


@dataclass(frozen=True, slots=True)
class Task:
    """rounds: how many to do. first: the number of the first one. What a round draws hangs on seed and number alone."""

    rounds: int
    seed: int
    first: int = 0

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + self.rounds)

    def random(self, number: int) -> Random:
        """The luck of one round, the same whenever it is played."""
        return Random(f"{self.seed}/{number}")


@dataclass(frozen=True, slots=True)
class Proof:
    """promise: what is shown, in words. unit: what a round is. ci, release: rounds in `make test` and `make proof`.

    real_time: the luck is drawn from the seed, the instants are the machine's: none is played again to the letter.
    """

    promise: str
    unit: str
    ci: int
    release: int
    run: Callable[[Task], Rounds]
    real_time: bool = False


class BrokenError(Exception):
    """A promise was broken in this round. The message says what was expected and what was seen.

    since: the first of the rounds that it may hang on; None where the round can be played alone.
    """

    def __init__(self, number: int, said: str, since: int | None = None) -> None:
        super().__init__(said)
        self.number = number
        self.since = number if since is None else since


class LossError(Exception):
    """Something that was promised is not there, or something is there twice."""


@contextmanager
def quietly(name: str = "loquet") -> Iterator[None]:
    """A proof breaks things thousands of times, and each would be told: that log says nothing meanwhile."""
    log = logging.getLogger(name)
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)
