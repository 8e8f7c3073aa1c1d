"""What is one figure of the bench? A value beside its floor."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """value and floor in the same unit; ratio: value / floor."""

    value: float
    unit: str
    floor: float
    ratio: float


def figure(value: float, unit: str, floor: float) -> Figure:
    return Figure(_rounded(value), unit, _rounded(floor), round(value / floor, 2))


def p99(ordered: Sequence[float]) -> float:
    """Of values in rising order the least that 99 in 100 do not exceed."""
    return ordered[math.ceil(len(ordered) * 0.99) - 1]


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


Figures = Iterator[tuple[str, Figure]]
