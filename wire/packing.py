"""How does a large body travel? As compressed JSON, the same bytes for the same content."""

import zlib
from typing import Any, TypeVar

import msgspec

from wire.errors import TooLargeError, WireError

MAX_UNPACKED = 64 * 1024 * 1024
LEVEL = 6
"""A tenth larger than the smallest, in a twentieth of its time: the state is packed several times a second."""

Body = TypeVar("Body")

_encoder = msgspec.json.Encoder(order="sorted")


def pack_json(body: Any) -> bytes:
    return zlib.compress(_encoder.encode(body), LEVEL)


def unpack_json(packed: bytes, decoder: "msgspec.json.Decoder[Body]", what: str) -> Body:
    """Raises TooLargeError, or WireError when the bytes are not a body of this kind. what: names it in the error."""
    try:
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(packed, MAX_UNPACKED)
        if unpacker.unconsumed_tail:
            raise TooLargeError(f"{what}: unpacks to more than {MAX_UNPACKED} bytes")
        if not unpacker.eof:
            raise WireError(f"{what}: cut off before its end")
        return decoder.decode(plain)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"{what}: cannot be read ({error})") from None
