"""How does a copy of the database come back? Checked before it counts, and what it would make good again is said.

Whoever found a badge that was lost since the copy was made would get in with it: so what is blocked, suspended or ended
in the database of today, or by the rules that doors hold, and is not in the copy is listed, and wants to be agreed to:
badges, members, roles, trainings, machines out of service, a lockdown, accounts, passkeys and tokens. Badges are never
good again by it.
"""

import gzip
import os
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.engine import make_url
from sqlmodel import col, select

from policy.instants import of
from policy.ruleset import RuleSet
from server.audit import Change, Decided, record
from server.backups.archive import DATABASE, is_sealed, opened
from server.backups.copies import TABLES, copy_database, put_back
from server.database import erased
from server.database.claim import claim_file, file_of
from server.database.engine import Database, beside_the_server
from server.database.schema import current, known, upgrade
from server.errors import BackupError, DatabaseError
from server.models import Credential, JournalRow

LIVING = """
    SELECT 'badge ' || uid || ' of ' || member, status FROM credential WHERE ended IS NULL
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
    """SELECT 'identity at ' || issuer || ' of ' || login, 'active'
    FROM oidc_identity JOIN account ON account.id = oidc_identity.account WHERE ended IS NULL""",
    "SELECT 'token ' || name || ' ' || id, 'active' FROM api_token WHERE ended IS NULL",
)
"""What else somebody takes from people or machines. Of a version that had none of it yet nothing of it can return."""
DOORS_KNOW = ("badge", "member", "role")
"""Of what lives: what the rules at the doors say of it, too."""
NAMES = {
    "member": "SELECT id, name FROM member",
    "machine": "SELECT id, name FROM machine",
    "badge": "SELECT uid, number FROM day_badge WHERE ended IS NULL",
}
SHOWN = 20
PEOPLE = [table for table in TABLES if table.name != JournalRow.__tablename__]
"""All but what happened, which may be a million rows and of which nothing lives."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The rules that broker and doors hold, signed by this server. pseudonym: of a badge's number in them."""

    rules: RuleSet
    pseudonym: Callable[[bytes], str]


Ask = Callable[[str], Doors | None]
"""For the rules of a site, by its id; None where nobody has them."""


def restore(
    url: str,
    copy: Path,
    *,
    agreed: bool,
    now: datetime,
    key: Ed25519PublicKey | None = None,
    identity: Path | None = None,
    ask: Ask | None = None,
    control: Path | None = None,
) -> list[str]:
    """Put a copy in the database's place: a sealed one that `key` signed, or an SQLite file, packed by gzip or not.

    What was there is kept beside it (of SQLite alone). ask: for the rules of a site that doors still hold, where the
    database of today cannot be read. control: the server's socket. A badge that is
    not good today comes back as it is today.

    What was done, in lines. Raises BackupError, DatabaseError: for a server that runs, for a copy that is damaged, of a
    newer version or of another site, and, unless agreed, for one in which something is good that is not so today.
    """
    parsed = make_url(url)
    claim = claim_file(parsed)
    try:
        folder = Path(tempfile.gettempdir()) if claim is None else file_of(parsed).parent
        with _plain(copy, identity, folder, key) as new:
            held = _checked(copy, new)
            today = _today(url, new.with_name("today.db"))
            doors = _by_doors(copy, new, ask(held["site"]), agreed) if ask and not today else {}
            badges = _compare(copy, held, today, doors, None if agreed else _shown(new))
            gone = _erased_since(url, control, new)
            told = _keep_from_good(new, badges, now)
            if claim is None:
                put_back(new, url)
                kept = []
            else:
                kept = _swap(file_of(parsed), new)
        return [
            f"{copy}: is the database now",
            *told,
            *kept,
            *_said(gone),
            "start the server: edges send again what it lacks",
        ]
    finally:
        if claim is not None:
            os.close(claim)


def _erased_since(url: str, control: Path | None, new: Path) -> int:
    file = erased.place(url, control)
    if file is None:
        return 0
    with _reading(new) as connection:
        return erased.since(file, connection)


def _said(gone: int) -> list[str]:
    """gone: how many were erased since the copy was made."""
    if not gone:
        return []
    return [f"{gone} erased since the copy was made: they are erased again at the start, before any door hears of them"]


@contextmanager
def _plain(copy: Path, identity: Path | None, folder: Path, key: Ed25519PublicKey | None) -> Iterator[Path]:
    """The copy as an SQLite file of its own, gone afterwards unless somebody took it."""
    if is_sealed(copy):
        if identity is None or key is None:
            raise BackupError(f"{copy}: is sealed: name with --identity the backup/identity.txt of the site's keys")
        with opened(copy, identity, folder, key) as held:
            yield held / DATABASE
        return
    with tempfile.TemporaryDirectory(dir=folder, prefix=".loquet-restore-") as name:
        new = Path(name) / DATABASE
        _unpack(copy, new)
        yield new


def _unpack(copy: Path, new: Path) -> None:
    opener = gzip.open if copy.suffix == ".gz" else Path.open
    try:
        with opener(copy, "rb") as packed, new.open("wb") as unpacked:
            new.chmod(0o600)
            shutil.copyfileobj(packed, unpacked)
    except (OSError, EOFError, zlib.error) as error:
        told = getattr(error, "strerror", None) or error
        raise DatabaseError(f"{copy}: cannot be unpacked to {new} ({told}): take another copy, or make room") from None


