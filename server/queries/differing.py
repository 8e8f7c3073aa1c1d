"""What has changed between two lists of a bundle?

What has not is the same object in both (server/publish/bundle.py:Exporter). What is equal, but another, has changed.
"""

from collections.abc import Sequence
from typing import TypeVar

PartType = TypeVar("PartType")


def differing(before: Sequence[PartType], now: Sequence[PartType]) -> list[PartType] | None:
    """What stands in only one of the two; None where what stands in both is not in the same order."""
    start = _alike(before, now)
    before, now = before[start:], now[start:]
    end = _alike(before[::-1], now[::-1])
    before, now = before[: len(before) - end], now[: len(now) - end]
    held, has = {id(part) for part in before}, {id(part) for part in now}
    if [id(part) for part in before if id(part) in has] != [id(part) for part in now if id(part) in held]:
        return None
    return [*(part for part in before if id(part) not in has), *(part for part in now if id(part) not in held)]


def _alike(one: Sequence[PartType], other: Sequence[PartType]) -> int:
    """How many at the start are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a is not b), min(len(one), len(other)))
