"""What a person does in the first hour, read from docs/fr/installer.md, and how long it takes. See tools/first-hour.

Time that machines take is not theirs, nor is wiring; the card has been written.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "fr" / "installer.md"
SIGNS_PER_SECOND = 3
LIMIT = 15 * 60
"""Seconds."""
EDITOR = "nano "
HAND = "À la main : "
BROWSER = re.compile(r"\*\*(?P<fill>[^*]+)\*\*|\*(?P<press>[^*]+)\*|(?P<open>ouvrez)|(?P<lay>posez)")


class Kind(StrEnum):
    """What is done, and the seconds that it takes a person beside what they type."""

    COMMAND = "command"
    EDIT = "edit"
    HAND = "hand"
    OPEN = "open"
    FILL = "fill"
    PRESS = "press"
    LAY = "lay"


SECONDS = {Kind.COMMAND: 10, Kind.EDIT: 30, Kind.HAND: 60, Kind.OPEN: 5, Kind.FILL: 5, Kind.PRESS: 5, Kind.LAY: 5}


@dataclass(frozen=True)
class Step:
    """what: a command, a file, a field, a button. typed: signs on the keyboard, but for what answers and edits add."""

    part: str
    kind: Kind
    what: str

    @property
    def typed(self) -> int:
        return len(self.what) + 1 if self.kind is Kind.COMMAND else 0


def steps(guide: str) -> list[Step]:
    """In the order of the guide, parts 1 to 6."""
    parts = re.split(r"^## (?=\d\. )", guide, flags=re.MULTILINE)[1:]
    return [step for part in parts for step in _steps(part.split("\n## ")[0])]


def _steps(part: str) -> Iterator[Step]:
    name, *lines = part.splitlines()
    for line in lines:
        if line.startswith("    "):
            command = line.strip()
            if command.startswith(EDITOR):
                yield Step(name, Kind.EDIT, command.removeprefix(EDITOR))
            else:
                yield Step(name, Kind.COMMAND, command)
        elif HAND in line:
            yield Step(name, Kind.HAND, line.partition(HAND)[2].partition(".")[0])
        elif line.startswith("- "):
            for found in BROWSER.finditer(line):
                yield Step(name, Kind(found.lastgroup or ""), found[found.lastgroup or 0])


def changed(before: str, after: str) -> int:
    """The signs that somebody types who makes one text of the other, without those that stay."""
    told = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return sum(max(to - frm, 1) for kind, _, _, frm, to in told.get_opcodes() if kind != "equal")


def seconds(done: list[tuple[Step, int]]) -> float:
    """Of a person, for steps with the signs typed at each."""
    return sum(SECONDS[step.kind] + typed / SIGNS_PER_SECOND for step, typed in done)


def sheet(done: list[tuple[Step, int]]) -> str:
    """A line for each part, then the sum."""
    ends = [at for at, (one, next_) in enumerate(pairwise(done), 1) if one[0].part != next_[0].part]
    said = []
    for frm, to in pairwise([0, *ends, len(done)]):
        part = done[frm:to]
        typed = sum(count for _, count in part)
        said.append(f"  {part[0][0].part}: {len(part)} steps, {typed} signs, {seconds(part):.0f} s")
    typed = sum(count for _, count in done)
    minutes = seconds(done) / 60
    return "\n".join([*said, f"{len(done)} steps, {typed} signs typed: {minutes:.1f} minutes of a person's time"])
