"""How does a badge appear outside the reader and the server? As a keyed hash of its UID: a pseudonym, no more."""

import hmac

UID_LENGTHS = (4, 7, 10)
KEY_BYTES = 32


def pseudonym(key: bytes, uid: bytes) -> str:
    """HMAC-SHA-256(site credential key, UID), first 16 bytes, 32 hex digits."""
    return hmac.digest(key, uid, "sha256")[:16].hex()
