"""What do edges and server say to each other? One frozen type for each message; unknown keys are refused."""

from hashlib import sha256
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from policy.terms import ClockState
from wire.errors import WireError
from wire.row import Whole


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole compiled rule set. version only ever grows. issued, not_after: RFC 3339. body: wire/ruleset.py."""

    version: Whole
    issued: str
    not_after: str
    body: bytes

    @property
    def hash(self) -> str:
        """SHA-256 of the body, hex."""
        return sha256(self.body).hexdigest()


class Fresh(Struct, frozen=True, forbid_unknown_fields=True):
    """Confirms the rules that an edge holds, until not_after."""

    version: Whole
    hash: str
    issued: str
    not_after: str


class Events(Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of one journal, gapless from the first unacknowledged on, at most MAX_ROWS. Each is a wire/row.py Row."""

    journal: str
    rows: tuple[Raw, ...]


MAX_ROWS = 200


class Ack(Struct, frozen=True, forbid_unknown_fields=True):
    """Row `seq` of the journal and all before it are on the server's disk."""

    journal: str
    seq: Whole


class Status(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How an edge is. readers: None when well, else what is wrong. free_disk: MB. temperature: °C. at: RFC 3339."""

    online: bool
    at: str | None = None
    software: str = ""
    rules_version: Whole | None = None
    clock: ClockState | None = None
    readers: dict[str, str | None] = {}
    unacknowledged: Whole = 0
    journal_fault: str | None = None
    temperature: float | None = None
    free_disk: Whole | None = None


Message = TypeVar("Message", bound=Struct)


def decode(kind: type[Message], body: bytes, where: str) -> Message:
    """The message in a body. Raises WireError naming where it came from, and what is wrong with it."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WireError(f"{where}: not a {kind.__name__} message ({error})") from None


def encode(message: Any) -> bytes:
    return msgspec.json.encode(message)
