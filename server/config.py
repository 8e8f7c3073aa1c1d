"""What is a server told at its start? server.toml, or a ServerConfig made by hand; checked once, then frozen."""

import os
import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import UNSET, Struct
from msgspec.structs import replace

from policy.errors import Problem, listing
from policy.instants import meant
from policy.misfits import Fitting
from policy.syntax import toml_told
from policy.terms import Instant
from server import identity, keys
from server.errors import ConfigError
from server.identity import Identity
from server.passwords import hash_token
from wire.credential import KEY_BYTES
from wire.errors import WireError
from wire.topics import check_id

DEFAULT_TOKENS = ("", "token", "secret", "changeme", "change-me", "loquet", "test", "demo", "admin")
MOST_RETAINED = 90
"""Days: the three months that are usual in France for passages by name."""
TLS_PORT, PLAIN_PORT = 8883, 1883
SMTP_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_SECRET = re.compile("password|token|key|secret|credential")
_ADDRESS = re.compile(r"https://[a-z0-9.-]+(:\d{1,5})?|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")
_SENDER = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,180}")
_HEX_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """The MQTT broker. identity: for TLS. Without it the broker is on this machine's loopback, and wants a password."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class EdgeConfig:
    """An edge that may speak. public_key: Ed25519, 64 hex digits. access_points: its doors and machines."""

    id: str
    public_key: str
    access_points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RevokedEdge:
    """An edge that is heard no more. since: what it said from this instant on leaves the state of the site."""

    id: str
    since: Instant


@dataclass(frozen=True, slots=True)
class SmtpConfig:
    """The mail server. sender: whose messages these are. security: starttls, tls; none on this machine alone."""

    host: str
    port: int
    sender: str
    security: str = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    ca: str | None = None


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """All that a server is told. Raises ConfigError for what it must not be told.

    database: SQLAlchemy URL. server_key: signs what the server says. credential_key: turns UIDs into pseudonyms.
    socket: where it takes orders, if not beside its database. trusted_proxy: as server/web/serve.py's.
    staff_name, staff_password_hash (argon2id), api_token_hash (SHA-256): of an account and a token that the database
    takes over; empty where people and tokens are made on the pages. address: of the pages, as browsers reach them.
    retention_days: after so many days it is forgotten who came and went.
    smtp: the mail server; without it nothing is mailed.
    """

    database: str
    server_key: Ed25519PrivateKey = field(repr=False)
    credential_key: bytes = field(repr=False)
    broker: BrokerConfig
    edges: tuple[EdgeConfig, ...]
    staff_name: str = ""
    staff_password_hash: str = field(default="", repr=False)
    api_token_hash: str = field(default="", repr=False)
    http_host: str = "127.0.0.1"
    http_port: int = 8000
    trusted_proxy: str | None = None
    address: str = ""
    socket: Path | None = None
    revoked: tuple[RevokedEdge, ...] = ()
    retention_days: int = MOST_RETAINED
    smtp: SmtpConfig | None = None

    @property
    def control(self) -> Path | None:
        """The socket on which it takes orders; None without a name for it and without a file to lie beside."""
        _, marked, file = self.database.partition("sqlite:///")
        return self.socket or (Path(f"{file}.control") if marked else None)

    def __post_init__(self) -> None:
        _check_loopback("http host", self.http_host, "plain HTTP leaves this machine; put a TLS proxy before 127.0.0.1")
        _check_credential_key(self.credential_key)
        _check_hashes(self)
        _check_broker(self.broker)
        _check_port("broker port", self.broker.port, 1)
        _check_port("http port", self.http_port, 0)
        if self.trusted_proxy is not None:
            _check_proxy(self.trusted_proxy, self.http_host)
        if self.address and not _ADDRESS.fullmatch(self.address):
            raise ConfigError(f"http address {self.address!r}: give the pages' own, as https://loquet.example.org")
        if self.socket is not None:
            _check_socket(self.socket)
        if self.smtp is not None:
            _check_smtp(self.smtp)
        for edge in self.edges:
            _check_edge(edge)
        _check_owners(self.edges)
        _check_revoked(self.revoked, self.edges)
        if not 1 <= self.retention_days <= MOST_RETAINED:
            raise ConfigError(
                f"retention_days {self.retention_days}: passages by name are kept for 1 to {MOST_RETAINED} days,"
                " no longer: the law says so"
            )
        _check_public_keys(self.server_key.public_key().public_bytes_raw().hex(), self.edges)


def _check_broker(broker: BrokerConfig) -> None:
    if broker.identity is None:
        why = "plain MQTT leaves this machine; give ca, certificate and key, or use 127.0.0.1"
        _check_loopback("broker host", broker.host, why)
    else:
        identity.check(broker.identity)


def _check_loopback(what: str, host: str, why: str) -> None:
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigError(f"{what} {host!r}: {why}")


def _check_proxy(proxy: str, host: str) -> None:
    """It is known by its address alone, written as the system writes it, and stands on this machine like `host`."""
    own = "::1" if ":" in host else "127.0.0.1"
    _check_loopback("trusted_proxy", proxy, f"it reaches http host {host!r} from this machine: give {own!r}")
    if proxy == "localhost" or str(ip_address(proxy)) != proxy or (":" in proxy) is not (":" in host):
        raise ConfigError(f"trusted_proxy {proxy!r}: never the address of who reaches http host {host!r}: give {own!r}")


def _check_port(what: str, port: int, least: int) -> None:
    """least: 0 where any free one will do."""
    if not least <= port <= 65535:
        raise ConfigError(f"{what} {port}: use 1 to 65535")


def _check_smtp(smtp: SmtpConfig) -> None:
    if smtp.security not in ("starttls", "tls", "none"):
        raise ConfigError(f"smtp security {smtp.security!r}: use starttls, tls or, on this machine alone, none")
    if smtp.security == "none":
        _check_loopback("smtp host", smtp.host, "mail would leave this machine in the clear; use starttls or tls")
    _check_port("smtp port", smtp.port, 1)
    if not _SENDER.fullmatch(smtp.sender):
        raise ConfigError(f"smtp sender {smtp.sender!r}: give an address, as loquet@example.org")


def _check_socket(socket: Path) -> None:
    """A name that is somebody else's, or where none can be made."""
    if os.path.lexists(socket) and not socket.is_socket():
        raise ConfigError(f"socket {str(socket)!r}: is there already, and is no socket: name a file that is not there")
    if not socket.parent.is_dir():
        raise ConfigError(f"socket {str(socket)!r}: its folder is not there: make it, the server's user's own")


