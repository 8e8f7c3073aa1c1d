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


def p95(ordered: Sequence[float]) -> float:
    """The same for 95 in 100."""
    return ordered[math.ceil(len(ordered) * 0.95) - 1]


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


@dataclass(frozen=True, slots=True)
class Limit:
    """What is promised of a figure: its value, or its ratio to the floor, is at most this."""

    most: float
    of_ratio: bool = False

    def kept(self, figure: Figure) -> bool:
        return (figure.ratio if self.of_ratio else figure.value) <= self.most

    def words(self, unit: str) -> str:
        return f"promised: at most {f'{self.most:g} x' if self.of_ratio else f'{self.most:g} {unit}'}"


Figures = Iterator[tuple[str, Figure]]
