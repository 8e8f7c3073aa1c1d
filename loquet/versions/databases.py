"""The server's database while a newer version is tried: copied before that changes its form, and brought back."""

import os
import pwd
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from loquet.versions.files import draft_of, owner_of
from loquet.versions.switch import TriedError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL  # an edge, which updates itself by this, too, has none of it

FOLDER = Path("/var/backups/loquet")
PROGRAMS = ("pg_dump", "psql")
CAREFUL = "-c lock_timeout=30s -c client_min_messages=warning"
"""How long somebody's own look into the database may keep it from coming back; and what is dropped with what is not
worth a line each."""
EMPTY = """
DO $$ DECLARE step text; BEGIN
FOREACH step IN ARRAY ARRAY(
    SELECT format('%s IF EXISTS public.%I', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
            WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, relname) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND NOT EXISTS (SELECT
        FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype IN ('e', 'a', 'i'))
    UNION ALL SELECT format('ROUTINE IF EXISTS %s', oid::regprocedure) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS
        (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
    UNION ALL SELECT format('TYPE IF EXISTS %s', oid::regtype) FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND (typtype IN ('d', 'e', 'r')
        OR EXISTS (SELECT FROM pg_class WHERE pg_class.oid = typrelid AND relkind = 'c')) AND NOT EXISTS
        (SELECT FROM pg_depend WHERE classid = 'pg_type'::regclass AND objid = pg_type.oid AND deptype = 'e')
    UNION ALL SELECT format('SCHEMA IF EXISTS %I', nspname) FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema') AND NOT EXISTS
        (SELECT FROM pg_depend WHERE classid = 'pg_namespace'::regclass AND objid = pg_namespace.oid AND deptype = 'e')
) LOOP EXECUTE 'DROP ' || step || ' CASCADE'; END LOOP;
END $$
"""
"""All that a dump makes, what somebody added by hand, too, and what a newer version made besides. Extensions stay: a
dump wants them only to be there."""


class Database(Protocol):
    """What a server keeps, and the copy of it of before an update."""

    def copy(self) -> None:
        """Raises TriedError."""

    def put_back(self) -> None:
        """What the newer version stored stays beside the copy, and goes at the age of all copies: of a run that was cut
        off days ago it may be a blocked badge, or a week of the desk's work. Raises TriedError; then it is as it was.
        """


class SqliteDatabase:
    """Copied by SQLite itself, whose log may hold the newest rows."""

    def __init__(self, file: Path, folder: Path = FOLDER) -> None:
        self._file, self._copy = file, folder / "before-upgrade.db"

    def copy(self) -> None:
        """Of a database that is not there yet there is no copy: none of an older update must come back in its place."""
        if not self._file.exists():
            self._copy.unlink(missing_ok=True)
            return
        self._copy_to(self._copy)

    def _copy_to(self, target: Path) -> None:
        try:
            with (
                draft_of(target, owner_of(self._file)) as new,
                closing(sqlite3.connect(self._file)) as db,
                closing(sqlite3.connect(new)) as to,
            ):
                db.backup(to)
        except (OSError, sqlite3.Error) as error:
            raise TriedError(f"the database could not be copied ({error})") from None

    def put_back(self) -> None:
        if not self._copy.exists():
            return
        _set_aside(self._copy, self._copy_to)
        try:
            with draft_of(self._file, owner_of(self._file)) as new:
                shutil.copyfile(self._copy, new)
                for part in ("-wal", "-shm"):
                    self._file.with_name(self._file.name + part).unlink(missing_ok=True)
        except OSError as error:
            raise TriedError(f"{self._file}: {error.strerror or error}") from None


class PostgresDatabase:
    """Copied by PostgreSQL's own pg_dump, whichever version of Loquet its tables are of. user: as whom the server
    runs, and is let in."""

    def __init__(self, url: "URL", user: str, folder: Path = FOLDER) -> None:
        self._copy = folder / "before-upgrade.sql"
        account = pwd.getpwnam(user) if user else pwd.getpwuid(os.geteuid())
        self._owner = account.pw_uid, account.pw_gid
        self._url = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
        self._environment = {**os.environ, "HOME": account.pw_dir, "PGOPTIONS": CAREFUL}
        if url.password is not None:  # which is for no list of processes
            self._environment["PGPASSWORD"] = str(url.password)

    def copy(self) -> None:
        self._copy_to(self._copy)

    def _copy_to(self, target: Path) -> None:
        """Without comments: that of an extension is not the server's to make."""
        try:
            with draft_of(target, self._owner) as new, new.open("wb") as to:
                self._run(["pg_dump", "--no-comments", "--lock-wait-timeout=30s", "--dbname", self._url], to=to)
        except (OSError, TriedError) as error:
            raise TriedError(f"the database could not be copied ({error})") from None

    def put_back(self) -> None:
        """In one transaction: a power cut leaves one or the other."""
        if not self._copy.exists():
            return
        _set_aside(self._copy, self._copy_to)
        words = ["psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        with self._copy.open("rb") as copy, Path(os.devnull).open("wb") as nobody:
            self._run([*words, "--dbname", self._url, "--command", EMPTY, "--file", "-"], given=copy, to=nobody)

    def _run(self, words: list[str], *, to: IO[bytes], given: IO[bytes] | None = None) -> None:
        user, group = self._owner
        other: dict[str, Any] = {} if os.geteuid() else {"user": user, "group": group, "extra_groups": []}
        ran = subprocess.run(  # noqa: S603
            words,
            stdin=given or subprocess.DEVNULL,
            stdout=to,
            stderr=subprocess.PIPE,
            check=False,
            cwd="/",
            env=self._environment,
            **other,
        )
        if ran.returncode:
            said = " ".join(ran.stderr.decode(errors="replace").split())
            raise TriedError(f"{words[0]}: {said or ran.returncode}")


def _set_aside(copy: Path, copy_to: Callable[[Path], None]) -> None:
    """What was stored meanwhile, beside the copy; where that fails, to go back counts for more."""
    tried = copy.with_name(f"tried-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}{copy.suffix}")
    try:
        copy_to(tried)
        print(f"what was stored meanwhile lies in {tried}: badges that were blocked since are good again")
    except TriedError as error:
        print(f"what was stored meanwhile is lost: {error}")