def _today(url: str, beside: Path) -> dict[str, str]:
    """What lives in the database of today, as far as that can be read: else nobody knows better than the copy, or the
    doors do."""
    parsed = make_url(url)
    file = file_of(parsed)
    if parsed.get_backend_name() != "sqlite":
        with beside_the_server(url) as session:
            if current(session.connection()) is None:
                return {}
        copy_database(url, beside, PEOPLE)
        file = beside
    with suppress(sqlite3.Error, TypeError), _reading(file) as connection:
        return _living(connection)
    return {}


def _by_doors(copy: Path, new: Path, doors: Doors | None, agreed: bool) -> dict[str, str]:
    """What badges and members of a copy are by the rules that doors hold, called as `_living` calls them."""
    if doors is None:
        if agreed:
            return {}
        raise BackupError(
            f"{copy}: nobody knows which badges were blocked since it was made: neither the database of today nor rules"
            " that the broker keeps can be read: start the broker, or, if it was started anew since, stop it, restore"
            " with --agree, start the server, look through its badges, start the broker"
        )
    rules, found = doors.rules, {"site": doors.rules.site}
    with _reading(new) as connection:
        asked = "SELECT uid, 'badge ' || uid || ' of ' || member FROM credential WHERE ended IS NULL"
        for uid, called in connection.execute(asked):
            held = rules.credentials.get(doors.pseudonym(bytes.fromhex(uid)))
            if held is not None:
                found[called] = "blocked" if held.blocked else "active"
    for member, said in rules.members.items():
        found[f"member {member}"] = "suspended" if said.suspended else "active"
        for role in ("staff", "gardien", "fab_manager"):
            if getattr(said, role):
                found[f"role {role} of {member}"] = "active"
    return found


def _keep_from_good(new: Path, badges: dict[str, str], now: datetime) -> list[str]:
    """Badges that are not good today are not good in the copy: as they are today, or ended."""
    if not badges:
        return []
    database, changes = Database(f"sqlite:///{new}"), []
    try:
        upgrade(database, lambda _step: None)
        with database.transaction() as session:
            for row in session.exec(select(Credential).where(col(Credential.ended).is_(None))):
                status = badges.get(f"badge {row.uid} of {row.member}")
                if status is None or row.status != "active":
                    continue
                before = {"status": row.status, "ended": None}
                row.status = status if status in ("lost", "stolen", "returned") else "lost"
                row.ended = now if status == "ended" else None
                changes.append(Change(Credential, (row.id,), "set", before, {"status": row.status, "ended": row.ended}))
            record(session, Decided("restore", of(now)), changes)
    finally:
        database.close()
    shown = _shown(new)
    return [f"{shown(what)}: stays {status}" for what, status in sorted(badges.items())]


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


def _shown(new: Path) -> Callable[[str], str]:
    """How a copy's people know what `_living` names: no whole number of a badge, but what is written on one of the
    house, and members and machines by their names."""
    names: dict[str, dict[str, str]] = {}
    with _reading(new) as connection:
        for kind, asked in NAMES.items():
            with suppress(sqlite3.OperationalError):  # a copy of before there were such
                names[kind] = {str(key): str(name) for key, name in connection.execute(asked)}

    def named(kind: str, of: str) -> str:
        name = names.get(kind, {}).get(of)
        return f"{name} ({of})" if name else of

    def shown(what: str) -> str:
        kind, _, rest = what.partition(" ")
        if kind in ("member", "machine"):
            return f"{kind} {named(kind, rest)}"
        if kind not in ("badge", "role", "training"):
            return what
        held, _, member = rest.rpartition(" of ")
        if kind == "badge":
            number = names.get("badge", {}).get(held)
            held = f"…{held[-4:]}" + (f" (day badge {number})" if number else "")
        return f"{kind} {held} of {named('member', member)}"

    return shown


def _compare(
    copy: Path,
    held: dict[str, str],
    today: dict[str, str],
    doors: dict[str, str],
    shown: Callable[[str], str] | None,
) -> dict[str, str]:
    """The badges that are good in the copy and not so today, and what they are. shown: None where it is agreed.

    doors: of what they know alone; of accounts and machines they know nothing.
    """
    known = today or doors
    if known and known["site"] != held["site"]:
        raise DatabaseError(
            f"{copy}: is of site {held['site']!r}, this one is {known['site']!r}: take a copy of its own"
        )
    spoken_of = held if today else {what: held[what] for what in held if what.partition(" ")[0] in DOORS_KNOW}
    better = {
        what: known.get(what, "ended")
        for what, status in sorted(spoken_of.items())
        if known and status == "active" and known.get(what) != "active"
    }
    if better and shown is not None:
        listed = [f"{shown(what)}: active in the copy, {status} today" for what, status in better.items()]
        more = [f"and {len(listed) - SHOWN} more"] if len(listed) > SHOWN else []
        by = "" if today else " (by the rules that doors hold: the database of today cannot be read)"
        told = "\n  ".join([*listed[:SHOWN], *more])
        raise DatabaseError(
            f"{copy}: with it this would be good again{by}:\n  {told}\nnothing was changed. With --agree badges stay as"
            " they are today, and all else is good again: then stop the broker before, so that no door hears of it,"
            " start the server, end it again on the pages, start the broker"
        )
    return {what: status for what, status in better.items() if what.startswith("badge ")}


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
