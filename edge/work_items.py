"""What can the storage worker be given? Rows, messages and news, by the threads of door and link."""

from typing import TypeAlias

from msgspec import Struct

from edge.actions import Alive, BadgeLaid, SensedChanged
from edge.events import PlugSaid, PrinterSaid, ReaderFault, ReaderRecovered
from edge.screen import Shown
from wire.row import Row


class RowToWrite(Struct, frozen=True):
    """A row to be written. handed_over: time.perf_counter() then, for the observer."""

    row: Row
    handed_over: float


class UnrecordedCount(Struct, frozen=True):
    """So many events could not be recorded since the start: too many rows waited for the disk."""

    count: int


class Received(Struct, frozen=True):
    """A message came over the link, as it came."""

    topic: str
    payload: bytes


class MessagesWaiting(Struct, frozen=True):
    """Messages wait in the inbound."""


class LinkUp(Struct, frozen=True):
    """The broker took the connection."""


class LinkDown(Struct, frozen=True):
    """There is no connection. why: for the log, with the remedy where there is one."""

    why: str


WorkItem: TypeAlias = (
    RowToWrite
    | UnrecordedCount
    | Alive
    | BadgeLaid
    | SensedChanged
    | Received
    | MessagesWaiting
    | LinkUp
    | LinkDown
    | ReaderFault
    | ReaderRecovered
    | PrinterSaid
    | PlugSaid
    | Shown
)
"""What the storage worker handles."""
