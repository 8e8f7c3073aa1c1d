"""What can happen to an edge: the inputs of a controller's step. Each carries the time at which it happened."""

from dataclasses import dataclass

from policy.ruleset import RuleSet
from policy.terms import Instant
from wire.row import Order, Row
from wire.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Event:
    """at: wall clock, ms since 1970 UTC. mono: monotonic clock, seconds. Both taken where the event happened."""

    at: Instant
    mono: float


@dataclass(frozen=True, slots=True)
class ReaderEvent(Event):
    """Something at one reader, named as in edge.toml."""

    reader: str


@dataclass(frozen=True, slots=True)
class CardSeen(ReaderEvent):
    """One badge came into the field and was read whole. A badge left lying is seen once.

    uid: 4, 7 or 10 bytes. sak: the last SELECT's answer (ISO 14443-3).
    transfers, seconds: what the read cost on the SPI bus and in time.
    """

    uid: bytes
    sak: int
    transfers: int
    seconds: float


@dataclass(frozen=True, slots=True)
class CardsCollided(ReaderEvent):
    """Two badges or more in the field at once: nobody is read. Said once until the field changes."""


@dataclass(frozen=True, slots=True)
class CardGone(ReaderEvent):
    """The field is empty again after CardSeen or CardsCollided."""


@dataclass(frozen=True, slots=True)
class ReaderFault(ReaderEvent):
    """The reader does not answer as it should. why: in English, for the log and the status message."""

    why: str


@dataclass(frozen=True, slots=True)
class ReaderRecovered(ReaderEvent):
    """A faulty reader answers again and has been set up anew."""


Sighting = CardSeen | CardsCollided | CardGone | ReaderFault | ReaderRecovered


@dataclass(frozen=True, slots=True)
class InputChanged(Event):
    """An input pin is stable at a new level.

    name: contact, rex or fire. active: door open, button pressed, alarm on.
    """

    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class RulesSwapped(Event):
    """New rules are on disk and in force. not_after: until when they are confirmed."""

    version: int
    not_after: Instant
    rules: RuleSet


@dataclass(frozen=True, slots=True)
class RulesConfirmed(Event):
    """The server confirmed the rules that the edge holds, until not_after."""

    not_after: Instant


@dataclass(frozen=True, slots=True)
class JournalTrouble(Event):
    """The journal cannot be written (why, in English), or can again (None).

    full: so many rows wait in memory that no more are taken.
    """

    why: str | None
    full: bool = False


@dataclass(frozen=True, slots=True)
class LinkChanged(Event):
    """The broker is reached, or no more."""

    up: bool


@dataclass(frozen=True, slots=True)
class FactsHeard(Event):
    """Rows of another edge: signed by it, about places of its own, and on this edge's disk.

    trusted: whether `at` is by a clock that can be believed.
    """

    edge: str
    journal: str
    rows: tuple[Row, ...]
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class StateHeard(Event):
    """What the server knows of the site. own: the last row of this edge in it, by the controller's numbers, if any."""

    version: int
    snapshot: Snapshot
    own: int | None


@dataclass(frozen=True, slots=True)
class Ordered(Event):
    """The server gave an order; the disk knows that it was seen.

    place: an access point, a machine or a reader of this edge, as the order wants it. by: who gave it. until: the
    monotonic second after which it is not carried out any more. refused: why it is not at all, in English.
    """

    nonce: str
    order: Order
    place: str | None
    by: str
    until: float
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Journalled(Event):
    """Row `seq` and all before it are on this edge's disk."""

    seq: int
