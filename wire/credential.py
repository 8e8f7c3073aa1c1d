"""How does a badge appear outside the reader and the server? As a keyed hash of its UID: a pseudonym, no more."""

import hmac

UID_LENGTHS = (4, 7, 10)
KEY_BYTES = 32
RANDOM_ID = 0x08
"""A 4-byte number that begins so is drawn anew at each reading, as phones do (ISO 14443-3, 6.5.4)."""


def pseudonym(key: bytes, uid: bytes) -> str:
    """HMAC-SHA-256(site credential key, UID), first 16 bytes, 32 hex digits."""
    return hmac.digest(key, uid, "sha256")[:16].hex()


def is_random(uid: bytes) -> bool:
    """Whether the card has another number the next time: nobody is known by it."""
    return len(uid) == 4 and uid[0] == RANDOM_ID
