"""This machine, its services and files, as versions are switched on it."""

import os
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from loquet.versions.databases import Database
from loquet.versions.files import link, settle
from loquet.versions.switch import TriedError

CURRENT, BEFORE = Path("/opt/loquet"), Path("/opt/loquet.before")
STARTS = 30.0
"""Seconds that a start may take at least, however soon an answer is wanted after it."""
PAUSE = 1.0
"""Seconds between two questions whether it answers."""
HEARD = "the server has"
"""What an edge says of itself to systemd once the server has the row of its start (edge/watchdog.py)."""


class Service:
    """One of Loquet's own. database: what it keeps, None for none. asks: whether it does its work."""

    def __init__(
        self,
        name: str,
        database: Database | None,
        asks: Callable[[], bool],
        within: float,
        current: Path = CURRENT,
        before: Path = BEFORE,
    ) -> None:
        self._name, self._database, self._asks, self._within = name, database, asks, within
        self._current, self._before = current, before
        self.keeps_a_database = database is not None

    def now(self) -> str:
        """One that was installed by hand is a folder, and no link: it gets a name of its own once."""
        if not self._current.is_symlink():
            named = self._current.with_name(f"{self._current.name}-first")
            self._current.rename(named)
            link(self._current, str(named))
        return os.readlink(self._current)

    def before(self) -> str | None:
        return os.readlink(self._before) if self._before.is_symlink() else None

    def remember(self, version: str) -> None:
        link(self._before, version)

    def forget(self) -> None:
        self._before.unlink(missing_ok=True)
        settle(self._before.parent)

    def count(self, version: str) -> None:
        link(self._current, version)

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
        if self._database is not None:
            self._database.copy()

    def put_back(self) -> None:
        if self._database is not None:
            self._database.put_back()


def serves(host: str, port: int) -> bool:
    """Whether a server answers where its server.toml says that it listens."""
    at = f"[{host}]" if ":" in host else host
    with suppress(OSError), urllib.request.urlopen(f"http://{at}:{port}/health", timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def reports(service: str) -> bool:
    """Whether the server has what this edge said since it was started."""
    return _systemctl("show", "--property=StatusText", "--value", service).startswith(HEARD)


def user_of(service: str) -> str:
    """As whom it runs, "" for whoever starts it."""
    return _systemctl("show", "--property=User", "--value", service).strip()


def _systemctl(*words: str, within: float | None = None) -> str:
    """A restart ends once the service says that it serves. Raises TriedError."""
    try:
        ran = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False, timeout=within)  # noqa: S603, S607
    except subprocess.TimeoutExpired:
        raise TriedError(f"systemctl {' '.join(words)}: nothing came of it within {within:.0f} s") from None
    if ran.returncode:
        raise TriedError(f"systemctl {' '.join(words)}: {ran.stderr.strip() or ran.returncode}")
    return ran.stdout
