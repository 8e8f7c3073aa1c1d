"""Where do a site's keys lie, and which belong together? One folder, in it one folder for each machine to carry there.

    site.json                        which edges there are, which were revoked
    authority/  ca.key ca.crt        makes certificates; stays where the folder is
    broker/     tls.* ca.crt         and what mosquitto is told
    server/     tls.* ca.crt         and server.pem, which signs; credential.hex, which hides badges
    backup/     identity.txt         opens the copies of the database; stays where the folder is
    edges/ID/   tls.* ca.crt         and edge.pem, which signs; the server's public half; credential.hex

`complete` makes what is missing and issues anew what does not fit: a command that a power cut ended is given again.
"""

import secrets
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509 import Certificate
from msgspec import Struct
from msgspec.structs import replace

from console.errors import CommandError
from keys import certificates, mosquitto, pem
from keys.backup import IDENTITY, RECIPIENT, new_identity, recipient
from keys.mosquitto import CA, CERTIFICATE, KEY
from keys.secret_files import make_folder, write_secret
from wire.credential import KEY_BYTES
from wire.errors import WireError
from wire.topics import check_id

AUTHORITY, BROKER, SERVER, CREDENTIAL, BACKUP = "authority", "broker", "server", "credential", "backup"
PARTS = (AUTHORITY, BROKER, SERVER, CREDENTIAL, BACKUP)
"""What can be renewed beside the edges; no edge has such a name."""
AUTHORITY_KEY = "ca.key"
SIGNING, SERVER_SIGNING, SERVER_PUBLIC, CREDENTIAL_KEY = "edge.pem", "server.pem", "server.pub.pem", "credential.hex"
LOOPBACK = ("localhost", "127.0.0.1")
"""The broker's certificate names it so, too: a server beside it needs no other name for it."""


def read_credential(file: Path) -> bytes:
    """The credential key in a file. Raises OSError; ValueError for anything else."""
    key = bytes.fromhex(file.read_text())
    if len(key) != KEY_BYTES:
        raise ValueError(f"{len(key)} bytes")
    return key


SECRETS: dict[str, Callable[[Path], object]] = {
    AUTHORITY_KEY: pem.tls_key,
    KEY: pem.tls_key,
    SERVER_SIGNING: pem.signing_key,
    SIGNING: pem.signing_key,
    CREDENTIAL_KEY: read_credential,
    IDENTITY: recipient,
}
"""How each file is read that holds a secret. Raises OSError, ValueError."""


class Site(Struct, frozen=True, forbid_unknown_fields=True):
    """broker: its host name or address. revoked: ids not to be given again while their certificates count."""

    site: str
    broker: str
    edges: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()


