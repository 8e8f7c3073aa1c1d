"""What is one figure of the bench? A value beside its floor."""

from collections.abc import Iterator
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


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


Figures = Iterator[tuple[str, Figure]]
