"""Does a certificate stand for one key, of one authority, and for the hosts that it names?"""

import pytest
from cryptography import x509

from loquet import certificates

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