def _check_credential_key(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"credential key: {len(key)} bytes; the site's key has {KEY_BYTES} ({2 * KEY_BYTES} hex digits)"
        )
    if len(set(key)) == 1:
        raise ConfigError("credential key: one byte repeated is a default, not a key; draw one at random")


def _check_hashes(config: ServerConfig) -> None:
    if config.staff_name and not config.staff_password_hash.startswith("$argon2id$"):
        raise ConfigError("staff password_hash: not an argon2id hash; `loquet server --new-secrets` makes one")
    if config.api_token_hash and not _HEX_KEY.fullmatch(config.api_token_hash):
        raise ConfigError("api token_hash: not 64 hex digits; `loquet server --new-secrets` makes one")
    if config.api_token_hash in {hash_token(word) for word in DEFAULT_TOKENS}:
        raise ConfigError("api token_hash: the hash of a default; `loquet server --new-secrets` makes a secret one")


def _check_edge(edge: EdgeConfig) -> None:
    try:
        check_id("edge", edge.id)
    except WireError as error:
        raise ConfigError(str(error)) from None
    if not _HEX_KEY.fullmatch(edge.public_key):
        raise ConfigError(f"edge {edge.id!r}: public_key is not 64 hex digits; copy the edge's public key")


def _check_owners(edges: Sequence[EdgeConfig]) -> None:
    """Ids, doors and machines are told apart: each belongs to one edge."""
    ids, owners = set[str](), dict[str, str]()
    for edge in edges:
        if edge.id in ids:
            raise ConfigError(f"edge {edge.id!r}: there are two of this id; rename one of them")
        ids.add(edge.id)
        for place in edge.access_points:
            if place in owners:
                raise ConfigError(
                    f"edge {edge.id!r}: access point {place!r} belongs to edge {owners[place]!r} already; "
                    "take it from one of them"
                )
            owners[place] = edge.id


def _check_revoked(revoked: Sequence[RevokedEdge], edges: Sequence[EdgeConfig]) -> None:
    for gone in revoked:
        if any(edge.id == gone.id for edge in edges):
            raise ConfigError(f"edge {gone.id!r}: is among [[edges]] and among [[revoked]]: remove it from one of them")


def _check_public_keys(server: str, edges: Sequence[EdgeConfig]) -> None:
    """Nobody signs for another: each key belongs to one."""
    owners = {server: "the server"}
    for edge in edges:
        if edge.public_key in owners:
            raise ConfigError(
                f"edge {edge.id!r}: public_key is that of {owners[edge.public_key]}; `loquet keys list` shows its own"
            )
        owners[edge.public_key] = f"edge {edge.id!r}"


