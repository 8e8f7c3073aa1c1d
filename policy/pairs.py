"""Which two taps make a pair? One badge, soon after each other, and none between: it opens the place, or closes it."""

from collections.abc import Collection
from typing import NamedTuple

from policy.case import Mark
from policy.terms import Direction

PAIR_MS = 5000
"""Two taps of one badge at most so many ms apart may open the place (docs/rules.md, "ad hoc")."""
CLOSING_MS = 20_000
"""As long after a tap that was marked `left_inside` the same badge closes the place (docs/rules.md, "Closing")."""


class LastTap(NamedTuple):
    """The last tap at an edge since its start. mono: seconds of one clock for all taps that are compared."""

    reader: str
    credential: str
    mono: float


def ms_between(earlier: float, later: float) -> int:
    """From one second to another, whole ms: what is exactly 5 s apart is no more in floats."""
    return round((later - earlier) * 1000)


def is_second(last: LastTap | None, tap: LastTap, direction: Direction) -> bool:
    """Whether a tap at a door makes a pair with the one before, None where there is none, that may open the place."""
    return (
        direction is Direction.IN
        and last is not None
        and (last.reader, last.credential) == (tap.reader, tap.credential)
        and ms_between(last.mono, tap.mono) <= PAIR_MS
    )


def closes(marked: LastTap | None, tap: LastTap, direction: Direction) -> bool:
    """Whether a tap is the second after one that was marked, at any reader that leads out; None where none was."""
    return (
        direction is Direction.OUT
        and marked is not None
        and marked.credential == tap.credential
        and ms_between(marked.mono, tap.mono) <= CLOSING_MS
    )


class Pairs:
    """What is remembered of the taps at one edge since its start: which one is the second of two.

    A third begins a new pair, whatever the pair led to.
    """

    def __init__(self) -> None:
        self._last: LastTap | None = None
        """None where a pair has used it up."""
        self._marked: LastTap | None = None
        """The last tap, if it was marked."""

    def at_door(self, tap: LastTap, direction: Direction) -> bool:
        """Whether a tap at a door is the second of a pair."""
        second = is_second(self._last, tap, direction) or closes(self._marked, tap, direction)
        self._last, self._marked = None if second else tap, None
        return second

    def decided(self, marks: Collection[Mark]) -> None:
        """What the last tap at a door is remembered for."""
        if Mark.LEFT_INSIDE in marks:
            self._marked = self._last

    def at_machine(self, tap: LastTap, *, again: bool) -> None:
        """A tap at a machine stands between two others; one that is the same tap again does so for opening alone."""
        self._last = tap
        if not again:
            self._marked = None
