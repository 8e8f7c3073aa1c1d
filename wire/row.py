"""What does a row of the journal hold? The edge writes it once; the same bytes lie on its disk and cross the wire."""

from enum import StrEnum
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from policy.case import Mark
from policy.reasons import Reason
from policy.terms import ClockState
from wire.errors import WireError

Whole: TypeAlias = Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""A number that any JSON reader and any database keeps exactly: a larger one is refused where it arrives."""


Text: TypeAlias = Annotated[str, Meta(pattern=r"\A[^\0]*\Z")]
"""A text that any database keeps: PostgreSQL knows no NUL character."""


class Kind(StrEnum):
    """What happened."""

    STARTED = "started"
    CLOCK_SET = "clock_set"
    TAP = "tap"
    CARDS_COLLIDED = "cards_collided"
    DOOR_OPENED = "door_opened"
    DOOR_CLOSED = "door_closed"
    DOOR_FORCED = "door_forced"
    DOOR_HELD = "door_held"
    REX = "rex"
    FIRE = "fire"
    FIRE_ENDED = "fire_ended"
    READER_FAULT = "reader_fault"
    READER_RECOVERED = "reader_recovered"
    SESSION_STARTED = "session_started"
    SESSION_WARNED = "session_warned"
    SESSION_ENDED = "session_ended"
    ESTOP = "estop"
    MACHINE_RESET = "machine_reset"
    COMMAND = "command"


class Order(StrEnum):
    """What the server may want of an edge at once."""

    OPEN = "open"
    """Release the strike of an access point."""
    LOCK_OUT = "lock_out"
    """End the session on a machine and start none until the rules say otherwise."""
    SOUND = "sound"
    """Light and buzzer of a reader, so that an installer finds it."""
    REREAD = "reread"
    """Connect anew and take again all that is retained."""
    SET_CLOCK = "set_clock"
    """The server's time, for an edge that asked for it."""


class Row(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Keyed by (edge, journal, seq); seq starts at 1 and has no gaps.

    at: RFC 3339 UTC with milliseconds, by the edge's wall clock, whose state is `clock`. mono_ms: monotonic clock of
    this boot. access_point: the access point or the machine. pending: a granted `in` tap that takes effect when the
    door opens. settles: the seq of the tap that a door_opened row settles. pays: the start of the day or half-day that
    is paid with a unit of a pass, once the entry takes effect. adhoc_until: end of the shift that the tap made. marks:
    what a grant is remembered for. started, ended: of the session; machine_kind, cuts: what it is.
    nonce, order: of the command that was carried out, or was not (granted false). detail: what a fault says, who gave
    the command, or why it was not carried out, in English.
    """

    seq: Whole
    at: str
    mono_ms: Whole
    boot: str
    clock: ClockState
    kind: Kind
    access_point: str | None = None
    reader: str | None = None
    credential: str | None = None
    member: str | None = None
    granted: bool | None = None
    reason: Reason | None = None
    until: str | None = None
    rules_version: Whole | None = None
    pending: bool = False
    settles: Whole | None = None
    pays: str | None = None
    adhoc_until: str | None = None
    marks: tuple[Mark, ...] = ()
    started: str | None = None
    ended: str | None = None
    machine_kind: str | None = None
    cuts: bool = False
    nonce: str | None = None
    order: Order | None = None
    detail: str | None = None


_decoder = msgspec.json.Decoder(Row)
encode = msgspec.json.Encoder().encode


def decode(row: bytes | Raw, where: str) -> Row:
    """Raises WireError naming where the row came from, and what is wrong with it."""
    try:
        return _decoder.decode(row)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WireError(f"{where}: not a journal row ({error})") from None
