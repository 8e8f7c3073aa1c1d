"""How does a copy of the database come back? Checked before it counts, and what it would make good again is said.

Whoever found a badge that was lost since the copy was made would get in with it: so what is blocked, suspended or ended
in the database of today and is not in the copy is listed, and wants to be agreed to: badges, members, roles, trainings,
machines out of service, a lockdown, accounts, passkeys and tokens.
"""

import gzip
import os
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy.engine import make_url

from server.database.claim import beside, claim_file, file_of
from server.database.schema import known
from server.errors import DatabaseError

LIVING = """
    SELECT 'badge …' || substr(uid, -4) || ' of ' || member, status FROM credential WHERE ended IS NULL
    UNION ALL SELECT 'member ' || id, status FROM member WHERE ended IS NULL
"""
ALSO_LIVING = (
    """SELECT 'role ' || role.value || ' of ' || member.id, 'active' FROM member, json_each(member.roles) AS role
    WHERE ended IS NULL""",
    "SELECT 'training ' || kind || ' of ' || member, 'active' FROM certification WHERE ended IS NULL",
    """SELECT 'machine ' || id, CASE WHEN coalesce(locked_out, 'null') = 'null' THEN 'active' ELSE 'locked out' END
    FROM machine WHERE ended IS NULL""",
    """SELECT 'entry', CASE WHEN EXISTS (SELECT 1 FROM lockdown WHERE "on") THEN 'locked down' ELSE 'active' END""",
    "SELECT 'account ' || login, 'active' FROM account WHERE ended IS NULL",
    "SELECT 'administrator ' || login, 'active' FROM account WHERE ended IS NULL AND admin",
    """SELECT 'passkey ' || passkey.name || ' of ' || login || ' ' || substr(passkey.id, -4), 'active'
    FROM passkey JOIN account ON account.id = passkey.account WHERE ended IS NULL""",
    "SELECT 'token ' || name || ' ' || id, 'active' FROM api_token WHERE ended IS NULL",
)
"""What else somebody takes from people or machines. Of a version that had none of it yet nothing of it can return."""
SHOWN = 20


def restore(url: str, copy: Path, *, agreed: bool) -> list[str]:
    """Put a copy (an SQLite file, packed by gzip or not) in the database's place, which is kept beside it.

    What was done, in lines. Raises DatabaseError: for a server that runs, for a copy that is damaged, of a newer
    version or of another site, and, unless agreed, for one in which something is good that is not so today.
    """
    parsed = make_url(url)
    claim = claim_file(parsed)
    if claim is None:
        raise DatabaseError(f"{parsed.database}: PostgreSQL has its own: pg_restore")
    try:
        database, new = file_of(parsed), beside(parsed, "restored")
        _unpack(copy, new)
        try:
            held = _checked(copy, new)
            _compare(copy, held, database, agreed)
            kept = _swap(database, new)
        finally:
            new.unlink(missing_ok=True)
        return [f"{copy}: is the database now", *kept, "start the server: edges send again what it lacks"]
    finally:
        os.close(claim)


def _unpack(copy: Path, new: Path) -> None:
    opened = gzip.open if copy.suffix == ".gz" else Path.open
    try:
        with opened(copy, "rb") as packed, new.open("wb") as unpacked:
            new.chmod(0o600)
            shutil.copyfileobj(packed, unpacked)
    except (OSError, EOFError, zlib.error) as error:
        new.unlink(missing_ok=True)
        told = getattr(error, "strerror", None) or error
        raise DatabaseError(f"{copy}: cannot be unpacked to {new} ({told}): take another copy, or make room") from None


@contextmanager
def _reading(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        yield connection


def _checked(copy: Path, new: Path) -> dict[str, str]:
    """Its site, and the status of what lives in it, by what it is called."""
    try:
        with _reading(new) as connection:
            (sound,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if sound != "ok":
                raise DatabaseError(f"{copy}: is damaged ({sound}): take another copy")
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            held = _living(connection)
    except (sqlite3.Error, TypeError) as error:
        raise DatabaseError(f"{copy}: is no copy of a site's database ({error}): take another") from None
    if revision not in known():
        raise DatabaseError(f"{copy}: is of a newer version of Loquet ({revision}): install that one first")
    return held


def _living(connection: sqlite3.Connection) -> dict[str, str]:
    (site,) = connection.execute("SELECT id FROM site").fetchone()
    found = {"site": site, **dict(connection.execute(LIVING))}
    for asked in ALSO_LIVING:
        with suppress(sqlite3.OperationalError):  # a copy of before there were such
            found |= dict(connection.execute(asked))
    return found


def _compare(copy: Path, held: dict[str, str], database: Path, agreed: bool) -> None:
    """With the database of today, as far as that can be read: where it cannot, nobody knows better than the copy."""
    today: dict[str, str] = {}
    with suppress(sqlite3.Error, TypeError), _reading(database) as connection:
        today = _living(connection)
    if not today:
        return
    if today["site"] != held["site"]:
        raise DatabaseError(
            f"{copy}: is of site {held['site']!r}, this one is {today['site']!r}: take a copy of its own"
        )
    better = [
        f"{what}: active in the copy, {today.get(what, 'ended')} today"
        for what, status in sorted(held.items())
        if status == "active" and today.get(what) != "active"
    ]
    if better and not agreed:
        more = [f"and {len(better) - SHOWN} more"] if len(better) > SHOWN else []
        told = "\n  ".join([*better[:SHOWN], *more])
        raise DatabaseError(
            f"{copy}: with it this would be good again:\n  {told}\nnothing was changed. Stop the broker, so that no "
            "door hears of it, restore with --agree, start the server, block it again on the pages, start the broker"
        )


def _swap(database: Path, new: Path) -> list[str]:
    """The database of today stays beside its successor; rights and owner stay too. A cut leaves one or the other."""
    there = (database if database.exists() else database.parent).stat()
    if os.geteuid() == 0:
        os.chown(new, there.st_uid, there.st_gid)
    with new.open("rb") as written:
        os.fsync(written.fileno())
    kept = []
    if database.exists() and database.stat().st_size:
        with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        aside = database.with_name(f"{database.name}.before-restore")
        aside.unlink(missing_ok=True)
        os.link(database, aside)
        kept.append(f"{aside}: is what it was; remove it once all is well")
    for suffix in ("-wal", "-shm"):  # of the one before: the new one must not take it for its own
        database.with_name(f"{database.name}{suffix}").unlink(missing_ok=True)
    os.replace(new, database)
    folder = os.open(database.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return kept
