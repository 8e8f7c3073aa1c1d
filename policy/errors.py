"""What can be wrong with a bundle, said to the person who wrote it: file, key, value, and what to do."""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import msgspec

from policy.letters import odd

SHOWN = 60
KEY_SHOWN = 120
"""Characters of a value, and of a key, that an error repeats."""
LISTED = 40
"""Mistakes of one file that are told."""
COUNTED = 1000
"""Mistakes that are looked for."""
_STEP = re.compile(r"([^.\[\]]+)")


class BundleError(ValueError):
    """The file's fault: it must be changed before it can be read. The text names file, key, value and remedy."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong. key: a path such as members[3].tier. of: the id of the object there. why: and remedy."""

    key: str
    value: Any
    why: str
    of: str | None = None

    def __str__(self) -> str:
        of = f" (of {shown(self.of)})" if self.of is not None else ""
        value = "missing" if self.value is msgspec.UNSET else shown(self.value)
        return f"{brief(self.key, KEY_SHOWN)}{of} is {value}{self._odd()}: {self.why}"

    def _odd(self) -> str:
        """The first character that is not what it seems: of the value, else of the key that was written."""
        strange = (odd(self.value) if isinstance(self.value, str) else None) or odd(self.key)
        return f" ({strange})" if strange else ""


def listing(where: str, problems: Iterable[Problem], whole: Any) -> str:
    """A line for each problem, in the order of the file. where: its name. whole: what it holds."""
    found = list(islice(problems, COUNTED))
    found.sort(key=lambda problem: place(whole, problem.key))
    return listing_of(where, found)


def listing_of(where: str, found: Sequence[object]) -> str:
    """The first of them, a line for each, and how many more there are."""
    told = [f"{where}: {fault}" for fault in found[:LISTED]]
    if len(found) > LISTED:
        told.append(f"{where}: and {len(found) - LISTED} more" + (" at least" if len(found) == COUNTED else ""))
    return "\n".join(told)


def place(whole: Any, key: str) -> tuple[int, ...]:
    """Where the path leads in the file: what is not there comes after what is."""
    steps: list[int] = []
    for step in _STEP.findall(key):
        if isinstance(whole, dict):
            names = list(whole)
            steps.append(names.index(step) if step in whole else len(names))
            whole = whole.get(step)
        elif isinstance(whole, list) and step.isdecimal():
            number = int(step)
            steps.append(number)
            whole = whole[number] if number < len(whole) else None
    return tuple(steps)


def shown(value: object) -> str:
    """The value as JSON on one line, cut short."""
    text = msgspec.json.encode(value)[: 8 * SHOWN].decode(errors="ignore")
    return brief(" ".join(text.split()), SHOWN)


def brief(text: str, most: int) -> str:
    """The text, cut short: what comes from outside must not fill a log."""
    return text if len(text) <= most else text[: most - 1] + "…"
