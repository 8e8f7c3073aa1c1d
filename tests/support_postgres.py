"""A real PostgreSQL for tests: a cluster of their own in a temporary folder, on a Unix socket, gone with the process.

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
HASTE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")
"""Nothing of it need outlive anything."""
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


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


class Kept:
    """A database that can be made again as it is now: many times faster than a new one."""

    def __init__(self, postgres: Postgres, name: str) -> None:
        self.url = postgres.url(name)
        self._shell = postgres.shell(name)
        tables = [row[0] for row in self._shell.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        self._shell.execute("CREATE SCHEMA kept; SET session_replication_role = replica")  # no order among the tables
        self._shell.execute("; ".join(f'CREATE TABLE kept."{table}" AS TABLE "{table}"' for table in tables))
        again = [f'DELETE FROM "{table}"; INSERT INTO "{table}" TABLE kept."{table}"' for table in tables]  # noqa: S608
        numbered = self._shell.execute("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'")
        again += [
            f"SELECT setval('{name}', {last or 1}, {'false' if last is None else 'true'})" for name, last in numbered
        ]
        self._again = "; ".join(again)

    def restore(self) -> None:
        """Whoever is still connected is cut off first: they might hold it."""
        self.cut()
        self._shell.execute(self._again)

    def cut(self) -> None:
        """End every other connection to it, as a restart does."""
        self._shell.execute(f"SELECT pg_terminate_backend(pid, 5000) {OTHERS}")

    def close(self) -> None:
        self._shell.close()


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
        made = ["initdb", "--pgdata", data, "--username=loquet", "--auth=trust", "--no-sync", *COLLATION]
        subprocess.run([programs / made[0], *made[1:]], check=True, stdout=subprocess.DEVNULL, cwd=folder, **other)
        settings = [part for setting in (*HASTE, "listen_addresses=") for part in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            command = [programs / "postgres", "-D", data, "-k", name, *settings]
            child = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **other)
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
