"""How is server.toml read? Its keys, the key files that it names, and every mistake at once, each with its remedy."""

import re
import tomllib
from codecs import BOM_UTF8
from pathlib import Path

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from policy.errors import Problem, listing
from policy.instants import meant
from policy.misfits import Fitting
from policy.syntax import toml_told
from server import identity, keys
from server.backups.settings import SHORTEST, BackupConfig
from server.config import (
    MOST_RETAINED,
    BrokerConfig,
    EdgeConfig,
    HttpConfig,
    OidcConfig,
    RevokedEdge,
    ServerConfig,
    SmtpConfig,
)
from server.errors import ConfigError
from server.identity import Identity

TLS_PORT, PLAIN_PORT = 8883, 1883
SMTP_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_SECRET = re.compile("password|token|key|secret|credential")


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


class _Backup(_Part, frozen=True):
    recipient: str
    folder: str = "/var/backups/loquet"
    copies: tuple[str, ...] = ()
    minutes: int = SHORTEST
    days: int = 30
    ssh_key: str | None = None
    known_hosts: str = "known_hosts"


class _HttpChannel(_Part, frozen=True):
    url: str
    token_file: str | None = None
    ca: str | None = None


class _Oidc(_Part, frozen=True):
    discovery: str
    client_id: str
    name: str
    secret_file: str | None = None
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
    backup: _Backup | None = None
    ntfy: _HttpChannel | None = None
    matrix: _HttpChannel | None = None
    webhook: _HttpChannel | None = None
    oidc: _Oidc | None = None
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
            backup=_backup(path.parent, file.backup) if file.backup else None,
            ntfy=_channel(path.parent, file.ntfy),
            matrix=_channel(path.parent, file.matrix),
            webhook=_channel(path.parent, file.webhook),
            oidc=_oidc(path.parent, file.oidc) if file.oidc else None,
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


def _backup(folder: Path, given: _Backup) -> BackupConfig:
    return BackupConfig(
        recipient=given.recipient,
        folder=Path(given.folder),
        copies=given.copies,
        minutes=given.minutes,
        days=given.days,
        ssh_key=folder / given.ssh_key if given.ssh_key else None,
        known_hosts=folder / given.known_hosts,
    )


def _channel(folder: Path, given: _HttpChannel | None) -> HttpConfig | None:
    if given is None:
        return None
    word = keys.secret(folder / given.token_file).decode("utf-8", "replace").strip() if given.token_file else ""
    return HttpConfig(given.url.rstrip("/"), word, str(folder / given.ca) if given.ca else None)


def _oidc(folder: Path, given: _Oidc) -> OidcConfig:
    secret = keys.secret(folder / given.secret_file).decode("utf-8", "replace").strip() if given.secret_file else ""
    ca = str(folder / given.ca) if given.ca else None
    return OidcConfig(given.discovery, given.client_id, secret, given.name, ca)


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
