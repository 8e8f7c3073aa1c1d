"""What does a row of the journal hold? The edge writes it once; the same bytes lie on its disk and cross the wire."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from policy.case import Mark
from policy.instants import believed, instant
from policy.reasons import Reason
from policy.terms import ClockState
from policy.units import told
from wire.errors import TooLargeError, WireError

MAX_BYTES = 4096
"""Of a row; an honest one has some 350."""
LONGEST = 200
"""Characters of what a database looks things up by: of an index PostgreSQL bears no more than 2,704 bytes a row."""
DETAIL = 500
"""Characters of a detail, as an edge writes it: so a row stays below MAX_BYTES whatever a fault says."""

Whole: TypeAlias = Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""A number that any JSON reader and any database keeps exactly: a larger one is refused where it arrives."""


Text: TypeAlias = Annotated[str, Meta(pattern=r"\A[^\0]*\Z")]
"""A text that any database keeps: PostgreSQL knows no NUL character."""


Id: TypeAlias = Annotated[str, Meta(max_length=LONGEST)]
"""What something is known by."""
Count: TypeAlias = Annotated[int, Meta(ge=0, lt=2**31)]
"""A number of rows or rules: no honest counter gets further."""


CURRENT_UNPOWERED = "current: flows without power"
"""The detail of an input_unsteady, and of its input_steady, by a machine's current sensor."""


class Kind(StrEnum):
    """What happened."""

    STARTED = "started"
    CLOCK_SET = "clock_set"
    TAP = "tap"
    CARDS_COLLIDED = "cards_collided"
    CARD_UNREADABLE = "card_unreadable"
    READ_THROUGH_WALL = "read_through_wall"
    DOOR_OPENED = "door_opened"
    DOOR_CLOSED = "door_closed"
    DOOR_FORCED = "door_forced"
    DOOR_HELD = "door_held"
    RELOCKED = "relocked"
    REX = "rex"
    FIRE = "fire"
    FIRE_ENDED = "fire_ended"
    INPUT_UNSTEADY = "input_unsteady"
    INPUT_STEADY = "input_steady"
    READER_FAULT = "reader_fault"
    READER_RECOVERED = "reader_recovered"
    SESSION_STARTED = "session_started"
    SESSION_WARNED = "session_warned"
    SESSION_EXTENDED = "session_extended"
    SESSION_ENDED = "session_ended"
    ESTOP = "estop"
    MACHINE_RESET = "machine_reset"
    COMMAND = "command"
    ENROLLED = "enrolled"
    CLOSED = "closed"
    CHECKED_OUT = "checked_out"


class Place(StrEnum):
    """What of an edge a row speaks of."""

    EDGE = "the edge itself"
    DOOR = "a door"
    MACHINE = "a machine"


_ANYWHERE = frozenset(Place)
_DOOR, _MACHINE, _EITHER = frozenset({Place.DOOR}), frozenset({Place.MACHINE}), frozenset({Place.DOOR, Place.MACHINE})
PLACES: Mapping[Kind, frozenset[Place]] = {
    Kind.STARTED: frozenset({Place.EDGE}),
    Kind.CLOCK_SET: frozenset({Place.EDGE}),
    Kind.TAP: _EITHER,
    Kind.CARDS_COLLIDED: _EITHER,
    Kind.CARD_UNREADABLE: _EITHER,
    Kind.READ_THROUGH_WALL: _DOOR,
    Kind.DOOR_OPENED: _DOOR,
    Kind.DOOR_CLOSED: _DOOR,
    Kind.DOOR_FORCED: _DOOR,
    Kind.DOOR_HELD: _DOOR,
    Kind.RELOCKED: _DOOR,
    Kind.REX: _DOOR,
    Kind.FIRE: _DOOR,
    Kind.FIRE_ENDED: _DOOR,
    Kind.INPUT_UNSTEADY: _EITHER,
    Kind.INPUT_STEADY: _EITHER,
    Kind.READER_FAULT: _EITHER,
    Kind.READER_RECOVERED: _EITHER,
    Kind.SESSION_STARTED: _MACHINE,
    Kind.SESSION_WARNED: _MACHINE,
    Kind.SESSION_EXTENDED: _MACHINE,
    Kind.SESSION_ENDED: _MACHINE,
    Kind.ESTOP: _MACHINE,
    Kind.MACHINE_RESET: _MACHINE,
    Kind.COMMAND: _ANYWHERE,
    Kind.ENROLLED: _EITHER,
    Kind.CLOSED: _DOOR,
    Kind.CHECKED_OUT: _DOOR,
}
"""Where each kind can happen: a row of any other place is believed by nobody."""


