"""How does a badge's number get from the reader to the server? Sealed to one order, so that nobody between can read it.

X25519 with a key pair for one order and one for one answer, HKDF-SHA-256, AES-256-GCM. Both public keys and the
order's nonce go into the key: an answer opens for that order alone. All numbers are sealed to the same length.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wire.credential import UID_LENGTHS
from wire.errors import WireError

PUBLIC, IV = 32, 12
"""Bytes of a public key, and of what AES-GCM begins with."""


def public_of(key: X25519PrivateKey) -> str:
    """The public key as a command carries it: hex."""
    return key.public_key().public_bytes_raw().hex()


def seal(public: str, nonce: str, uid: bytes) -> bytes:
    """The number, for whoever has the private key of this public one. Raises WireError for a key that is none."""
    own = X25519PrivateKey.generate()
    theirs = bytes.fromhex(public)
    try:
        shared = own.exchange(X25519PublicKey.from_public_bytes(theirs))
    except ValueError as error:
        raise WireError(f"order {nonce}: its key is no X25519 public key ({error}); nothing is sealed to it") from None
    said = own.public_key().public_bytes_raw()
    key, iv = _derived(shared, said, theirs, nonce)
    return said + AESGCM(key).encrypt(iv, bytes([len(uid)]) + uid.ljust(max(UID_LENGTHS), b"\0"), nonce.encode())


def unseal(key: X25519PrivateKey, nonce: str, sealed: bytes) -> bytes:
    """The number in an answer to the order of this nonce. Raises WireError for any other bytes."""
    said, box = sealed[:PUBLIC], sealed[PUBLIC:]
    try:
        shared = key.exchange(X25519PublicKey.from_public_bytes(said))
        derived, iv = _derived(shared, said, key.public_key().public_bytes_raw(), nonce)
        opened = AESGCM(derived).decrypt(iv, box, nonce.encode())
    except (ValueError, InvalidTag):
        raise WireError(f"answer to order {nonce}: not sealed to it; nothing is taken from it") from None
    uid = opened[1 : 1 + opened[0]] if opened else b""
    if len(uid) not in UID_LENGTHS:
        raise WireError(f"answer to order {nonce}: a number of {len(uid)} bytes; a badge has 4, 7 or 10")
    return uid


def _derived(shared: bytes, said: bytes, asked: bytes, nonce: str) -> tuple[bytes, bytes]:
    """Key and first block. They are for one message: a key pair answers once."""
    made = HKDF(SHA256(), 32 + IV, salt=said + asked, info=b"loquet/1 enrol\n" + nonce.encode()).derive(shared)
    return made[:32], made[32:]
