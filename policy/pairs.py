"""Which two taps make a pair? One badge at one reader that leads in, soon after each other, and none between."""

from typing import NamedTuple

from policy.terms import Direction

PAIR_MS = 5000
"""Two taps of one badge at most so many ms apart may open the place (docs/rules.md, "ad hoc")."""


class LastTap(NamedTuple):
    """The last tap at an edge since its start. mono: seconds of one clock for all taps that are compared."""

    reader: str
    credential: str
    mono: float


def ms_between(earlier: float, later: float) -> int:
    """From one second to another, whole ms: what is exactly 5 s apart is no more in floats."""
    return round((later - earlier) * 1000)


def is_second(last: LastTap | None, tap: LastTap, direction: Direction) -> bool:
    """Whether a tap at a door makes a pair with the one before, None where there is none.

    Who asks forgets both then: a third tap begins a new pair.
    """
    return (
        direction is Direction.IN
        and last is not None
        and (last.reader, last.credential) == (tap.reader, tap.credential)
        and ms_between(last.mono, tap.mono) <= PAIR_MS
    )
