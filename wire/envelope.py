"""Who said this, and is it unaltered? Every message travels in one signed envelope (Ed25519, RFC 8032).

The signature covers the topic as well as the body, so that a message cannot be moved to another topic.
"""

from base64 import b64decode, b64encode

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Raw, Struct

from wire.errors import ForgedError, TooLargeError, WireError

MAX_BYTES = 4 * 1024 * 1024
"""The rules of 100,000 members fit; anything larger is not ours."""


class Envelope(Struct, frozen=True, forbid_unknown_fields=True):
    """by: server or an edge id. sig: base64. body: the message, JSON, as it was signed."""

    by: str
    sig: str
    body: Raw


_decoder = msgspec.json.Decoder(Envelope)


def seal(key: Ed25519PrivateKey, by: str, topic: str, body: bytes) -> bytes:
    """The bytes to publish on the topic. body: JSON. Raises TooLargeError: a broker cuts off whoever tries to."""
    signature = key.sign(_signed(by, topic, body))
    sealed = msgspec.json.encode(Envelope(by, b64encode(signature).decode(), Raw(body)))
    if len(sealed) > MAX_BYTES:
        raise TooLargeError(f"{topic}: {len(sealed)} bytes to be said; at most {MAX_BYTES} are read")
    return sealed


def unseal(key: Ed25519PublicKey, by: str, topic: str, payload: bytes) -> bytes:
    """The body, once it is certain that `by`, who has this public key, signed it for this topic.

    Raises TooLargeError, ForgedError, or WireError when the payload is no envelope.
    """
    envelope, signature = _opened(topic, payload)
    body = bytes(envelope.body)
    if envelope.by != by:
        raise ForgedError(f"{topic}: signed by {envelope.by!r}, only {by!r} may write here")
    try:
        key.verify(signature, _signed(by, topic, body))
    except InvalidSignature:
        raise ForgedError(f"{topic}: the signature is not that of {by!r} for these bytes") from None
    return body


def unsigned(topic: str, payload: bytes) -> bytes:
    """The body, whoever signed it for whatever topic: not to be believed. Raises WireError when it is no envelope."""
    return bytes(_opened(topic, payload)[0].body)


def _opened(topic: str, payload: bytes) -> tuple[Envelope, bytes]:
    """The envelope and its signature. Raises TooLargeError or WireError when it is none."""
    if len(payload) > MAX_BYTES:
        raise TooLargeError(f"{topic}: {len(payload)} bytes; at most {MAX_BYTES} are read")
    try:
        envelope = _decoder.decode(payload)
        signature = b64decode(envelope.sig, validate=True)
        if b64encode(signature).decode() != envelope.sig:
            raise ValueError("its signature has bits to spare")
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WireError(f"{topic}: not a Loquet envelope ({error})") from None
    return envelope, signature


def _signed(by: str, topic: str, body: bytes) -> bytes:
    return b"loquet/1\n" + by.encode() + b"\n" + topic.encode() + b"\n" + body
