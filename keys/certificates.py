"""How is a certificate made? X.509 over ECDSA P-256, which mosquitto and Python's ssl speak; one authority for a site.

A certificate says who somebody is: its common name is the user name at the broker. What they may do is in the broker's
list (keys/mosquitto.py), and what they say is signed by another key (wire/envelope.py).
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""An edge whose clock was lost may think that it is 1970."""
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""No well-defined end (RFC 5280, 4.1.2.5): who must go is revoked; nobody is locked out by a date that all forgot."""

LONGEST_HOST = 253
_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_HOST = re.compile(rf"(?:{_LABEL}\.)*(?![0-9]+\Z){_LABEL}")
"""Of RFC 1123, 2.1: a name whose last label is a number could be taken for an address."""


def new_key() -> EllipticCurvePrivateKey:
    """A key for TLS."""
    return generate_private_key(SECP256R1())


def authority(key: EllipticCurvePrivateKey, site: str) -> x509.Certificate:
    """The certificate of the site's authority, signed by itself; it may certify devices, but no other authority."""
    name = x509.Name([_attribute(NameOID.ORGANIZATION_NAME, "Loquet"), _attribute(NameOID.COMMON_NAME, site)])
    usage = _usage(key_cert_sign=True, crl_sign=True)
    builder = _builder(name, name, key.public_key(), x509.BasicConstraints(ca=True, path_length=0), usage)
    return builder.sign(key, SHA256())


def issue(
    key: EllipticCurvePrivateKey, by: x509.Certificate, public: EllipticCurvePublicKey, name: str, hosts: Sequence[str]
) -> x509.Certificate:
    """A certificate signed by the authority. hosts: how the broker is addressed, names or IP addresses.

    Without hosts it is a client's: an edge's certificate cannot pass for the broker's.
    """
    subject = x509.Name([_attribute(NameOID.COMMON_NAME, name)])
    usage = _usage(digital_signature=True)
    builder = _builder(subject, by.subject, public, x509.BasicConstraints(ca=False, path_length=None), usage)
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    builder = builder.add_extension(issuer, critical=False)
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
    return builder.sign(key, SHA256())


def is_host(written: str) -> bool:
    """Whether a certificate can name such a host: a name of the DNS, in its ASCII form, or an IP address."""
    try:
        ip_address(written)
    except ValueError:
        return len(written) <= LONGEST_HOST and _HOST.fullmatch(written) is not None
    return True


def fits(
    certificate: x509.Certificate, by: x509.Certificate, public: EllipticCurvePublicKey, hosts: Sequence[str]
) -> bool:
    """Whether the certificate is this authority's for this key and these hosts."""
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return certificate.public_key() == public and _hosts(certificate) == {_host(host) for host in hosts}


def fingerprint(certificate: x509.Certificate) -> str:
    """The first half of its SHA-256, hex: enough to compare two by eye."""
    return certificate.fingerprint(SHA256())[:16].hex()


def _hosts(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return set()


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: EllipticCurvePublicKey,
    constraints: x509.BasicConstraints,
    usage: x509.KeyUsage,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(FIRST)
        .not_valid_after(LAST)
        .add_extension(constraints, critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _attribute(oid: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(oid, value)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
