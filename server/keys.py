"""Which keys does the server hold, and are the secret ones kept as secrets? Files, read once at the start."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from server.errors import ConfigError

MIN_PASSWORD = 12
"""Characters. Shorter ones are somebody's word, not a secret drawn at random."""


def private_key(path: Path) -> Ed25519PrivateKey:
    """The server's signing key, PEM. Raises ConfigError."""
    try:
        key = load_pem_private_key(secret(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{path}: no PEM private key without a password ({error}); copy it again") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path}: not an Ed25519 key; use the server's signing key")
    return key


def credential_key(path: Path) -> bytes:
    """The site's credential key, hex. Raises ConfigError; its message never shows the key."""
    try:
        return bytes.fromhex(secret(path).decode("ascii").strip())
    except ValueError:
        raise ConfigError(f"{path}: not hex digits; copy the site's credential key again") from None


def password(path: Path) -> str:
    """The password for a broker on this machine. Raises ConfigError; its message never shows the password."""
    word = secret(path).decode("utf-8", "replace").strip()
    if len(word) < MIN_PASSWORD:
        raise ConfigError(
            f"{path}: a password of {len(word)} characters; use one drawn at random, {MIN_PASSWORD} or more"
        )
    return word


def secret(path: Path) -> bytes:
    """What is in a file that only its owner may read. Raises ConfigError."""
    content = read(path)
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise ConfigError(f"{path}: rights {mode:04o} let others read a secret; chmod 600 {path}")
    return content


def read(path: Path) -> bytes:
    """What is in a key file. Raises ConfigError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; put it there, readable by the server's user") from None
