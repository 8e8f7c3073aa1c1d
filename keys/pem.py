"""How do keys and certificates stand in files? PEM, PKCS 8, without a password: machines start with nobody there."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


def of_key(key: Ed25519PrivateKey | EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def of_public(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def of_certificate(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def signing_key(file: Path) -> Ed25519PrivateKey:
    """A key that signs messages. Raises OSError, ValueError."""
    key = load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{file}: not an Ed25519 private key: it was not made here")
    return key


def tls_key(file: Path) -> EllipticCurvePrivateKey:
    """A key for TLS. Raises OSError, ValueError."""
    key = load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError(f"{file}: not an elliptic curve's private key: it was not made here")
    return key


def certificate(file: Path) -> x509.Certificate:
    """Raises OSError, ValueError."""
    return x509.load_pem_x509_certificate(file.read_bytes())