class Keyring:
    """The folder of a site. Every method raises OSError; those that change it leave it complete."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.folder = folder
        self.site = site
        self.made: list[Path] = []
        """What was written since, but for the list of edges."""

    @classmethod
    def open(cls, folder: Path) -> "Keyring":
        """Raises CommandError when there is none, or none that can be read."""
        file = folder / "site.json"
        try:
            return cls(folder, msgspec.json.decode(file.read_bytes(), type=Site))
        except FileNotFoundError:
            raise CommandError(f"{folder}: no site's keys; make them with: loquet keys init {folder} ...") from None
        except msgspec.MsgspecError as error:
            raise CommandError(f"{file}: {error}: mend it, or take it from a copy of the folder") from None

    @classmethod
    def create(cls, folder: Path, site: Site) -> "Keyring":
        """The keys of a new site, or the rest of them where that began before. Raises CommandError."""
        _check_ids(site.site, *site.edges)
        _check_host(site.broker)
        if (folder / "site.json").exists():
            ring = cls.open(folder)
            if ring.site != site:
                raise CommandError(f"{folder}: holds the keys of {ring.site.site!r} already: add, rotate or revoke")
            ring._check_secrets()
        elif folder.exists() and (held := sorted(entry.name for entry in folder.iterdir())):
            raise CommandError(f"{folder}: holds {held[0]} and no site's keys: name an empty folder, or one to be made")
        make_folder(folder)
        ring = cls(folder, site)
        ring._note(site)
        return ring

    @classmethod
    def ensure(cls, folder: Path, site: str, *edges: str) -> "Keyring":
        """What is there, and what is missing of these edges; the broker is on this machine."""
        make_folder(folder)
        ring = cls.open(folder) if (folder / "site.json").exists() else cls(folder, Site(site, LOOPBACK[0]))
        ring._note(replace(ring.site, edges=tuple(dict.fromkeys((*ring.site.edges, *edges)))))
        return ring

    def add(self, edge: str) -> None:
        """Raises CommandError for an id that is taken, was revoked or cannot be one, and for a secret that is lost."""
        _check_ids(self.site.site, edge)
        if edge in self.site.edges:
            raise CommandError(f"{edge!r} has its keys already; new ones: {self.command('rotate', edge)}")
        if edge in self.site.revoked:
            raise CommandError(
                f"{edge!r} was revoked, and whoever holds its old certificate would be let in again: "
                f"choose another id, such as {edge}-2, for the same door, or renew the authority first"
            )
        self._check_secrets()
        self._note(replace(self.site, edges=(*self.site.edges, edge)))

    def rotate(self, *parts: str, broker: str | None = None) -> None:
        """New secrets for edges or some of PARTS. broker: its new host. Raises CommandError for any other name."""
        for part in parts:
            if part not in (*PARTS, *self.site.edges):
                there = ", ".join((*self.site.edges, *PARTS))
                raise CommandError(f"{part!r}: there is no such edge; there are {there}")
        if broker is not None:
            _check_host(broker)
        self._check_secrets(but=parts, renew=True)
        for file, make in ((file, make) for part in parts for file, make in self.secrets(part).items()):
            make_folder(file.parent)
            self._write(file, make())
        revoked = () if AUTHORITY in parts else self.site.revoked
        self._note(replace(self.site, broker=broker or self.site.broker, revoked=revoked))

    def revoke(self, edge: str) -> None:
        """Forget an edge and its keys; its id stays taken. Raises CommandError when there is no such edge."""
        if edge not in self.site.edges:
            raise CommandError(f"{edge!r}: there is no such edge; there are {', '.join(self.site.edges) or 'none'}")
        self._check_secrets(but=(edge,))
        rest = tuple(other for other in self.site.edges if other != edge)
        self._note(replace(self.site, edges=rest, revoked=(*self.site.revoked, edge)))

    def mend(self) -> None:
        """Make anew what is no secret and is missing, damaged or another's. Raises CommandError for a lost secret."""
        self._check_secrets()
        self.complete()

    def complete(self) -> None:
        """Make what is missing, issue what does not fit, copy to each machine's folder what it needs of others."""
        make_folder(self.folder / "edges")
        for edge in self.site.revoked:
            if self.edge(edge).exists():
                shutil.rmtree(self.edge(edge))
        for part in (*PARTS, *self.site.edges):
            for file, make in self.secrets(part).items():
                make_folder(file.parent)
                if not file.exists():
                    self._write(file, make())
        self._certify()
        for file, content in self.derived():
            if not file.exists() or file.read_bytes() != content:
                self._write(file, content)

    @property
    def authority(self) -> Path:
        return self.folder / "authority"

    @property
    def backup(self) -> Path:
        return self.folder / "backup"

    @property
    def recipient(self) -> str:
        """To whom copies of the database are sealed, as the server's configuration wants it."""
        return recipient(self.backup / IDENTITY)

    @property
    def broker(self) -> Path:
        """The folder that goes to the broker's machine."""
        return self.folder / "broker"

    @property
    def server(self) -> Path:
        """The folder that goes to the server's machine."""
        return self.folder / "server"

    def edge(self, edge: str) -> Path:
        """The folder that goes to this edge's Pi."""
        return self.folder / "edges" / edge

    def machines(self) -> dict[str, Path]:
        """The folder of everybody who has a certificate, by the name in it."""
        return {BROKER: self.broker, SERVER: self.server, **{edge: self.edge(edge) for edge in self.site.edges}}

    @property
    def server_key(self) -> Ed25519PrivateKey:
        """The key that signs as the server."""
        return pem.signing_key(self.server / SERVER_SIGNING)

    def edge_key(self, edge: str) -> Ed25519PrivateKey:
        """The key that signs as this edge."""
        return pem.signing_key(self.edge(edge) / SIGNING)

    def public_hex(self, edge: str) -> str:
        """The public half of an edge's signing key, as the server's configuration wants it."""
        return self.edge_key(edge).public_key().public_bytes_raw().hex()

    @property
    def credential_key(self) -> bytes:
        return read_credential(self.server / CREDENTIAL_KEY)

    def fits(self, machine: str) -> bool:
        """Whether a machine's certificate is there and whole, this authority's, and that of its key."""
        folder = self.machines()[machine]
        by, own = pem.certificate(self.authority / CA), pem.tls_key(folder / KEY).public_key()
        held = _certificate(folder / CERTIFICATE)
        return held is not None and certificates.fits(held, by, own, self._hosts(machine))

    def command(self, step: str, *parts: str) -> str:
        """What to type for a step of `loquet keys` on this folder."""
        return shlex.join(("loquet", "keys", step, str(self.folder), *parts))

    def _write(self, file: Path, content: bytes) -> None:
        write_secret(file, content)
        self.made.append(file)

    def _note(self, site: Site) -> None:
        """Which edges there are is on the disk before anything follows from it."""
        write_secret(self.folder / "site.json", msgspec.json.format(msgspec.json.encode(site)) + b"\n")
        self.site = site
        self.complete()

    def _check_secrets(self, but: Sequence[str] = (), *, renew: bool = False) -> None:
        """Raises CommandError when one is lost or damaged that must not be made anew, or copied, unasked.

        but: the parts that go, or with `renew` are made anew. An edge's own that is not there is made: nobody else
        hangs on it. Before there was a certificate the first command was cut short, and nobody hangs on any.
        """
        began = (self.authority / CA).exists() or any((at / CERTIFICATE).exists() for at in self.machines().values())
        found = [
            (part, f"{file}: {wrong}")
            for part in (*PARTS, *self.site.edges)
            for file in self.secrets(part)
            if (wrong := _wrong(file)) is not None and (file.exists() or self._hangs_on(part, began))
        ]
        if any(part not in but for part, _ in found):
            parts = dict.fromkeys(part for part, _ in found if renew or part not in but)
            raise CommandError(
                f"{'; '.join(wrong for part, wrong in found if part in parts)}: take it from a copy of the folder, or "
                f"make a new one for every machine that needs it: {self.command('rotate', *parts)}"
            )

    def _hangs_on(self, part: str, began: bool) -> bool:
        """Whether somebody has what was made of a part. Sites are older than the key of their copies."""
        return part in PARTS and ((self.backup / RECIPIENT).exists() if part == BACKUP else began)

    def secrets(self, part: str) -> Mapping[Path, Callable[[], bytes]]:
        """The files of what is drawn at random, and how."""
        match part:
            case "authority":
                return {self.authority / AUTHORITY_KEY: _tls_key}
            case "broker":
                return {self.broker / KEY: _tls_key}
            case "server":
                return {self.server / KEY: _tls_key, self.server / SERVER_SIGNING: _signing_key}
            case "credential":
                return {self.server / CREDENTIAL_KEY: _credential_key}
            case "backup":
                return {self.backup / IDENTITY: lambda: new_identity(self.backup / IDENTITY)}
            case edge:
                return {self.edge(edge) / KEY: _tls_key, self.edge(edge) / SIGNING: _signing_key}

    def _certify(self) -> None:
        """A certificate for each key: kept while it fits."""
        key, file = pem.tls_key(self.authority / AUTHORITY_KEY), self.authority / CA
        held = _certificate(file)
        if held is None or held.public_key() != key.public_key():
            self._write(file, pem.of_certificate(certificates.authority(key, self.site.site)))
        by = pem.certificate(file)
        for name in self.machines():
            if not self.fits(name):
                own = pem.tls_key(self.machines()[name] / KEY).public_key()
                issued = certificates.issue(key, by, own, name, self._hosts(name))
                self._write(self.machines()[name] / CERTIFICATE, pem.of_certificate(issued))

    def derived(self) -> Iterator[tuple[Path, bytes]]:
        """What follows from the rest: copies of what others made, and what mosquitto is told."""
        for folder in self.machines().values():
            yield folder / CA, (self.authority / CA).read_bytes()
        for edge in self.site.edges:
            yield self.edge(edge) / SERVER_PUBLIC, pem.of_public(self.server_key.public_key())
            yield self.edge(edge) / CREDENTIAL_KEY, (self.server / CREDENTIAL_KEY).read_bytes()
        yield self.backup / RECIPIENT, f"{self.recipient}\n".encode()
        yield self.broker / mosquitto.CONF, mosquitto.conf(len(self.site.edges)).encode()
        yield self.broker / mosquitto.ACL, mosquitto.acl(self.site.site, self.site.edges).encode()

    def _hosts(self, machine: str) -> tuple[str, ...]:
        """How a machine is addressed; nobody but the broker is."""
        return tuple(dict.fromkeys((self.site.broker, *LOOPBACK))) if machine == BROKER else ()


