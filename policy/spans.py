"""Is this instant inside one of these intervals?

Sorted, disjoint, half-open, kept flat so that one bisection answers.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import chain
from typing import TypeAlias

from policy.terms import Instant

Spans: TypeAlias = tuple[Instant, ...]
"""start, end, start, end, ... strictly rising: an instant is inside when an odd number of them is at or before it."""


def spans(intervals: Iterable[tuple[Instant, Instant]]) -> Spans:
    """Sort intervals and merge those that overlap or touch. An empty one (end not after start) is left out."""
    merged: list[list[Instant]] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return tuple(chain.from_iterable(merged))


def pairs(inside: Spans) -> Iterable[tuple[Instant, Instant]]:
    """The intervals one by one."""
    return zip(inside[::2], inside[1::2], strict=True)


def before(inside: Spans, end: Instant) -> Spans:
    """What of the intervals lies before an instant."""
    position = bisect_left(inside, end)
    return (*inside[:position], end) if position % 2 else inside[:position]


def covers(inside: Spans, at: Instant) -> bool:
    """True when one of the intervals holds the instant."""
    return bisect_right(inside, at) % 2 == 1


def end_of(inside: Spans, at: Instant) -> Instant | None:
    """The end of the interval that holds the instant, None when none does."""
    position = bisect_right(inside, at)
    return inside[position] if position % 2 else None


def next_change(inside: Spans, at: Instant) -> Instant | None:
    """The first start or end after the instant, None when there is none."""
    position = bisect_right(inside, at)
    return inside[position] if position < len(inside) else None


def last_end(inside: Spans, at: Instant) -> Instant | None:
    """The last end at or before the instant, None when there is none."""
    position = bisect_right(inside, at)
    position -= position % 2
    return inside[position - 1] if position else None


def next_start(inside: Spans, at: Instant) -> Instant | None:
    """The first start after the instant, None when there is none."""
    position = bisect_right(inside, at)
    position += position % 2
    return inside[position] if position < len(inside) else None
