"""How does a rule set travel? As compressed JSON, the same bytes for the same rules."""

import zlib

import msgspec

from policy.ruleset import RuleSet
from wire.errors import TooLargeError, WireError

MAX_UNPACKED = 64 * 1024 * 1024

_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(RuleSet)


def pack(rules: RuleSet) -> bytes:
    return zlib.compress(_encoder.encode(rules), 9)


def unpack(body: bytes) -> RuleSet:
    """Raises TooLargeError, or WireError when the body is not a rule set."""
    try:
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(body, MAX_UNPACKED)
        if unpacker.unconsumed_tail:
            raise TooLargeError(f"rule set: unpacks to more than {MAX_UNPACKED} bytes")
        if not unpacker.eof:
            raise WireError("rule set: cut off before its end")
        return _decoder.decode(plain)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"rule set: cannot be read ({error})") from None
