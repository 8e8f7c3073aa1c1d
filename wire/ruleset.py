"""How does a rule set travel? As compressed JSON, the same bytes for the same rules."""

import msgspec

from policy.ruleset import RuleSet
from wire.packing import pack_json, unpack_json

_decoder = msgspec.json.Decoder(RuleSet)


def pack(rules: RuleSet) -> bytes:
    return pack_json(rules)


def unpack(body: bytes) -> RuleSet:
    """Raises TooLargeError, or WireError when the body is not a rule set."""
    return unpack_json(body, _decoder, "rule set")
