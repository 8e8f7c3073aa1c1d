"""How is a copy made, carried and in time removed? Beside the running server, each few minutes."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from console.version import version
from server.backups.ages import copies, expired, name_of
from server.backups.archive import About, seal
from server.backups.copies import copy_database, whose
from server.backups.places import Place
from server.backups.settings import BackupConfig
from server.backups.state import Carried, State, note, state
from server.errors import BackupError

PLAIN = ("*.db", "*.db.gz", "*.sql")
"""Copies of other makers (before an upgrade, of older versions): they go at the same age."""


def due(config: BackupConfig, now: datetime) -> bool:
    """Whether the newest copy is as old as the schedule says, but for the time that a timer is late."""
    found = copies(config.own.names())
    return not found or now - found[-1][0] >= timedelta(minutes=config.minutes, seconds=-30)


def back_up(
    url: str, config: BackupConfig, told: Path, key: Ed25519PrivateKey, now: Callable[[], datetime]
) -> list[str]:
    """Make a copy, carry it, remove those whose time is over. What was done, in lines.

    told: the server.toml. key: the server's, which signs the copy.
    Raises BackupError when there is none, or a place did not take it; what became of it stands in state.json, too.
    """
    began, at = time.monotonic(), now()
    with _alone(config.folder):
        before = state(config.folder)
        try:
            file = _made(url, config, told, key, at)
        except Exception as error:
            note(config.folder, State(at.isoformat(), str(error), 0.0, before.places if before else {}))
            raise
        _prune(config.own, config, at)
        _prune_plain(config.folder, at, config.days)
        took = round(time.monotonic() - began, 1)
        said = [f"{file}: made in {took} s, {file.stat().st_size // 1000} kB"]
        places = {
            name: _carry(place, file, config, at, before.places.get(name) if before else None)
            for name, place in config.others().items()
        }
        note(config.folder, State(at.isoformat(), "", took, places))
    if wrong := [carried.why for carried in places.values() if carried.why]:
        raise BackupError("\n".join([*said, *wrong]))
    return [*said, *(f"{name}: has it, too" for name in places)]


def _made(url: str, config: BackupConfig, told: Path, key: Ed25519PrivateKey, at: datetime) -> Path:
    try:
        with tempfile.TemporaryDirectory(dir=config.folder, prefix=".making-") as name:
            plain, sealed = Path(name) / "loquet.db", Path(name) / "sealed"
            copy_database(url, plain)
            seal(_about(plain, at), plain, told.parent, config.recipient, key, sealed)
            with sealed.open("rb") as written:
                os.fsync(written.fileno())
            return sealed.rename(config.folder / name_of(at))
    except OSError as error:
        raise BackupError(f"{config.folder}: {error.strerror or error}: see to room and rights there") from None


def _about(plain: Path, at: datetime) -> About:
    site, revision = whose(plain)
    if site is None:
        raise BackupError("the database holds no site yet: there is nothing to copy")
    return About(site, at.isoformat(timespec="seconds"), version(), revision)


def _carry(place: Place, file: Path, config: BackupConfig, at: datetime, before: Carried | None) -> Carried:
    """A place that cannot be reached keeps nobody from the others."""
    try:
        place.put(file)
        _prune(place, config, at)
    except BackupError as error:
        return Carried(before.at if before else None, str(error))
    return Carried(at.isoformat())


def _prune(place: Place, config: BackupConfig, at: datetime) -> None:
    place.remove(expired(place.names(), at, config.days))


def _prune_plain(folder: Path, at: datetime, days: int) -> None:
    for pattern in PLAIN:
        for file in folder.glob(pattern):
            if at.timestamp() - file.stat().st_mtime > days * 86_400:
                file.unlink()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One copy is made at a time; what one that was cut off left is removed. Raises BackupError."""
    try:
        held = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise BackupError(f"{folder}: {error.strerror}: make it, the server's user's own (mode 0700)") from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _clear(folder)
        yield
    except BlockingIOError:
        raise BackupError(f"{folder}: another copy is being made: nothing was done") from None
    finally:
        os.close(held)


def _clear(folder: Path) -> None:
    for left in (*folder.glob(".making-*"), *folder.glob(".loquet-*.new")):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()
