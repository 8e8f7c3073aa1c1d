"""Where do the bars of the day stand? Numbers in, places in an SVG of 720 by 220 out."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 220
BASE, TOP = 182, 28
"""Vertical places of the bars' foot and of the tallest bar's head."""
GAP = 0.22
"""Of a slot that stays empty between two bars."""


@dataclass(frozen=True, slots=True)
class Bar:
    """x, y, width, height: in the SVG's units. count: None when too few to be told. label: None to leave it out."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    count: int | None
    label: str | None
    latest: bool
    shown: bool


def bars(counts: Sequence[int | None], labels: Sequence[str], *, each: bool = False) -> list[Bar]:
    """One bar a count, the last one marked as the latest; the highest and the latest bear their number.

    each: all of them bear their number and their label.
    """
    if not counts:
        return []
    slot = WIDTH / len(counts)
    highest = max((count or 0 for count in counts), default=0)
    every = 1 if each else max(1, -(-len(counts) // 6))
    placed = []
    for position, count in enumerate(counts):
        height = round((BASE - TOP) * (count or 0) / highest, 1) if highest else 0.0
        last = position == len(counts) - 1
        placed.append(
            Bar(
                x=round(position * slot + slot * GAP / 2, 1),
                y=round(BASE - height, 1),
                width=round(slot * (1 - GAP), 1),
                height=height,
                middle=round((position + 0.5) * slot, 1),
                count=count,
                label=labels[position] if position % every == 0 else None,
                latest=last,
                shown=bool(count) and (each or last or counts.index(highest) == position),
            )
        )
    return placed
