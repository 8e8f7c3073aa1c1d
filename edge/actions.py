"""What a controller asks for: values, carried out by the runtime in the order given."""

from dataclasses import dataclass
from typing import TypeAlias

from policy.terms import Instant
from wire.row import Row


@dataclass(frozen=True, slots=True)
class Drive:
    """Put an output to a level. output: strike, or <reader>.green, .red, .buzzer."""

    output: str
    active: bool


@dataclass(frozen=True, slots=True)
class Record:
    """Write a row to the journal, then let it be told."""

    row: Row


@dataclass(frozen=True, slots=True)
class Alive:
    """A session runs: note on the disk that this edge had power at the instant."""

    at: Instant


Action: TypeAlias = Drive | Record | Alive
