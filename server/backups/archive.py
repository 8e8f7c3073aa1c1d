"""How is a copy sealed, and opened again? With age, to a key whose other half is never on the server; and signed.

What is sealed: about.json, loquet.db, below config/ what the server is told (server.toml and the keys beside it), and
signed.json: the digests of all of them, signed with the server's own key. Anybody can seal to a public key; only the
site's server can sign. age's own program opens it as well: age --decrypt -i identity.txt FILE | tar -xz
"""

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from console import age
from console.age import AgeError
from server.backups.ages import made_of, name_of
from server.errors import BackupError
from wire import envelope
from wire.errors import WireError

ABOUT, DATABASE, CONFIG, SIGNED = "about.json", "loquet.db", "config", "signed.json"
SERVER = "server"
LARGEST_KEY = 1 << 20
"""Bytes of a file beside server.toml that is sealed with it: keys and passwords are far smaller."""
_START = b"age-encryption.org/v1"


class About(Struct, frozen=True):
    """What a copy says of itself. made: RFC 3339, UTC. version: of Loquet. revision: of the tables."""

    site: str
    made: str
    version: str
    revision: str


def is_sealed(file: Path) -> bool:
    """False for one that cannot be read, too: whoever reads it next says why."""
    try:
        with file.open("rb") as opened:
            return opened.read(len(_START)) == _START
    except OSError:
        return False


def seal(about: About, database: Path, config: Path, recipient: str, key: Ed25519PrivateKey, to: Path) -> None:
    """Write a sealed copy. database: an SQLite file. config: the folder of server.toml. key: the server's, which signs.

    Raises OSError, BackupError.
    """
    held = {ABOUT: msgspec.json.encode(about)}
    held |= {f"{CONFIG}/{file.relative_to(config)}": file.read_bytes() for file in _told(config)}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in held.items()}
    digests[DATABASE] = _digest(database)
    held[SIGNED] = envelope.seal(key, SERVER, _what(about.site), msgspec.json.encode(digests))
    with tempfile.NamedTemporaryFile(dir=to.parent, prefix=".packed-") as packed:
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=6) as tar:
            for name, content in held.items():
                file = tarfile.TarInfo(name)
                file.size, file.mode = len(content), 0o600
                tar.addfile(file, BytesIO(content))
            tar.add(database, DATABASE)
        packed.flush()
        to.touch(0o600)
        try:
            age.seal(Path(packed.name), to, recipient)
        except AgeError as error:
            raise BackupError(f"{to}: cannot be sealed: {error}") from None


def _what(site: str) -> str:
    """For what the server signs: nothing that it says over the broker is called so."""
    return f"copy of {site}"


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _told(config: Path) -> Iterator[Path]:
    """What lies beside server.toml and in its folder of keys; no database that somebody keeps there."""
    for file in sorted((*config.glob("*"), *config.glob("keys/*"))):
        if file.is_file() and file.stat().st_size <= LARGEST_KEY and ".db" not in file.name:
            yield file


@contextmanager
def opened(file: Path, identity: Path, folder: Path, key: Ed25519PublicKey) -> Iterator[Path]:
    """A folder, below `folder`, with what a copy holds; gone afterwards. key: whose server must have signed it.

    Raises BackupError.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".loquet-restore-") as name:
        packed = Path(name) / "packed"
        _unseal(file, identity, packed)
        try:
            with tarfile.open(packed, "r:gz") as tar:
                _unpack(tar, Path(name) / "opened")
        except (OSError, EOFError, tarfile.TarError) as error:
            raise BackupError(f"{file}: cannot be unpacked ({error}): take another copy, or make room") from None
        packed.unlink()
        _check_signed(Path(name) / "opened", file, key)
        yield Path(name) / "opened"


def _unseal(file: Path, identity: Path, packed: Path) -> None:
    try:
        keys = age.secrets(identity)
    except OSError as error:
        raise BackupError(f"{identity}: {error.strerror}: name the identity, backup/identity.txt of the keys") from None
    except (ValueError, AgeError):
        raise BackupError(f"{identity}: is no identity of age: name backup/identity.txt of the site's keys") from None
    try:
        age.unseal(file, packed, keys)
    except AgeError as error:
        remedy = "take the identity that was made with this site's recipient (loquet keys list), or another copy"
        raise BackupError(f"{file}: {identity} does not open it ({error}): {remedy}") from None
    except OSError as error:
        raise BackupError(f"{file}: cannot be unpacked ({error}): take another copy, or make room") from None


def _unpack(tar: tarfile.TarFile, folder: Path) -> None:
    """Files alone, none outside the folder: whoever knows the recipient can seal what they like. Raises TarError."""
    for member in tar:
        target = folder / member.name
        content = tar.extractfile(member) if member.isreg() else None
        if content is None or ".." in target.parts or not target.is_relative_to(folder):
            raise tarfile.TarError(f"{member.name!r} is no file of a copy")
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with target.open("wb") as out:
            target.chmod(0o600)
            shutil.copyfileobj(content, out)


def _check_signed(folder: Path, file: Path, key: Ed25519PublicKey) -> None:
    """Raises BackupError for a copy that this site's server did not make as it is, and for one with another's name."""
    said = about(folder, file)
    try:
        body = envelope.unseal(key, SERVER, _what(said.site), (folder / SIGNED).read_bytes())
        signed = msgspec.json.decode(body, type=dict[str, str])
    except FileNotFoundError:
        raise BackupError(
            f"{file}: nobody signed it: it is of a version that did not, or of somebody who can write into its folder."
            " If you know that it is yours, open it by hand (age --decrypt -i identity.txt FILE | tar -xz) and restore"
            f" its {DATABASE}"
        ) from None
    except (WireError, msgspec.MsgspecError):
        raise BackupError(
            f"{file}: this server's key did not sign it: it is of another site, of an older key, or of somebody who can"
            " write into its folder. A new server takes the folder server/ of the site's keys; where its key was"
            " renewed since, name the older one: --signed-by server.pem"
        ) from None
    found = {str(one.relative_to(folder)): one for one in folder.rglob("*") if one.is_file()}
    del found[SIGNED]
    if {name: _digest(one) for name, one in found.items()} != signed:
        raise BackupError(f"{file}: what is in it is not what was signed: take another copy")
    was = made_of(file.name)
    if was is not None and file.name != name_of(made := datetime.fromisoformat(said.made)):
        raise BackupError(f"{file}: was made at {made:%Y-%m-%d %H:%M} UTC: somebody gave it another copy's name")


def about(folder: Path, file: Path) -> About:
    """What an opened copy says of itself. Raises BackupError."""
    try:
        return msgspec.json.decode((folder / ABOUT).read_bytes(), type=About)
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupError(f"{file}: says nothing of itself ({error}): take another copy") from None