def _wrong(file: Path) -> str | None:
    """What is wrong with a secret. Raises OSError for one that cannot be read."""
    try:
        SECRETS[file.name](file)
    except FileNotFoundError:
        return "is not there"
    except ValueError:
        return "is damaged, or something else"
    return None


def _certificate(file: Path) -> Certificate | None:
    """None for one that is missing or damaged: it is no secret, and is issued anew. Raises OSError."""
    try:
        return pem.certificate(file)
    except (FileNotFoundError, ValueError):
        return None


def _tls_key() -> bytes:
    return pem.of_key(certificates.new_key())


def _signing_key() -> bytes:
    return pem.of_key(Ed25519PrivateKey.generate())


def _credential_key() -> bytes:
    return secrets.token_hex(KEY_BYTES).encode() + b"\n"


def _check_ids(site: str, *edges: str) -> None:
    """Raises CommandError for what cannot stand in a topic, for a name that is not an edge's, and for a double."""
    try:
        check_id("site", site)
        for edge in edges:
            check_id("edge", edge)
    except WireError as error:
        raise CommandError(str(error)) from None
    for edge in edges:
        if edge in PARTS or edges.count(edge) > 1:
            raise CommandError(f"edge {edge!r}: {'not a name for an edge' if edge in PARTS else 'named twice'}")


def _check_host(broker: str) -> None:
    if not certificates.is_host(broker):
        raise CommandError(
            f"--broker {broker!r}: neither a host name nor an address: write it as broker.lan, 192.168.1.5 or fd00::5"
        )
