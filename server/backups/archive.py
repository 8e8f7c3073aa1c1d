"""How is a copy sealed, and opened again? With age, to a key whose other half is never on the server.

What is sealed: about.json, loquet.db, and below config/ what the server is told: server.toml and the keys beside it.
age's own program opens it as well: age --decrypt -i identity.txt FILE | tar -xz
"""

import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pyrage
from msgspec import Struct

from server.errors import BackupError

ABOUT, DATABASE, CONFIG = "about.json", "loquet.db", "config"
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


def seal(about: About, database: Path, config: Path, recipient: str, to: Path) -> None:
    """Write a sealed copy. database: an SQLite file. config: the folder of server.toml. Raises OSError, BackupError."""
    with tempfile.TemporaryFile(dir=to.parent) as packed:
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=6) as tar:
            said = database.with_name(ABOUT)
            said.write_bytes(msgspec.json.encode(about))
            tar.add(said, ABOUT)
            tar.add(database, DATABASE)
            for file in _told(config):
                tar.add(file, f"{CONFIG}/{file.relative_to(config)}", recursive=False)
        packed.seek(0)
        with to.open("wb") as sealed:
            to.chmod(0o600)
            pyrage.encrypt_io(packed, sealed, [pyrage.x25519.Recipient.from_str(recipient)])


def _told(config: Path) -> Iterator[Path]:
    """What lies beside server.toml and in its folder of keys; no database that somebody keeps there."""
    for file in sorted((*config.glob("*"), *config.glob("keys/*"))):
        if file.is_file() and file.stat().st_size <= LARGEST_KEY and ".db" not in file.name:
            yield file


@contextmanager
def opened(file: Path, identity: Path, folder: Path) -> Iterator[Path]:
    """A folder, below `folder`, with what a copy holds; gone afterwards. Raises BackupError."""
    keys = identities(identity)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".loquet-restore-") as name:
        packed = Path(name) / "packed"
        try:
            with file.open("rb") as sealed, packed.open("wb") as plain:
                pyrage.decrypt_io(sealed, plain, keys)
            with tarfile.open(packed, "r:gz") as tar:
                _unpack(tar, Path(name) / "opened")
        except pyrage.DecryptError as error:
            remedy = "take the identity that was made with this site's recipient (loquet keys list), or another copy"
            raise BackupError(f"{file}: {identity} does not open it ({error}): {remedy}") from None
        except (OSError, EOFError, tarfile.TarError) as error:
            raise BackupError(f"{file}: cannot be unpacked ({error}): take another copy, or make room") from None
        packed.unlink()
        yield Path(name) / "opened"


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


def about(folder: Path, file: Path) -> About:
    """What an opened copy says of itself. Raises BackupError."""
    try:
        return msgspec.json.decode((folder / ABOUT).read_bytes(), type=About)
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupError(f"{file}: says nothing of itself ({error}): take another copy") from None


def identities(file: Path) -> list[pyrage.x25519.Identity]:
    """The keys in age's own file of them. Raises BackupError, whose message shows none."""
    try:
        lines = [line.strip() for line in file.read_text("ascii").splitlines()]
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except OSError as error:
        raise BackupError(f"{file}: {error.strerror}: name the identity, backup/identity.txt of the keys") from None
    except (ValueError, pyrage.IdentityError):
        found = []
    if not found:
        raise BackupError(f"{file}: is no identity of age: name backup/identity.txt of the site's keys")
    return found
