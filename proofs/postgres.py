"""A real PostgreSQL for proofs and tests: a cluster in a temporary folder, on a Unix socket, gone with the process.

Its collation is French: what counts on the order of bytes shall fail here, and not at a site.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import chown
from signal import SIGQUIT
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from sqlalchemy.engine import URL

INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
"""Debian keeps its programs out of the PATH. `make test` sees that they are there."""
PATIENCE = 30.0
"""Seconds for a start."""
COLLATION = ("--locale=C.UTF-8", "--encoding=UTF8", "--locale-provider=icu", "--icu-locale=fr")
PEER = "peer"
"""A database of this name lets in whom the system says that they are, as Debian's PostgreSQL does, and nobody else."""
HASTE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")
"""Nothing of it need outlive anything."""


class Postgres:
    """The databases of one cluster."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.shell("postgres").close()

    def url(self, name: str) -> str:
        return str(URL.create("postgresql", "loquet", database=name, query={"host": str(self._folder)}))

    def shell(self, name: str) -> psycopg.Connection:
        """A connection for what a server of Loquet never says."""
        return psycopg.connect(host=str(self._folder), user="loquet", dbname=name, autocommit=True)

    def create(self, name: str) -> str:
        """The URL of a new, empty database."""
        with self.shell("postgres") as shell:
            shell.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)


@contextmanager
def cluster() -> Iterator[Postgres]:
    """Raises FileNotFoundError where PostgreSQL is not installed."""
    if not INSTALLED:
        raise FileNotFoundError("PostgreSQL is not installed: sudo apt-get install postgresql")
    programs, other = INSTALLED[-1], _somebody_else()
    with TemporaryDirectory(prefix="loquet-postgres-") as name:
        folder, data = Path(name), f"{name}/data"
        if other:
            chown(folder, other["user"], other["group"])
        made: list[str] = ["initdb", "--pgdata", data, "--username=loquet", "--auth=trust", "--no-sync", *COLLATION]
        subprocess.run([programs / made[0], *made[1:]], check=True, stdout=subprocess.DEVNULL, cwd=folder, **other)  # noqa: S603
        (hba := Path(data, "pg_hba.conf")).write_text(f"local {PEER} all peer\n{hba.read_text()}")
        settings = [part for setting in (*HASTE, "listen_addresses=") for part in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            command: list[str | Path] = [programs / "postgres", "-D", data, "-k", name, *settings]
            child = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **other)  # noqa: S603
        try:
            yield _await(folder, child)
        finally:
            child.send_signal(SIGQUIT)  # at once, but nothing of it is left in memory
            child.wait(PATIENCE)


def _somebody_else() -> dict[str, Any]:
    """As whom a process has to run: PostgreSQL refuses root, and Debian's package brings a user for it."""
    return {} if os.geteuid() else {"user": "postgres", "group": "postgres", "extra_groups": []}


def _await(folder: Path, child: subprocess.Popen[bytes]) -> Postgres:
    """Until it answers."""
    end = time.monotonic() + PATIENCE
    while child.poll() is None and time.monotonic() < end:
        try:
            return Postgres(folder)
        except psycopg.OperationalError:
            time.sleep(0.02)
    raise TimeoutError(f"PostgreSQL does not start: {(folder / 'log').read_text()}")
