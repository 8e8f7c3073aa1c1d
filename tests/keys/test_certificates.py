"""Does a certificate stand for one key, of one authority, and for the hosts that it names?"""

import ssl
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import verification

from keys import certificates, pem

KEY = certificates.new_key()
AUTHORITY = certificates.authority(KEY, "casaco")
OWN = certificates.new_key().public_key()


def issued(*hosts: str) -> x509.Certificate:
    return certificates.issue(KEY, AUTHORITY, OWN, "broker", hosts)


def test_it_fits_its_key_and_its_hosts() -> None:
    assert certificates.fits(issued(), AUTHORITY, OWN, ())
    assert certificates.fits(issued("10.0.0.7", "broker.lan"), AUTHORITY, OWN, ("broker.lan", "10.0.0.7"))


def test_it_does_not_fit_another_key() -> None:
    assert not certificates.fits(issued(), AUTHORITY, KEY.public_key(), ())


@pytest.mark.parametrize("hosts", [(), ("other.lan",), ("broker.lan", "other.lan")])
def test_it_does_not_fit_other_hosts(hosts: tuple[str, ...]) -> None:
    assert not certificates.fits(issued("broker.lan"), AUTHORITY, OWN, hosts)


def test_it_does_not_fit_another_authority_of_the_same_name() -> None:
    other = certificates.authority(certificates.new_key(), "casaco")
    assert not certificates.fits(issued(), other, OWN, ())
    assert not certificates.fits(issued(), certificates.authority(KEY, "treso"), OWN, ())


def test_two_certificates_are_told_apart_by_their_fingerprints() -> None:
    assert certificates.fingerprint(issued()) != certificates.fingerprint(issued())
    assert len(certificates.fingerprint(AUTHORITY)) == 32


@pytest.mark.parametrize("year", [1970, 2038, 2106, 9999])
def test_whatever_year_an_edge_believes_it_to_be_it_accepts_its_broker(year: int) -> None:
    certificate = issued("broker.lan")
    clock = verification.PolicyBuilder().store(verification.Store([AUTHORITY])).time(datetime(year, 1, 2))  # noqa: DTZ001
    assert clock.build_server_verifier(x509.DNSName("broker.lan")).verify(certificate, [])[0] == certificate


def test_openssl_finds_nothing_amiss_where_it_is_strict(tmp_path: Path) -> None:
    """As Python's default is from 3.13 on."""
    own, sides = certificates.new_key(), []
    for kind, hosts in ((ssl.PROTOCOL_TLS_CLIENT, ()), (ssl.PROTOCOL_TLS_SERVER, ("broker.lan",))):
        made = certificates.issue(KEY, AUTHORITY, own.public_key(), "front", hosts)
        (tmp_path / "both").write_bytes(pem.of_certificate(made) + pem.of_key(own))
        side = ssl.SSLContext(kind)
        side.load_cert_chain(tmp_path / "both")
        side.load_verify_locations(cadata=pem.of_certificate(AUTHORITY).decode())
        side.verify_mode = ssl.CERT_REQUIRED
        side.verify_flags |= ssl.VERIFY_X509_STRICT
        sides.append(side)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    edge = sides[0].wrap_bio(back, there, server_hostname="broker.lan")
    broker = sides[1].wrap_bio(there, back, server_side=True)
    for end in (edge, broker, edge, broker):
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    assert edge.version() == broker.version() == "TLSv1.3"
    assert broker.getpeercert()


HOSTS = ("localhost", "broker.lan", "b", "3com.example", "xn--caf-dma.fr", "A-1.b-2", "10.0.0.7", "fd00::5")
NO_HOSTS = (
    "", " ", "a b", "a\n", "a..b", ".a", "a.", "-a", "a-", "a.-b", "a_b", "caf\u00e9.fr", "10.0.0.300", "1", "1.2.3",
    "broker.1", "[fd00::5]", "mqtt://a", "a:8883", "a/b", "*.lan",
)  # fmt: skip
LABEL = "a" * 63


@pytest.mark.parametrize("host", [*HOSTS, LABEL, f"{LABEL}.{LABEL}.{LABEL}.{LABEL[2:]}"])
def test_a_host_has_a_name_or_an_address(host: str) -> None:
    assert certificates.is_host(host)
    assert certificates.fits(issued(host), AUTHORITY, OWN, [host])


@pytest.mark.parametrize("host", [*NO_HOSTS, f"{LABEL}a", f"{LABEL}.{LABEL}.{LABEL}.{LABEL[1:]}"])
def test_what_is_neither_is_no_host(host: str) -> None:
    assert not certificates.is_host(host)
