"""This machine, its services and files, as versions are switched on it."""

import os
import shutil
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from loquet.versions.switch import TriedError

CURRENT, BEFORE = Path("/opt/loquet"), Path("/opt/loquet.before")
COPY = Path("/var/backups/loquet/before-upgrade.db")
STARTS = 30.0
"""Seconds that a start may take at least, however soon an answer is wanted after it."""
PAUSE = 1.0
"""Seconds between two questions whether it answers."""
HEARD = "the server has"
"""What an edge says of itself to systemd once the server has the row of its start (edge/watchdog.py)."""


class Service:
    """One of Loquet's own. database: the file that it keeps, None for none. asks: whether it does its work."""

    def __init__(
        self,
        name: str,
        database: Path | None,
        asks: Callable[[], bool],
        within: float,
        current: Path = CURRENT,
        before: Path = BEFORE,
        copy: Path = COPY,
    ) -> None:
        self._name, self._database, self._asks, self._within = name, database, asks, within
        self._current, self._before, self._copy = current, before, copy
        self.keeps_a_database = database is not None

    def now(self) -> str:
        """One that was installed by hand is a folder, and no link: it gets a name of its own once."""
        if not self._current.is_symlink():
            named = self._current.with_name(f"{self._current.name}-first")
            self._current.rename(named)
            _link(self._current, str(named))
        return os.readlink(self._current)

    def before(self) -> str | None:
        return os.readlink(self._before) if self._before.is_symlink() else None

    def remember(self, version: str) -> None:
        _link(self._before, version)

    def forget(self) -> None:
        self._before.unlink(missing_ok=True)
        _settle(self._before.parent)

    def count(self, version: str) -> None:
        _link(self._current, version)

    def stop(self) -> None:
        _systemctl("stop", self._name)

    def start(self) -> None:
        _systemctl("restart", self._name, within=max(self._within, STARTS))

    def answers(self) -> bool:
        until = time.monotonic() + self._within
        while not self._asks():
            if time.monotonic() >= until:
                return False
            time.sleep(PAUSE)
        return True

    def copy(self) -> None:
        """By SQLite itself, whose log may hold the newest rows. Of a database that is not there yet there is no copy:
        none of an older update must come back in its place."""
        if self._database is None:
            return
        if not self._database.exists():
            self._copy.unlink(missing_ok=True)
            return
        self._copy_to(self._copy, self._database)

    def _copy_to(self, target: Path, database: Path) -> None:
        new = target.with_name(f"{target.name}.new")
        try:
            if not target.parent.exists():
                target.parent.mkdir(mode=0o700)
                _owned_like(database, target.parent)
            new.unlink(missing_ok=True)
            new.touch(mode=0o600)
            with closing(sqlite3.connect(database)) as db, closing(sqlite3.connect(new)) as to:
                db.backup(to)
            _owned_like(database, new)
            os.replace(new, target)
        except (OSError, sqlite3.Error) as error:
            with suppress(OSError):
                new.unlink(missing_ok=True)
            raise TriedError(f"the database could not be copied ({error})") from None
        _settle(target.parent)

    def put_back(self) -> None:
        """What the newer version stored stays beside the copy, and goes at the age of all copies: of a run that was cut
        off days ago it may be a blocked badge, or a week of the desk's work."""
        if self._database is None or not self._copy.exists():
            return
        tried = self._copy.with_name(f"tried-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.db")
        try:
            self._copy_to(tried, self._database)
            print(f"what was stored meanwhile lies in {tried}: badges that were blocked since are good again")
        except TriedError as error:  # to go back counts for more
            print(f"what was stored meanwhile is lost: {error}")
        new = self._database.with_name(f"{self._database.name}.back")
        shutil.copyfile(self._copy, new)
        new.chmod(0o600)
        _owned_like(self._database, new)
        for part in ("-wal", "-shm"):
            self._database.with_name(self._database.name + part).unlink(missing_ok=True)
        os.replace(new, self._database)
        _settle(self._database.parent)


def serves(host: str, port: int) -> bool:
    """Whether a server answers where its server.toml says that it listens."""
    at = f"[{host}]" if ":" in host else host
    with suppress(OSError), urllib.request.urlopen(f"http://{at}:{port}/health", timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def reports(service: str) -> bool:
    """Whether the server has what this edge said since it was started."""
    return _systemctl("show", "--property=StatusText", "--value", service).startswith(HEARD)


def _systemctl(*words: str, within: float | None = None) -> str:
    """A restart ends once the service says that it serves. Raises TriedError."""
    try:
        ran = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False, timeout=within)  # noqa: S603, S607
    except subprocess.TimeoutExpired:
        raise TriedError(f"systemctl {' '.join(words)}: nothing came of it within {within:.0f} s") from None
    if ran.returncode:
        raise TriedError(f"systemctl {' '.join(words)}: {ran.stderr.strip() or ran.returncode}")
    return ran.stdout


def _link(name: Path, to: str) -> None:
    """In one step: after a power cut it is the old one or the new one."""
    new = name.with_name(f"{name.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(to)
    os.replace(new, name)
    _settle(name.parent)


def _settle(path: Path) -> None:
    """A file or a folder is on the disk, not only said to be."""
    with suppress(OSError):
        held = os.open(path, os.O_RDONLY)
        os.fsync(held)
        os.close(held)


def _owned_like(file: Path, new: Path) -> None:
    there = file.stat()
    if os.geteuid() == 0:
        os.chown(new, there.st_uid, there.st_gid)
    _settle(new)
