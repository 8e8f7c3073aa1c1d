"""How are the staff's password and the API's token made and checked? Only their hashes are kept."""

import hmac
import secrets
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

_hasher = PasswordHasher()


def new_password() -> str:
    """Four groups that can be read aloud; 77 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def new_token() -> str:
    """For the API or a session: 256 bits, safe in a header."""
    return secrets.token_urlsafe(32)


def hash_password(password: str) -> str:
    """argon2id with its parameters and a salt of its own."""
    return _hasher.hash(password)


def is_password(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False


def hash_token(token: str) -> str:
    """SHA-256, hex: enough for a token of 256 random bits."""
    return sha256(token.encode(errors="replace")).hexdigest()


def is_token(stored: str, token: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(stored, hash_token(token))
