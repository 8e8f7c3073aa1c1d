"""What does the server know of the site, and up to where? The body of a state message."""

import msgspec
from msgspec import Struct

from policy.facts import Fact
from wire.packing import pack_json, unpack_json
from wire.row import Whole


class Group(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """People who are inside without badges of their own. member: whose badge stands for them; None: nobody's."""

    people: Whole
    member: str | None = None


class Snapshot(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """facts: who moved last, units paid, sessions, ad hoc shifts, stopped machines, as far as they still matter.

    positions: {edge: {journal: seq}}; all that these rows and those before them say is included in the facts.
    groups: no rule asks for them, whoever counts heads does. Said to edges that all read form 3 (policy/ruleset.py).
    """

    lockdown: bool
    facts: tuple[Fact, ...]
    positions: dict[str, dict[str, Whole]]
    groups: tuple[Group, ...] = ()


_decoder = msgspec.json.Decoder(Snapshot)


def pack(snapshot: Snapshot) -> bytes:
    return pack_json(snapshot)


def unpack(body: bytes) -> Snapshot:
    """Raises TooLargeError, or WireError when the body is no snapshot."""
    return unpack_json(body, _decoder, "state")
