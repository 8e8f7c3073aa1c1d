"""What do edges and server say to each other? One frozen type for each message; unknown keys are refused."""

from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from policy.terms import HOUR, SECOND, ClockState, Instant
from wire.errors import WireError
from wire.row import LONGEST, Id, Order, Text, Whole


def hash_of(body: bytes) -> str:
    """SHA-256 of a body, hex."""
    return sha256(body).hexdigest()


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole compiled rule set. version only ever grows. issued, not_after: RFC 3339. body: wire/ruleset.py."""

    version: Whole
    issued: str
    not_after: str
    body: bytes

    @property
    def hash(self) -> str:
        """As hash_of the body."""
        return hash_of(self.body)


class Fresh(Struct, frozen=True, forbid_unknown_fields=True):
    """Confirms the rules that an edge holds, until not_after."""

    version: Whole
    hash: str
    issued: str
    not_after: str


class Events(Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of one journal, gapless from the first unacknowledged on, at most MAX_ROWS. Each is a wire/row.py Row."""

    journal: Annotated[Text, Meta(max_length=LONGEST)]
    rows: tuple[Raw, ...]


MAX_ROWS = 200


class State(Struct, frozen=True, forbid_unknown_fields=True):
    """What the server knows of the site. version only ever grows. issued: RFC 3339. body: wire/snapshot.py."""

    version: Whole
    issued: str
    body: bytes

    @property
    def hash(self) -> str:
        """As hash_of the body."""
        return hash_of(self.body)


class Facts(Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of one journal that the other edges must know at once, without their credentials; seq may have gaps.

    Who hears them keeps the journal's name with each of them.
    """

    journal: Annotated[Text, Meta(max_length=LONGEST)]
    rows: tuple[Raw, ...]


class Command(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The server wants something done once, and not after `not_after`, COMMAND_LASTS later than `issued` (RFC 3339).

    nonce: names this command for ever. place: the access point, machine or reader that the order is about, None for
    the edge itself. by: who gave it. asked: of a SET_CLOCK, the question in the edge's status that it answers; of an
    EXTEND or END, when the session that is meant began (RFC 3339).
    key: of an ENROL, the X25519 public key, drawn for it alone, to which the badge's number is sealed (hex).
    until: of an UNLOCK, at most LONGEST_UNLOCK later than `issued` (RFC 3339).
    """

    nonce: str
    issued: str
    not_after: str
    order: Order
    place: str | None = None
    by: str = ""
    asked: str | None = None
    key: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")] | None = None
    until: str | None = None


COMMAND_LASTS: Instant = 10 * SECOND
LONGEST_UNLOCK: Instant = 4 * HOUR
ENROL_LASTS = 30.0
"""Seconds for which an edge waits for a badge, by its monotonic clock, from the order's arrival."""


class Laid(StrEnum):
    """What was laid on a reader that waits for a badge to enrol."""

    NEW = "new"
    """A badge that no member has: the edge waits no more."""
    TAKEN = "taken"
    """A member's badge, which was decided as always."""
    RANDOM = "random"
    """A number of 4 bytes that begins with 08: another one the next time (a phone, some bank cards)."""
    SEVERAL = "several"
    """Two badges or more at once."""


class Reply(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What became of the command of this nonce. why: in English, empty when it was done.

    laid: after an ENROL that was done, a message for each badge. sealed: the number of a NEW one (wire/enrolment.py).
    member: whose a TAKEN one is.
    """

    nonce: Text
    done: bool
    why: Text = ""
    laid: Laid | None = None
    sealed: Annotated[bytes, Meta(max_length=LONGEST)] | None = None
    member: Id | None = None


class Ack(Struct, frozen=True, forbid_unknown_fields=True):
    """Row `seq` of the journal and all before it are on the server's disk."""

    journal: str
    seq: Whole


class PrinterState(StrEnum):
    """What a printer does. Its power may be cut while it is idle alone."""

    PRINTING = "printing"
    PAUSED = "paused"
    """It waits for a hand in the middle of a print."""
    BUSY = "busy"
    """It heats, moves, cools or ends a print."""
    IDLE = "idle"
    UNKNOWN = "unknown"


class Printer(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a printer's program says of it. program: octoprint, moonraker or prusalink.

    since: when the state began. silent: the program does not answer; since is then when it did last. ends: when the job
    ends, as the program guesses (RFC 3339).
    """

    program: Annotated[Text, Meta(max_length=LONGEST)]
    state: PrinterState
    since: str
    ends: str | None = None
    silent: bool = False


class PlugFault(StrEnum):
    """Why no machine may run on a plug now."""

    SILENT = "silent"
    SETTINGS = "settings"
    """They could not be read, or are not as they must be."""
    CAME_BACK = "came_back"
    """It was on while it was to be off: after a power cut, or by its button."""
    DISOBEYS = "disobeys"
    LIES = "lies"
    """It says that it is off, and power flows."""


class Plug(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a plug says of itself. kind: tasmota, shelly or zigbee2mqtt. switches: it stands for an interlock.

    since: when the fault, or being well, began (RFC 3339). wrong: the settings that are not as they must be, in words.
    off_seconds: how long it took, the last time, from being told to saying that it is off. audited: when all of its
    settings were read last (RFC 3339).
    """

    kind: Annotated[Text, Meta(max_length=LONGEST)]
    switches: bool
    since: str
    fault: PlugFault | None = None
    watts: float | None = None
    wrong: Text = ""
    off_seconds: float | None = None
    audited: str | None = None


class Sensed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is wired beside a machine's relay.

    service: since when its service key is turned (RFC 3339), None while it is not. unpowered: its sensor sees current
    while the power is off.
    """

    service: str | None = None
    unpowered: bool = False


class Status(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How an edge is. readers: None when well, else what is wrong. free_disk: MB. temperature: °C. at: RFC 3339.

    rules_version, state_version: those that it holds. rules_hash, state_hash: of their bodies, see hash_of.
    speaks: the form of rules and state that it reads (policy/ruleset.py, SPEAKS).
    unlocked: the doors that are kept unlocked by order, and until when (RFC 3339).
    asks: a question, drawn anew each time, of an edge whose clock is unknown; the server answers with a SET_CLOCK.
    boot: the id of the edge's start. printers, plugs: by machine, where one stands; sensed: where
    sensor or key say that it may not start. wear: % of its card's life, where
    the kernel says it. certificate_until, rules_until: RFC 3339, until when its certificate is good and the server
    confirmed its rules.
    """

    online: bool
    at: str | None = None
    software: Text = ""
    rules_version: Whole | None = None
    state_version: Whole | None = None
    clock: ClockState | None = None
    asks: str | None = None
    readers: dict[Text, Text | None] = {}
    unacknowledged: Whole = 0
    journal_fault: Text | None = None
    temperature: float | None = None
    free_disk: Whole | None = None
    rules_hash: str | None = None
    state_hash: str | None = None
    boot: Annotated[Text, Meta(max_length=LONGEST)] | None = None
    speaks: Whole = 1
    unlocked: dict[Id, str] = {}
    printers: dict[Id, Printer] = {}
    plugs: dict[Id, Plug] = {}
    sensed: dict[Id, Sensed] = {}
    wear: Whole | None = None
    certificate_until: str | None = None
    rules_until: str | None = None


Message = TypeVar("Message", bound=Struct)


def decode(kind: type[Message], body: bytes, where: str) -> Message:
    """The message in a body. Raises WireError naming where it came from, and what is wrong with it."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WireError(f"{where}: not a {kind.__name__} message ({error})") from None


def encode(message: Any) -> bytes:
    return msgspec.json.encode(message)
