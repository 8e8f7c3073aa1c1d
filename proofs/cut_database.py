"""The server's database whose power is cut: is every row there that was acknowledged, once, and the presence right?"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

from msgspec import Raw

from policy.instants import text
from policy.reasons import Reason
from policy.terms import SECOND, ClockState, Instant
from proofs.attacked import KEYS, UIDS, bundle
from proofs.proof import LossError
from server.audit import Decided
from server.changes.bundle import import_bundle
from server.database.engine import Database
from server.database.schema import upgrade
from server.ingest.messages import Ingest
from server.models import Edge as EdgeRow
from server.troubles import Troubles
from simulator.disk import Disk
from simulator.vfs import installed
from wire import row as wire_row
from wire.envelope import seal
from wire.messages import Events, encode
from wire.row import Kind, Row
from wire.topics import Topics

BEGIN: Instant = 1_772_524_800_000
TOPICS = Topics("casaco")
MOST_ROWS = 8
"""In one message."""


class CutDatabase:
    """told: rows that the edge has written. acknowledged: as many of them are the server's to keep."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "server.db"
        self.files = {f"{self._path}": _empty(self._path)}
        self._told: list[bytes] = []
        self._acknowledged = 0

    def live(self, luck: Random, disk: Disk) -> None:
        """As in proofs/power.py."""
        database = Database(f"sqlite:///{self._path}")
        try:
            self._compare(database)
            ingest = Ingest(database, TOPICS, lambda: BEGIN + len(self._told) * SECOND, Troubles(), lambda: None)
            while not disk.dead:
                self._say(ingest, luck)
        finally:
            database.close()

    def check(self) -> None:
        """As in proofs/power.py."""
        database = Database(f"sqlite:///{self._path}")
        try:
            self._compare(database)
        finally:
            database.close()

    def _say(self, ingest: Ingest, luck: Random) -> None:
        """An edge says what is not acknowledged, and something new; at times something old again."""
        self._told += [_row(len(self._told) + place, luck) for place in range(1, luck.randint(2, MOST_ROWS))]
        first = max(0, self._acknowledged - luck.choice((0, 0, 3)))
        events = Events("j", tuple(Raw(row) for row in self._told[first:]))
        topic = TOPICS.events("front")
        owed = ingest.take(topic, seal(KEYS["front"], "front", topic, encode(events)))
        if owed is not None:
            self._acknowledged = max(self._acknowledged, owed.ack.seq)

    def _compare(self, database: Database) -> None:
        for wrong in self._wrong(database):
            raise LossError(wrong)

    def _wrong(self, database: Database) -> Iterator[str]:
        with database.reading() as session:
            ask = session.connection().exec_driver_sql
            state = str(ask("PRAGMA integrity_check").scalar())
            rows = list(ask("SELECT seq, member, inside FROM journal_row ORDER BY seq"))
            position = ask("SELECT seq FROM position").scalar() or 0
            inside = {member for (member,) in ask("SELECT member FROM presence WHERE inside")}
        if state != "ok":
            yield f"the database is corrupt: {state}"
        if [seq for seq, _, _ in rows] != list(range(1, len(rows) + 1)):
            yield f"rows are missing or there twice: {[seq for seq, _, _ in rows]}"
        if not self._acknowledged <= len(rows) <= len(self._told):
            yield f"{len(rows)} rows are there, {self._acknowledged} were acknowledged, {len(self._told)} told"
        if position != len(rows):
            yield f"{len(rows)} rows are there, the position says {position}"
        last = {member: bool(went_in) for _, member, went_in in rows if went_in is not None}
        if inside != {member for member, is_in in last.items() if is_in}:
            yield f"inside are {sorted(inside)}, by the rows {last}"


@cache
def _empty(path: Path) -> bytes:
    """The file of a database with the site in it, and no passage."""
    disk = Disk()
    with installed(disk, Random(0)):
        database = Database(f"sqlite:///{path}")
        upgrade(database, lambda _: None)
        with database.transaction() as session:
            import_bundle(session, bundle(), Decided("proof", 0))
            public = KEYS["front"].public_key().public_bytes_raw().hex()
            session.add(EdgeRow(id="front", public_key=public, access_points=["front"], readers={}))
        database.close()
    return disk.read(str(path), 0, disk.size(str(path)))


def _row(seq: int, luck: Random) -> bytes:
    who, out = luck.choice(list(UIDS)), luck.random() < 0.4
    reason = Reason.EGRESS if out else Reason.STAFFED_HOURS
    row = Row(
        seq,
        text(BEGIN + seq * SECOND),
        seq * 1000,
        "boot",
        ClockState.SYNCED,
        Kind.TAP,
        access_point="front",
        reader="front-out" if out else "front-in",
        credential="00" * 16,
        member=who,
        granted=True,
        reason=reason,
    )
    return wire_row.encode(row)
