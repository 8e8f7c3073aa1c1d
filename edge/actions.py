"""What a controller asks for: values, carried out by the runtime in the order given."""

from typing import TypeAlias

from msgspec import Struct

from policy.terms import Instant
from wire.row import Row


class Drive(Struct, frozen=True):
    """Put an output to a level. output: strike, or <reader>.green, .red, .buzzer."""

    output: str
    active: bool


class Record(Struct, frozen=True):
    """Write a row to the journal, and then send it."""

    row: Row


class Alive(Struct, frozen=True):
    """A session runs: note on the disk that this edge had power at the instant."""

    at: Instant


Action: TypeAlias = Drive | Record | Alive
