"""What can be wrong with a bundle, said to the person who wrote it: file, key, value, and what to do."""

from typing import Any

import msgspec

SHOWN = 60
"""Characters of a value that an error repeats."""


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
        return f"{self.key}{of} is {value}: {self.why}"


def shown(value: object) -> str:
    """The value as JSON on one line, cut short."""
    text = msgspec.json.encode(value)[: 8 * SHOWN].decode(errors="ignore")
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
