"""What is a server told at its start? Read from server.toml or made by hand; checked once, then frozen."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policy.terms import Instant
from server import identity
from server.backups.settings import BackupConfig
from server.backups.settings import check as check_backup
from server.errors import ConfigError
from server.identity import Identity
from server.passwords import hash_token
from wire.credential import KEY_BYTES
from wire.errors import WireError
from wire.topics import check_id

DEFAULT_TOKENS = ("", "token", "secret", "changeme", "change-me", "loquet", "test", "demo", "admin")
MOST_RETAINED = 90
"""Days: the three months that are usual in France for passages by name."""
_ADDRESS = re.compile(r"https://[a-z0-9.-]+(:\d{1,5})?|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")
_TOKEN = re.compile(r"[!-~]+")
"""What fits into a header; http.client shows any other in its error, and so in the log."""
_URL = re.compile(r"(https://[A-Za-z0-9.-]+|http://(localhost|127\.0\.0\.1|\[::1\]))(:\d{1,5})?(/[!-\"$->@-~]*)?")
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
class HttpConfig:
    """A server that takes messages over HTTP. url: without a slash at its end. token: with which Loquet is known."""

    url: str = field(repr=False)
    token: str = field(default="", repr=False)
    ca: str | None = None


LONGEST_PROVIDER = 40
"""Characters on a button."""
OIDC_SUFFIX = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """An OpenID provider by which people may log in. discovery: its discovery document. name: as people know it.

    client_id, client_secret: as which it knows this site; without a secret the site is a public client.
    """

    discovery: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    name: str = ""
    ca: str | None = None


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """All that a server is told. Raises ConfigError for what it must not be told.

    database: SQLAlchemy URL. server_key: signs what the server says. credential_key: turns UIDs into pseudonyms.
    socket: where it takes orders, if not beside its database. trusted_proxy: as server/web/serve.py's.
    staff_name, staff_password_hash (argon2id), api_token_hash (SHA-256): of an account and a token that the database
    takes over; empty where people and tokens are made on the pages. address: of the pages, as browsers reach them.
    retention_days: after so many days it is forgotten who came and went.
    smtp: the mail server; without it nothing is mailed. backup: what becomes of copies; without it none are made.
    ntfy, matrix, webhook: other ways to whoever chooses them. oidc: by which people may log in, too.
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
    backup: BackupConfig | None = None
    ntfy: HttpConfig | None = None
    matrix: HttpConfig | None = None
    webhook: HttpConfig | None = None
    oidc: OidcConfig | None = None

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
        for name, known in (("ntfy", self.ntfy), ("matrix", self.matrix), ("webhook", self.webhook)):
            if known is not None and not _URL.fullmatch(known.url):
                raise ConfigError(f"{name} url: give https://... (http:// on this machine alone), without ? and #")
            if known is not None and known.token and not _TOKEN.fullmatch(known.token):
                raise ConfigError(f"{name} token_file: no token alone on its only line: copy it there again")
        if self.matrix is not None and not self.matrix.token:
            raise ConfigError("matrix: give token_file, the access token of Loquet's own account there")
        if self.oidc is not None:
            _check_oidc(self.oidc, self.address)
        for edge in self.edges:
            _check_edge(edge)
        _check_owners(self.edges)
        _check_revoked(self.revoked, self.edges)
        if not 1 <= self.retention_days <= MOST_RETAINED:
            raise ConfigError(
                f"retention_days {self.retention_days}: passages by name are kept for 1 to {MOST_RETAINED} days,"
                " no longer: the law says so"
            )
        if self.backup is not None:
            check_backup(self.backup, self.retention_days)
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


def _check_oidc(oidc: OidcConfig, address: str) -> None:
    """One that could not answer, or to whom a secret would go in the clear."""
    if not _URL.fullmatch(oidc.discovery) or not oidc.discovery.endswith(OIDC_SUFFIX):
        wanted = f"https://...{OIDC_SUFFIX} (http:// on this machine alone)"
        raise ConfigError(f"oidc discovery {oidc.discovery!r}: give the provider's {wanted}")
    if not oidc.client_id:
        raise ConfigError("oidc client_id '': give the one under which the provider knows this site")
    if not 0 < len(oidc.name.strip()) <= LONGEST_PROVIDER:
        wanted = f"the provider's, of {LONGEST_PROVIDER} characters at most, for the button"
        raise ConfigError(f"oidc name {oidc.name!r}: give {wanted}")
    if not address:
        raise ConfigError("oidc: give http address, too, the pages' own: the provider sends people back there")


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
