"""Where are copies kept? In a folder (a stick's, too), or on another machine by sftp."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from server.errors import BackupError

PATIENCE = 240
"""Seconds for all that is done with one place at one time."""
_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")


class Place(Protocol):
    """All raise BackupError, which names the place and the remedy."""

    def names(self) -> list[str]:
        """Of the files in it."""

    def put(self, file: Path) -> None:
        """Under its own name; never half of it."""

    def remove(self, names: list[str]) -> None:
        """Those that are there."""


@dataclass(frozen=True, slots=True)
class Folder:
    """One that is not there is not made: it would be the card's, where a stick should be."""

    path: Path

    def names(self) -> list[str]:
        try:
            return [entry.name for entry in self.path.iterdir()]
        except OSError as error:
            raise self._told(error, "make it, the server's user's own; of a stick: put it in and mount it") from None

    def put(self, file: Path) -> None:
        draft = self.path / f".{file.name}.new"
        try:
            with file.open("rb") as source, draft.open("wb") as target:
                draft.chmod(0o600)
                shutil.copyfileobj(source, target)
                target.flush()
                os.fsync(target.fileno())
            draft.replace(self.path / file.name)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise self._told(error, "see to room and rights there") from None

    def remove(self, names: list[str]) -> None:
        try:
            for name in names:
                (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise self._told(error, "see to rights there: a copy whose time is over stays") from None

    def _told(self, error: OSError, remedy: str) -> BackupError:
        return BackupError(f"{self.path}: {error.strerror or error}: {remedy}")


@dataclass(frozen=True, slots=True)
class Sftp:
    """A folder of another machine, reached with a key of its own; only a machine of `known_hosts` is believed."""

    host: str
    user: str
    port: int
    path: str
    key: Path
    known_hosts: Path

    def names(self) -> list[str]:
        return [line.rpartition("/")[2].strip() for line in self._ask(f"ls -1a {_quoted(self.path)}")]

    def put(self, file: Path) -> None:
        target = f"{self.path}/{file.name}"
        draft = f"{self.path}/.{file.name}.new"
        self._ask(f"put {_quoted(str(file))} {_quoted(draft)}", f"rename {_quoted(draft)} {_quoted(target)}")

    def remove(self, names: list[str]) -> None:
        if names:
            self._ask(*(f"rm {_quoted(f'{self.path}/{name}')}" for name in names))

    def _ask(self, *lines: str) -> list[str]:
        """What Debian's sftp answers, without what it was asked."""
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": "20",
            "IdentitiesOnly": "yes",
            "IdentityFile": str(self.key),
            "Port": str(self.port),
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(self.known_hosts),
        }
        words = [word for name, value in options.items() for word in ("-o", f'{name}="{value}"')]
        command = ["sftp", "-F", "none", *words, "-b", "-", f"{self.user}@{self.host}"]
        try:
            ended = subprocess.run(  # noqa: S603
                command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except FileNotFoundError:
            raise BackupError(f"{self}: there is no sftp: sudo apt-get install openssh-client") from None
        except subprocess.TimeoutExpired:
            raise BackupError(f"{self}: no end within {PATIENCE} s: see to the network and that machine") from None
        if ended.returncode:
            said = " ".join(ended.stderr.split()) or f"sftp ended with {ended.returncode}"
            raise BackupError(f"{self}: {said}: see to key, known_hosts, folder and room there")
        return [line for line in ended.stdout.splitlines() if line and not line.startswith("sftp> ")]

    def __str__(self) -> str:
        return f"sftp://{self.user}@{self.host}:{self.port}{self.path}"


def place_of(written: str, key: Path | None, known_hosts: Path) -> Place:
    """A place as server.toml says it: /a/folder, or sftp://user@host/folder. Raises BackupError."""
    if written.startswith("/"):
        return Folder(Path(written))
    wrong = f"backup copies {written!r}: write it as /media/loquet or sftp://loquet@nas.lan/backups"
    try:
        parts = urlsplit(written)
        port = parts.port or 22
    except ValueError:
        raise BackupError(wrong) from None
    named = all(_NAME.fullmatch(word or "") for word in (parts.hostname, parts.username))
    path = unquote(parts.path).rstrip("/")
    if parts.scheme != "sftp" or not named or not path or not path.isprintable() or parts.password or parts.query:
        raise BackupError(wrong)
    if key is None:
        raise BackupError(f"backup copies {written!r}: name its ssh_key, too (docs/operations.md, Backups)")
    return Sftp(parts.hostname or "", parts.username or "", port, path, key, known_hosts)


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
