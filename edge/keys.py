"""Which keys does an edge hold, and are the secret ones kept as secrets?"""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from edge.tables import ConfigError
from wire.credential import KEY_BYTES

MIN_PASSWORD = 12
"""Characters. Shorter ones are somebody's word, not a secret drawn at random."""


@dataclass(frozen=True, slots=True)
class Keys:
    """own: signs what this edge says. server: checks what the server says. credential: turns UIDs into pseudonyms."""

    own: Ed25519PrivateKey = field(repr=False)
    server: Ed25519PublicKey = field(repr=False)
    credential: bytes = field(repr=False)


def private_key(path: Path) -> Ed25519PrivateKey:
    """An Ed25519 private key, PEM (PKCS #8), not encrypted. Raises ConfigError."""
    try:
        key = load_pem_private_key(secret(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{path}: no private key in PEM without a password ({error}): copy it again") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path}: not an Ed25519 private key: use the one made for this edge")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """An Ed25519 public key, PEM. Raises ConfigError."""
    try:
        key = load_pem_public_key(read(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{path}: no public key in PEM ({error}): copy the server's again") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{path}: not an Ed25519 public key: use the server's signing key, its public half")
    return key


def credential_key(path: Path) -> bytes:
    """The site's credential key, 32 bytes as 64 hex digits. Raises ConfigError; its message never shows the key."""
    try:
        key = bytes.fromhex(secret(path).decode("ascii").strip())
    except ValueError:
        raise ConfigError(f"{path}: not hex digits: copy the site's credential key again") from None
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"{path}: {len(key)} bytes: the site's credential key has {KEY_BYTES} ({2 * KEY_BYTES} digits)"
        )
    if len(set(key)) == 1:
        raise ConfigError(f"{path}: one byte repeated is a default, not a key: use the site's credential key")
    return key


def password(path: Path) -> str:
    """The password for the broker: the file's first line. Raises ConfigError; its message never shows the password."""
    lines = secret(path).decode("utf-8", "replace").splitlines()
    word = lines[0].strip() if lines else ""
    if len(word) < MIN_PASSWORD:
        raise ConfigError(
            f"{path}: a password of {len(word)} characters: use one drawn at random, {MIN_PASSWORD} or more"
        )
    return word


def secret(path: Path) -> bytes:
    """What is in a file that nobody but its owner may read. Raises ConfigError."""
    content = read(path)
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise ConfigError(f"{path}: rights {mode:04o} let others read a secret: run chmod 600 {path}")
    return content


def read(path: Path) -> bytes:
    """What is in a key file. Raises ConfigError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}): put it there, owned by this user") from None
