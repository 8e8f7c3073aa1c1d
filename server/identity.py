"""Who is the server to the broker, and is it the site's broker? Its certificate and key, checked at the start.

Not whether the certificate is in date: that is between the broker and us when we connect, and pages go on meanwhile.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from server.errors import ConfigError
from server.keys import read, secret

NAME = "server"
"""In its certificate, and so its user name at the broker."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Files, PEM, as `loquet keys` makes them. authority: the site's certificate, which both sides go by."""

    authority: Path
    certificate: Path
    key: Path


def context(identity: Identity) -> ssl.SSLContext:
    """For connecting: the broker must have this authority's certificate for its host. Raises OSError."""
    made = ssl.create_default_context(cafile=str(identity.authority))
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(identity.certificate, identity.key)
    return made


def check(identity: Identity) -> None:
    """Raises ConfigError for files that are missing, readable by others, of somebody else or of another authority."""
    authority, certificate = _certificate(identity.authority), _certificate(identity.certificate)
    if certificate.public_key() != _public_of(identity.key):
        raise ConfigError(f"{identity.key}: does not fit {identity.certificate}; copy both again")
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        raise ConfigError(
            f"{identity.certificate}: not a certificate of {identity.authority}; copy the server's folder again"
        ) from None
    names = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [NAME]:
        raise ConfigError(f"{identity.certificate}: is for {', '.join(names)!r}; use the one for {NAME!r}")


def site(identity: Identity) -> str:
    """The site whose authority made the certificate. Raises ConfigError."""
    issuer = _certificate(identity.certificate).issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return ", ".join(str(name.value) for name in issuer)


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(read(path))
    except ValueError:
        raise ConfigError(f"{path}: no certificate in PEM; copy it again") from None


def _public_of(path: Path) -> object:
    try:
        return load_pem_private_key(secret(path), None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{path}: no PEM private key without a password ({error}); copy it again") from None
