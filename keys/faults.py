"""What is wrong with the files of a site's keys? Missing, damaged, open to others, or misfits; each with its remedy."""

import stat
from collections.abc import Callable, Iterator, Set
from contextlib import suppress
from pathlib import Path

from cryptography.x509.oid import NameOID

from keys import pem
from keys.backup import IDENTITY, RECIPIENT
from keys.keyring import (
    AUTHORITY,
    AUTHORITY_KEY,
    BACKUP,
    BROKER,
    CREDENTIAL,
    CREDENTIAL_KEY,
    PARTS,
    SECRETS,
    SERVER,
    SERVER_PUBLIC,
    SERVER_SIGNING,
    SIGNING,
    Keyring,
    read_credential,
)
from keys.mosquitto import ACL, CA, CERTIFICATE, CONF, KEY

OPEN: dict[str, Callable[[Path], object]] = {
    CA: pem.certificate,
    CERTIFICATE: pem.certificate,
    SERVER_PUBLIC: Path.read_text,
    CONF: Path.read_text,
    ACL: Path.read_text,
    RECIPIENT: Path.read_text,
}
OWN = {
    AUTHORITY: (AUTHORITY_KEY, CA),
    BROKER: (KEY, CERTIFICATE, CA, CONF, ACL),
    BACKUP: (IDENTITY, RECIPIENT),
    SERVER: (KEY, CERTIFICATE, CA, SERVER_SIGNING, CREDENTIAL_KEY),
}
OF_AN_EDGE = (KEY, CERTIFICATE, CA, SIGNING, SERVER_PUBLIC, CREDENTIAL_KEY)
"""What lies in whose folder."""


def faults(ring: Keyring, name: str) -> Iterator[str]:
    """Of the authority, of the key of the copies, or of one machine, by the name in its certificate."""
    folder = {AUTHORITY: ring.authority, BACKUP: ring.backup, **ring.machines()}[name]
    mend, renew = ring.command("mend"), ring.command("rotate", name)
    rotations = {
        file: ring.command("rotate", part)
        for part in (*PARTS, *ring.site.edges)
        for file in ring.secrets(part)
        if part != BACKUP or (ring.backup / RECIPIENT).exists()  # a site that is older than it gets one by mending
    }
    whole: set[Path] = set()
    for file in (folder / own for own in OWN.get(name, OF_AN_EDGE)):
        found = list(_of_file(file, rotations.get(file, mend), rotations.get(file, ring.command("rotate", CREDENTIAL))))
        yield from found
        whole |= set() if found else {file}
    with suppress(OSError, ValueError):  # of what was named already
        if _others_may(folder):
            yield f"{folder}: others can enter it: chmod 700 {folder}"
        if name == BACKUP:
            yield from _not_its_recipient(ring, whole, mend)
            return
        if not _fits(ring, name):
            yield f"{folder}: its certificate DOES NOT FIT its key: {renew}"
        if name != AUTHORITY:
            yield from _foreign(ring, name, whole, renew, mend)


def _not_its_recipient(ring: Keyring, whole: Set[Path], mend: str) -> Iterator[str]:
    file = ring.backup / RECIPIENT
    if file in whole and file.read_text().strip() != ring.recipient:
        yield f"{file}: is not of {IDENTITY} beside it: {mend}"


def _foreign(ring: Keyring, name: str, whole: Set[Path], renew: str, mend: str) -> Iterator[str]:
    """What is whole, and of somebody else: files carried by hand into the wrong folder."""
    folder = ring.machines()[name]
    for common in pem.certificate(folder / CERTIFICATE).subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        if common.value != name:
            yield f"{folder / CERTIFICATE}: is of {common.value!r}: {renew}"
    read_credential(ring.server / CREDENTIAL_KEY)  # else a copy of it may be the last good one
    for file, content in ring.derived():
        if file in whole and file.read_bytes() != content:
            yield f"{file}: is not what this site's others are made from: {mend}"
    for edge in ring.site.edges if name in ring.site.edges else ():
        with suppress(OSError, ValueError):
            if edge != name and ring.public_hex(edge) == ring.public_hex(name):
                yield f"{folder / SIGNING}: {edge!r} signs with the same key: {renew}"


def _of_file(file: Path, anew: str, renew: str) -> Iterator[str]:
    """anew: makes one that is missing. renew: makes another of a secret that is known."""
    secret = file.name in SECRETS
    mend = f"take it from a copy of the folder, or make it anew: {anew}"
    try:
        (SECRETS | OPEN)[file.name](file)
        if secret and _others_may(file):
            yield f"{file}: others can read it: chmod 600 {file}; if anybody has: {renew}"
    except FileNotFoundError:
        yield f"{file}: is not there: {mend}"
    except OSError as error:
        yield f"{file}: cannot be read ({error.strerror}): see to its rights"
    except ValueError:
        yield f"{file}: is damaged, or something else: {mend}"


def _others_may(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _fits(ring: Keyring, name: str) -> bool:
    """Raises OSError, ValueError for a file that cannot be read."""
    if name != AUTHORITY:
        pem.certificate(ring.machines()[name] / CERTIFICATE)
        return ring.fits(name)
    own = pem.tls_key(ring.authority / AUTHORITY_KEY).public_key()
    return pem.certificate(ring.authority / CA).public_key() == own
