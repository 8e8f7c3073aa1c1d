"""What a controller asks for: values, carried out by the runtime in the order given."""

from typing import TypeAlias

from msgspec import Struct

from policy.terms import Instant
from wire.messages import Laid, Sensed
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


class BadgeLaid(Struct, frozen=True):
    """Tell the server what was laid on a reader that waits for a badge to enrol. It goes to no disk and no log.

    nonce, key: of the order. uid: of a new badge; to be sealed to the key. member: whose it is, if somebody's.
    """

    nonce: str
    key: str
    laid: Laid
    uid: bytes | None = None
    member: str | None = None


class SensedChanged(Struct, frozen=True):
    """What sensor and service key of a machine say is another thing than before: for the status, and no disk."""

    machine: str
    sensed: Sensed


Action: TypeAlias = Drive | Record | Alive | BadgeLaid | SensedChanged