class _Part(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class _Keys(_Part, frozen=True):
    server: str
    credential: str


class _Broker(_Part, frozen=True):
    host: str
    port: int | None = None
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    username: str | None = None
    password_file: str | None = None


class _Http(_Part, frozen=True):
    host: str = "127.0.0.1"
    port: int = 8000
    trusted_proxy: str | None = None
    address: str = ""


class _Smtp(_Part, frozen=True):
    host: str
    sender: str
    port: int | None = None
    security: str = "starttls"
    username: str = ""
    password_file: str | None = None
    ca: str | None = None


class _Staff(_Part, frozen=True):
    name: str
    password_hash: str


class _Api(_Part, frozen=True):
    token_hash: str


class _Edge(_Part, frozen=True):
    id: str
    public_key: str
    access_points: tuple[str, ...]


class _Revoked(_Part, frozen=True):
    id: str
    since: str


class _File(_Part, frozen=True):
    """The keys of server.toml (server/sample.toml explains them)."""

    database: str
    keys: _Keys
    broker: _Broker
    edges: tuple[_Edge, ...]
    staff: _Staff | None = None
    api: _Api | None = None
    http: _Http = _Http()
    smtp: _Smtp | None = None
    socket: str = ""
    revoked: tuple[_Revoked, ...] = ()
    retention_days: int = MOST_RETAINED


def load(path: Path) -> ServerConfig:
    """Read server.toml and the key files that it names. Raises ConfigError naming file, key and remedy."""
    file = _parse(path)
    try:
        return ServerConfig(
            database=_beside(path.parent, file.database),
            server_key=keys.private_key(path.parent / file.keys.server),
            credential_key=keys.credential_key(path.parent / file.keys.credential),
            broker=_broker(path.parent, file.broker),
            edges=tuple(EdgeConfig(edge.id, edge.public_key, edge.access_points) for edge in file.edges),
            revoked=tuple(map(_revoked, file.revoked)),
            staff_name=file.staff.name if file.staff else "",
            staff_password_hash=file.staff.password_hash if file.staff else "",
            api_token_hash=file.api.token_hash if file.api else "",
            http_host=file.http.host,
            http_port=file.http.port,
            trusted_proxy=file.http.trusted_proxy,
            address=file.http.address,
            socket=path.parent / file.socket if file.socket else None,
            retention_days=file.retention_days,
            smtp=_smtp(path.parent, file.smtp) if file.smtp else None,
        )
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _revoked(given: _Revoked) -> RevokedEdge:
    try:
        return RevokedEdge(given.id, meant(given.since))
    except ValueError as error:
        raise ConfigError(f"revoked edge {given.id!r}: since {given.since!r}: {error}") from None


def _smtp(folder: Path, given: _Smtp) -> SmtpConfig:
    if bool(given.username) is not (given.password_file is not None):
        raise ConfigError("[smtp]: give username and password_file, or neither")
    word = keys.secret(folder / given.password_file).decode("utf-8", "replace").strip() if given.password_file else ""
    port = given.port or SMTP_PORTS.get(given.security, 587)
    ca = str(folder / given.ca) if given.ca else None
    return SmtpConfig(given.host, port, given.sender, given.security, given.username, word, ca)


def _beside(folder: Path, database: str) -> str:
    """The URL, its path from the folder of server.toml when it is a relative one: wherever a command is given from."""
    scheme, marked, path = database.partition("sqlite:///")
    if scheme or not marked or not path or path.startswith((":", "/", "file:")):
        return database
    return f"{marked}{folder.resolve() / path}"


def _broker(folder: Path, given: _Broker) -> BrokerConfig:
    """Over TLS or on this machine. Raises ConfigError for anything in between."""
    match given:
        case _Broker(ca=str(ca), certificate=str(certificate), key=str(key), username=None, password_file=None):
            ours = Identity(folder / ca, folder / certificate, folder / key)
            return BrokerConfig(given.host, given.port or TLS_PORT, identity.NAME, "", ours)
        case _Broker(ca=None, certificate=None, key=None, username=str(username), password_file=str(file)):
            return BrokerConfig(given.host, given.port or PLAIN_PORT, username, keys.password(folder / file))
    raise ConfigError(
        "[broker]: give ca, certificate and key, or, for a broker on this machine, username and password_file"
    )


def _parse(path: Path) -> _File:
    try:
        text = path.read_bytes().removeprefix(BOM_UTF8)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; server/sample.toml shows what it holds") from None
    try:
        given = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {toml_told(text, error)}") from None
    fitting = Fitting("a table")
    fitted = fitting.fit(_File, given)
    if fitting.problems:
        told = listing(str(path), map(_in_place, fitting.problems), given)
        raise ConfigError(f"{told}\n{path}: server/sample.toml shows every key")
    return msgspec.convert(fitted, _File)


def _in_place(problem: Problem) -> Problem:
    """What stands below a table and belongs above it says so; what may be a secret is not shown."""
    table, _, key = problem.key.rpartition(".")
    if table and key in ("socket", "database", "retention_days"):
        problem = replace(problem, why=f"{key} stands before the first [table]: move it there")
    hidden = problem.value is not UNSET and (_SECRET.search(key) or isinstance(problem.value, dict))
    return replace(problem, value="(not shown)") if hidden else problem
