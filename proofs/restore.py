"""Does a copy bring back all that was in the database, in time, and no badge that was blocked since? A whole drill.

A round is a row of history. A server of that many rows writes on while copies are made as its schedule wants them,
sealed and kept as on a site; a badge is lost, then the machine is. The newest copy is restored, the server's database
opened again, and compared row by row, on SQLite and on PostgreSQL where it is installed.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert
from sqlalchemy import select as chosen
from sqlmodel import col, select

from keys.backup import new_identity, recipient
from policy.bundle import AccessPoint, Bundle, Credential, Member, Readers, Site, Tier
from policy.instants import of
from policy.ruleset import Ground
from proofs.folders import MEMORY_DISK
from proofs.postgres import INSTALLED, cluster
from proofs.proof import BrokenError, Proof, Rounds, Task
from server import models
from server.audit import Decided
from server.backups.copies import TABLES
from server.backups.make import back_up, due
from server.backups.restore import restore
from server.backups.settings import BackupConfig
from server.changes.bundle import import_bundle, put
from server.database.engine import Database
from server.database.schema import upgrade
from server.errors import BackupError, DatabaseError, ServerError

LOST, BACK = timedelta(minutes=5), 600.0
"""What may be lost at most, and seconds after which the server is back at the latest."""
AT_ONCE, LARGE = 5_000, 100_000
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
KEPT = timedelta(days=90)
MEMBERS = 100
UIDS = tuple(f"04{number:06X}" for number in range(MEMBERS))
KEY, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([first, *range(31)])) for first in (1, 2))
Rows = Mapping[str, set[int]]
"""Of each table the hashes of its rows."""


def run(task: Task) -> Rounds:
    told = []
    with ExitStack() as open_now:
        names = ["sqlite", *(["postgresql"] if INSTALLED else [])]
        postgres = open_now.enter_context(cluster()) if INSTALLED else None
        for done, name in enumerate(names):
            folder = Path(open_now.enter_context(TemporaryDirectory(prefix="loquet-restore-", dir=_disk(task.rounds))))
            url = f"sqlite:///{folder}/loquet.db" if postgres is None or not done else postgres.create("drill")
            drill = Drill(url, folder, task.random(task.first))
            for rows in drill.fill(task.rounds):
                yield (done * task.rounds + rows) // len(names)
            try:
                told.append(f"{name}: {drill.burn()}")
            except (ServerError, WrongError) as error:
                raise BrokenError(task.first + task.rounds - 1, f"{name}: {error}", since=task.first) from None
    return "; ".join(told)


def _disk(rows: int) -> Path | None:
    """A small drill waits for no disk; how long a large one takes is to be seen on a real one."""
    return MEMORY_DISK if rows < LARGE and MEMORY_DISK.is_dir() else None


class WrongError(Exception):
    """What is not as it was promised."""


class Drill:
    """One server, its folder of copies, and its end."""

    def __init__(self, url: str, folder: Path, luck: Random) -> None:
        self._url, self._folder, self._luck = url, folder, luck
        self._identity = folder / "identity.txt"
        self._identity.write_bytes(new_identity(self._identity))
        for name in ("etc/keys", "copies"):
            (folder / name).mkdir(parents=True)
        self._config = BackupConfig(recipient(self._identity), folder / "copies")
        self._database = Database(url)
        upgrade(self._database, lambda _: None)
        with self._database.transaction() as session:
            import_bundle(session, _bundle(), Decided("proof", of(NOW - KEPT)))
        self._rows = 0

    def fill(self, rows: int) -> Iterator[int]:
        """So many passages of the time before, oldest first."""
        while self._rows < rows:
            many = min(AT_ONCE, rows - self._rows)
            first = NOW - KEPT + KEPT * self._rows / rows
            self._write(many, first, KEPT / rows)
            yield self._rows

    def burn(self) -> str:
        """The last minutes, the restore, the comparison: the figure. Raises ServerError, WrongError."""
        self._database.close()  # the server is started anew now and then: what follows lies in SQLite's log
        self._database = Database(self._url)
        self._write(3, NOW - timedelta(minutes=1), timedelta(seconds=19))
        copied, copy, held = self._copied(NOW)
        fire = NOW + timedelta(seconds=self._luck.randrange(6 * 60, 12 * 60))
        at = NOW
        while at + timedelta(minutes=1) < fire:
            self._write(3, at + timedelta(seconds=1), timedelta(seconds=19))
            at += timedelta(minutes=1)
            if due(self._config, at):
                copied, copy, held = self._copied(at)
        self._write(1, fire, timedelta())
        if fire - copied > LOST:
            raise WrongError(f"what was written in {fire - copied} before the fire is lost, at most {LOST} may be")
        blocked = self._luck.choice(UIDS)
        with self._database.transaction() as session:
            put(session, [Credential(blocked, f"m{UIDS.index(blocked)}", "lost")], Decided("proof", of(fire)))
        self._database.close()
        took = self._restored(copy, blocked, fire)
        self._compare(held, blocked)
        if took > BACK:
            raise WrongError(f"back after {took:.0f} s, at most {BACK:.0f} were promised")
        lost = (fire - copied).total_seconds()
        told = f"{self._rows} rows compared one by one, the last {lost:.0f} s of {LOST.total_seconds():.0f} lost"
        return f"{told}, back in {took:.1f} s of {BACK:.0f}"

    def _copied(self, at: datetime) -> tuple[datetime, Path, Rows]:
        back_up(self._url, self._config, self._folder / "etc/server.toml", KEY, lambda: at)
        newest = max((self._folder / "copies").glob("*.age"))
        return at, newest, _rows(self._database)

    def _write(self, many: int, first: datetime, step: timedelta) -> None:
        made = [_row(self._rows + number, first + step * number) for number in range(1, many + 1)]
        with self._database.transaction() as session:
            session.execute(insert(models.JournalRow), made)
        self._rows += many

    def _restored(self, copy: Path, blocked: str, at: datetime) -> float:
        """Seconds until the database is open again."""
        try:
            restore(self._url, copy, agreed=False, now=at, identity=self._identity, key=KEY.public_key())
        except DatabaseError as error:
            if f"…{blocked[-4:]}" not in str(error):
                raise
        else:
            raise WrongError(f"badge {blocked} is good again, and nobody was asked")
        try:
            restore(self._url, copy, agreed=True, now=at, identity=self._identity, key=STRANGER.public_key())
        except BackupError as error:
            if "did not sign it" not in str(error):
                raise
        else:
            raise WrongError("a copy that this server did not sign came back")
        began = time.monotonic()
        restore(self._url, copy, agreed=True, now=at, identity=self._identity, key=KEY.public_key())
        self._database = Database(self._url)
        upgrade(self._database, lambda _: None)
        return time.monotonic() - began

    def _compare(self, held: Rows, blocked: str) -> None:
        """All but the badge, which is as it was when the machine was lost; that is written down."""
        try:
            with self._database.reading() as session:
                badges = session.exec(select(models.Credential).where(col(models.Credential.uid) == blocked)).all()
            now = _rows(self._database)
        finally:
            self._database.close()
        if [badge.status for badge in badges] != ["lost"]:
            raise WrongError(f"badge {blocked}, lost since the copy, is {[badge.status for badge in badges]} after it")
        for table, rows in held.items():
            gone, new = len(rows - now[table]), len(now[table] - rows)
            changed = {"credential": (1, 1), "audit": (0, 1)}.get(table, (0, 0))
            if (gone, new) != changed:
                raise WrongError(f"{table}: of {len(rows)} rows in the copy {gone} are not there, {new} are others")


def _rows(database: Database) -> Rows:
    with database.reading() as session:
        found = session.connection().execution_options(yield_per=AT_ONCE)
        return {table.name: {hash(repr(tuple(row))) for row in found.execute(chosen(table))} for table in TABLES}


def _row(number: int, at: datetime) -> dict[str, Any]:
    unsaid = dict.fromkeys(column.name for column in JOURNAL.columns if column.name != "id")
    member = number % MEMBERS
    return unsaid | {
        "edge": "front",
        "journal": "drill",
        "seq": number,
        "at": at,
        "received": at,
        "mono_ms": number,
        "boot": "drill",
        "clock": "synced",
        "kind": "tap",
        "access_point": "front",
        "reader": "in" if number % 2 else "out",
        "credential": f"{member:032x}",
        "member": f"m{member}",
        "granted": True,
        "reason": "always",
        "rules_version": 1,
        "pending": False,
    }


JOURNAL = next(table for table in TABLES if table.name == "journal_row")


def _bundle() -> Bundle:
    return Bundle(
        format="loquet.bundle/1",
        site=Site(id="s", name="S", timezone="Europe/Paris"),
        access_points=(AccessPoint("front", Readers("in", "out")),),
        tiers=(Tier("resident", (Ground.ALWAYS,)),),
        members=tuple(Member(f"m{number}", f"M {number}", "resident") for number in range(MEMBERS)),
        credentials=tuple(Credential(uid, f"m{number}") for number, uid in enumerate(UIDS)),
    )


PROOF = Proof(
    "a copy brings back every row and no blocked badge, at most 5 min are lost, back within 10",
    "rows",
    2_000,
    1_000_000,
    run,
)
