"""What does the server know of the site, and up to where? The body of a state message."""

import msgspec
from msgspec import Struct

from policy.facts import Fact
from wire.packing import pack_json, unpack_json
from wire.row import Whole


class Snapshot(Struct, frozen=True, forbid_unknown_fields=True):
    """facts: who moved last, units paid, sessions, ad hoc shifts, stopped machines, as far as they still matter.

    positions: {edge: {journal: seq}}; all that these rows and those before them say is included in the facts.
    """

    lockdown: bool
    facts: tuple[Fact, ...]
    positions: dict[str, dict[str, Whole]]


_decoder = msgspec.json.Decoder(Snapshot)


def pack(snapshot: Snapshot) -> bytes:
    return pack_json(snapshot)


def unpack(body: bytes) -> Snapshot:
    """Raises TooLargeError, or WireError when the body is no snapshot."""
    return unpack_json(body, _decoder, "state")
