"""What a controller asks for: values, carried out by the runtime in the order given."""

from dataclasses import dataclass
from typing import TypeAlias

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


Action: TypeAlias = Drive | Record