class Order(StrEnum):
    """What the server may want of an edge at once."""

    OPEN = "open"
    """Release the strike of an access point."""
    UNLOCK = "unlock"
    """Keep an access point unlocked until an instant."""
    RELOCK = "relock"
    """Lock it again."""
    LOCK_OUT = "lock_out"
    """End the session on a machine and start none until the rules say otherwise."""
    EXTEND = "extend"
    """Work out afresh until when the session on a machine may go on."""
    END = "end"
    """End the session on a machine that is meant; the next may begin at once."""
    SOUND = "sound"
    """Light and buzzer of a reader, so that an installer finds it."""
    REREAD = "reread"
    """Connect anew and take again all that is retained."""
    SET_CLOCK = "set_clock"
    """The server's time, for an edge that asked for it."""
    ENROL = "enrol"
    """Take the next badge at a reader that no member has, and tell the server alone its number."""
    STOP_ENROL = "stop_enrol"
    """Wait for no badge at that reader any more. An edge one version behind goes on until its half minute is over."""


class Row(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Keyed by (edge, journal, seq); seq starts at 1 and has no gaps.

    at: RFC 3339 UTC with milliseconds, by the edge's wall clock, whose state is `clock`. mono_ms: monotonic clock
    of this boot. access_point: the access point or the machine. pending: a granted `in` tap that takes effect when
    the door opens. settles: the seq of the tap that a door_opened row settles. pays: the day or half-day that is
    paid with a unit of a pass, once the entry takes effect (policy/units.py); in form 1 its start. adhoc_until: end
    of the shift that the tap made. marks: what a grant is remembered for. started, ended: of the session;
    machine_kind, cuts: what it is. nonce, order: of the command that was carried out, or was not (granted false), and
    until, of an UNLOCK; of an enrolled row the nonce, and nothing of the badge. detail: what a fault says, who gave the
    command, why it was not carried out, or why a door that was kept unlocked is no more, in English. by: of a
    checked_out row the gardien who closed the place.
    """

    seq: Whole
    at: str
    mono_ms: Whole
    boot: Id
    clock: ClockState
    kind: Kind
    access_point: Id | None = None
    reader: Id | None = None
    credential: Id | None = None
    member: Id | None = None
    granted: bool | None = None
    reason: Reason | None = None
    until: str | None = None
    rules_version: Count | None = None
    pending: bool = False
    settles: Count | None = None
    pays: str | None = None
    adhoc_until: str | None = None
    marks: tuple[Mark, ...] = ()
    started: str | None = None
    ended: str | None = None
    machine_kind: Id | None = None
    cuts: bool = False
    nonce: Id | None = None
    order: Order | None = None
    detail: str | None = None
    by: Id | None = None


def check_instants(row: Row) -> None:
    """Raises ValueError for one that is none, or is not believed; what a lost clock reads nobody goes by."""
    (instant if row.clock is ClockState.UNKNOWN else believed)(row.at)
    for written in (row.until, row.adhoc_until, row.started, row.ended):
        if written is not None:
            believed(written)
    if row.pays is not None:
        told(row.pays)


_decoder = msgspec.json.Decoder(Row)
encode = msgspec.json.Encoder().encode


def decode(row: bytes | Raw, where: str) -> Row:
    """Raises TooLargeError, or WireError naming where the row came from, and what is wrong with it."""
    if len(row) > MAX_BYTES:
        raise TooLargeError(f"{where}: a row of {len(row)} bytes; at most {MAX_BYTES} are read")
    try:
        return _decoder.decode(row)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WireError(f"{where}: not a journal row ({error})") from None
