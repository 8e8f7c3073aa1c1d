"""What can be wrong with a bundle, said to the person who wrote it: file, key, value, and what to do."""

from typing import Any

import msgspec

SHOWN = 60
KEY_SHOWN = 120
"""Characters of a value, and of a key, that an error repeats."""


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
        return f"{brief(self.key, KEY_SHOWN)}{of} is {value}: {self.why}"


def shown(value: object) -> str:
    """The value as JSON on one line, cut short."""
    text = msgspec.json.encode(value)[: 8 * SHOWN].decode(errors="ignore")
    return brief(" ".join(text.split()), SHOWN)


def brief(text: str, most: int) -> str:
    """The text, cut short: what comes from outside must not fill a log."""
    return text if len(text) <= most else text[: most - 1] + "…"
