"""What can happen to an edge: the inputs of a controller's step. Each carries the time at which it happened."""

from msgspec import Struct

from edge.held import HeldRules
from policy.terms import Instant
from wire.messages import Plug, PrinterState
from wire.row import Order, Row
from wire.snapshot import Snapshot


class Event(Struct, frozen=True):
    """at: wall clock, ms since 1970 UTC. mono: monotonic clock, seconds. Both taken where the event happened."""

    at: Instant
    mono: float


class ReaderEvent(Event, frozen=True):
    """Something at one reader, named as in edge.toml."""

    reader: str


class CardSeen(ReaderEvent, frozen=True):
    """One badge came into the field and was read whole. A badge left lying is seen once.

    uid: 4, 7 or 10 bytes. sak: the last SELECT's answer (ISO 14443-3).
    transfers, seconds: what the read cost on the SPI bus and in time.
    """

    uid: bytes
    sak: int
    transfers: int
    seconds: float


class CardBack(ReaderEvent, frozen=True):
    """A badge is read again that was away so short a time that it is the same tap. No controller hears of it."""

    uid: bytes


class CardUnreadable(ReaderEvent, frozen=True):
    """Something has answered for a second and cannot be read. Said once until the field was clear."""


class ReadThroughWall(ReaderEvent, frozen=True):
    """A card was read at the reader inside while it, or one that is not known, is or just was at the one outside: no
    tap."""


class CardsCollided(ReaderEvent, frozen=True):
    """Two badges or more in the field at once: nobody is read. Said once until the field changes."""


class CardGone(ReaderEvent, frozen=True):
    """The field is empty again after CardSeen, CardBack or CardsCollided."""


class ReaderFault(ReaderEvent, frozen=True):
    """The reader does not answer as it should. why: in English, for the log and the status message."""

    why: str


class ReaderRecovered(ReaderEvent, frozen=True):
    """A faulty reader answers again and has been set up anew."""


Sighting = CardSeen | CardBack | CardUnreadable | CardsCollided | CardGone | ReaderFault | ReaderRecovered


class InputEvent(Event, frozen=True):
    """Something at an input. name: contact, rex, fire or estop, or a device at a machine."""

    name: str


class InputChanged(InputEvent, frozen=True):
    """An input pin is stable at a new level, and was first seen at it then.

    active: door open, button pressed, alarm on.
    """

    active: bool


class InputUnsteady(InputEvent, frozen=True):
    """An input changes so often that it can be no hand and no door leaf. Until it is steady it counts as active."""


class InputSteady(InputEvent, frozen=True):
    """An input that was unsteady has been still for a while. changes: how often it changed."""

    changes: int


class PrinterSaid(InputEvent, frozen=True):
    """What a printer's program answered, or that it did not. name: `<machine>.printer`.

    program: as in edge.toml. left: seconds of the job. since: when it began to be so; of an unknown one, when it
    answered last. why: of one that is unknown, in English, for the log.
    """

    program: str
    state: PrinterState
    left: int | None
    since: Instant
    why: str | None = None


class PlugSaid(InputEvent, frozen=True):
    """A plug is as it was not before. name: `<machine>.plug`."""

    plug: Plug


class RulesSwapped(Event, frozen=True):
    """New rules are on disk and in force."""

    held: HeldRules


class RulesConfirmed(Event, frozen=True):
    """The server confirmed the rules that the edge holds, until not_after."""

    not_after: Instant


class JournalTrouble(Event, frozen=True):
    """The journal cannot be written (why, in English), or can again (None).

    full: so many rows wait in memory that no more are taken.
    """

    why: str | None
    full: bool = False


class LinkChanged(Event, frozen=True):
    """The broker is reached, or no more."""

    up: bool


class FactsHeard(Event, frozen=True):
    """Rows of another edge: signed by it, about places of its own, and on this edge's disk.

    trusted: whether `at` is by a clock that can be believed.
    """

    edge: str
    journal: str
    rows: tuple[Row, ...]
    trusted: bool = True


class StateHeard(Event, frozen=True):
    """What the server knows of the site. own: the last row of this edge in it, by the controller's numbers, if any."""

    version: int
    snapshot: Snapshot
    own: int | None


class Hold(Struct, frozen=True):
    """Until when a door is to be kept unlocked: at is what people are told, mono (seconds) what is gone by."""

    at: Instant
    mono: float


class Ordered(Event, frozen=True):
    """The server gave an order; the disk knows that it was seen.

    place: an access point, a machine or a reader of this edge, as the order wants it. by: who gave it. until: the
    monotonic second after which it is not carried out any more. refused: why it is not at all, in English.
    key: of an ENROL, as in the command. hold: of an UNLOCK. began: of an EXTEND or END, the session meant.
    """

    nonce: str
    order: Order
    place: str | None
    by: str
    until: float
    refused: str | None = None
    key: str = ""
    hold: Hold | None = None
    began: Instant | None = None


class Journalled(Event, frozen=True):
    """Row `seq` and all before it are on this edge's disk."""

    seq: int
