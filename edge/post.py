"""What passes between the threads behind the door: rows and news for the keeper, and the keeper's way out."""

from typing import Protocol, TypeAlias

from msgspec import Struct

from edge.actions import Alive
from edge.events import ReaderFault, ReaderRecovered
from wire.row import Row


class Recorded(Struct, frozen=True):
    """A row to be written. handed_over: time.perf_counter() then, for the observer."""

    row: Row
    handed_over: float


class Unrecorded(Struct, frozen=True):
    """So many events could not be recorded since the start: too many rows waited for the disk."""

    count: int


class Received(Struct, frozen=True):
    """A message came over the link, as it came."""

    topic: str
    payload: bytes


class Mail(Struct, frozen=True):
    """Messages wait in the letterbox."""


class LinkUp(Struct, frozen=True):
    """The broker took the connection."""


class LinkDown(Struct, frozen=True):
    """There is no connection. why: for the log, with the remedy where there is one."""

    why: str


Item: TypeAlias = Recorded | Unrecorded | Alive | Received | Mail | LinkUp | LinkDown | ReaderFault | ReaderRecovered
"""What a keeper takes."""


class Post(Protocol):
    """The way out to the broker."""

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Send, at least once if the connection holds. Never waits, never fails: without a connection it is dropped."""

    def reconnect(self, why: str) -> None:
        """Send what waits, then connect anew and hear again all that is retained. Never waits, never fails.

        why: for the log.
        """
