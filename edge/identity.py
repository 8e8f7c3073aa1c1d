"""Who is this edge to the broker, and is it the site's broker? Certificate and key, tried at start as the broker will.

A handshake in memory says all at once: that the key fits its certificate, that the site's authority made it, and for
whom. The standard library does it; cryptography's X.509 would hold up the start by a sixth.
"""

import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.keys import read, secret
from edge.tables import ConfigError
from policy.instants import LATEST
from policy.terms import SECOND, Instant

NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME: a certificate out of date, or a clock that is, keeps no door from starting."""

MISFITS = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""What OpenSSL says of a key that is not the certificate's: of another one, or of another kind."""


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
    made.load_cert_chain(identity.certificate, identity.key, _no_password)
    return made


def check(identity: Identity, edge: str, site: str) -> None:
    """Raises ConfigError for files that are missing, readable by others, of another edge, site or authority."""
    broker = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _trust(broker, identity.authority)
    _present(broker, identity)
    try:
        shown = _presented(broker, identity)
    except ssl.SSLError as error:
        raise ConfigError(
            f"{identity.certificate}: not a certificate of {identity.authority} ({error.reason}): "
            "copy the edge's folder again, all of it"
        ) from None
    name, by = _common_name(shown.get("subject", ())), _common_name(shown.get("issuer", ()))
    if name != edge:
        raise ConfigError(
            f"{identity.certificate}: is for {name!r}, this is edge {edge!r}: copy the folder of {edge!r}"
        )
    if by != site:
        raise ConfigError(
            f"{identity.certificate}: is of site {by!r}, this edge of site {site!r}: mend site in edge.toml, or copy"
            f" the folder of this edge of {site!r}"
        )


def ends(identity: Identity) -> Instant | None:
    """When the certificate ends, LATEST for one that ends later or never. None where that cannot be read."""
    broker = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        _trust(broker, identity.authority)
        _present(broker, identity)
        last = _presented(broker, identity)["notAfter"]
        return min(int(ssl.cert_time_to_seconds(last)) * SECOND, LATEST)
    except (ConfigError, OSError, KeyError, ValueError, OverflowError):
        return None


def _trust(broker: ssl.SSLContext, authority: Path) -> None:
    read(authority)
    try:
        broker.load_verify_locations(authority)
    except ssl.SSLError:
        raise ConfigError(f"{authority}: no certificate in PEM: copy the site's ca.crt again") from None
    broker.verify_mode = ssl.CERT_REQUIRED
    broker.verify_flags |= NO_CHECK_TIME


def _present(side: ssl.SSLContext, identity: Identity) -> None:
    read(identity.certificate)
    secret(identity.key)
    try:
        side.load_cert_chain(identity.certificate, identity.key, _no_password)
    except ssl.SSLError as error:
        if error.reason in MISFITS:
            raise ConfigError(f"{identity.key}: does not fit {identity.certificate}: copy both again") from None
        files = f"{identity.certificate}, {identity.key}"
        raise ConfigError(f"{files}: no certificate and key in PEM without a password: copy both again") from None


def _presented(broker: ssl.SSLContext, identity: Identity) -> dict[str, Any]:
    """Our certificate, once the broker's side has accepted it. Raises ssl.SSLError."""
    edge = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    edge.check_hostname, edge.verify_mode = False, ssl.CERT_NONE
    _present(edge, identity)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours, theirs = edge.wrap_bio(back, there), broker.wrap_bio(there, back, server_side=True)
    for side in (ours, theirs, ours, theirs):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return theirs.getpeercert() or {}


def _common_name(names: Any) -> str:
    return next((str(value) for part in names for name, value in part if name == "commonName"), "")


def _no_password() -> str:
    """Nobody is there to type one."""
    return ""
