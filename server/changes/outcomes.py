"""How can a change end that somebody asked for on a page?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """It is made."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """The fields that cannot stay as they are."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Somebody else changed it since whoever decides has seen it."""
