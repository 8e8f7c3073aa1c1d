"""What does a row cost the server, verified, stored and acknowledged, beside the bare insert of the same rows?"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from msgspec import Raw
from sqlmodel import func, select

from benches.disk import bench_folder
from benches.figure import Figures, figure
from policy.instants import text
from policy.reasons import Reason
from policy.terms import HOUR, SECOND, ClockState, Instant
from proofs.attacked import KEYS, bundle
from server.audit import Decided
from server.changes.bundle import import_bundle
from server.database.engine import Database
from server.database.schema import upgrade
from server.ingest.messages import Ingest, Message
from server.main import tuned
from server.models import Edge as EdgeRow
from server.models import JournalRow
from server.troubles import Troubles
from wire import row as wire_row
from wire.envelope import seal
from wire.messages import MAX_ROWS, Events, encode
from wire.row import Kind, Row
from wire.topics import Topics

ROWS = 100_000
"""What an edge may have kept while it was cut off; or eight of them, when the broker comes back."""
BATCH = 500
"""Rows in one transaction of the floor."""
BEGIN: Instant = 1_795_000_000_000
EVERY: Instant = 20 * SECOND
"""From one row to the next: a month's worth fits into the month."""
TOPICS = Topics("casaco")
EDGES = [f"door-{number}" for number in range(8)]
KEY = KEYS["front"]
MEMBERS = 148


def figures() -> Figures:
    with bench_folder() as folder:
        many, bare = taken(folder / "many.db", EDGES)
        one, bare_again = taken(folder / "one.db", EDGES[:1])
    yield "ingest_row", figure(many / ROWS * 1e6, "µs", bare / ROWS * 1e6)
    yield "ingest_backlog", figure(one, "s", bare_again)


def taken(path: Path, edges: Sequence[str]) -> tuple[float, float]:
    """Seconds for all rows in signed messages, one of each edge at a time; and for the bare insert of the same records.

    They take turns: a shared machine is now quick, now slow.
    """
    messages = [_messages(edge, ROWS // len(edges)) for edge in edges]
    with closing(Database(f"sqlite:///{path}")) as database:
        upgrade(database, lambda _: None)
        with database.transaction() as session:
            import_bundle(session, bundle(), Decided("bench", 0))
            public = KEY.public_key().public_bytes_raw().hex()
            session.add_all(EdgeRow(id=edge, public_key=public, access_points=["front"], readers={}) for edge in edges)
        ingest = Ingest(database, TOPICS, lambda: BEGIN + ROWS * EVERY, Troubles(), lambda: None)
        with closing(Bare(path)) as bare, tuned():
            ours = floor = 0.0
            for waiting in zip(*messages, strict=True):
                started = time.perf_counter()
                ingest.take_all(waiting)
                ours += time.perf_counter() - started
                floor += bare.insert(BATCH)
            floor += bare.insert(1)
        with database.transaction() as session:
            held = session.exec(select(func.max(JournalRow.seq), func.count())).one()
    if tuple(held) != (ROWS // len(edges), ROWS):
        raise AssertionError(f"the server holds {held[1]} rows up to {held[0]}, not {ROWS}: the figure would be false")
    return ours, floor


def _messages(edge: str, count: int) -> Iterator[Message]:
    """Made before they are timed."""
    rows = [Raw(wire_row.encode(row)) for row in backlog(count)]
    topic = TOPICS.events(edge)
    parts = [Events("j", tuple(rows[first : first + MAX_ROWS])) for first in range(0, count, MAX_ROWS)]
    return iter([(topic, seal(KEY, edge, topic, encode(part))) for part in parts])


class Bare:
    """The same records put into the same table by SQLite alone, synced in full, BATCH in a transaction."""

    def __init__(self, filled: Path) -> None:
        self._source = sqlite3.connect(filled)
        self._columns = [name for _, name, *_ in self._source.execute("PRAGMA table_info(journal_row)")][1:]
        self._copied = 0
        self._bare = sqlite3.connect(filled.with_suffix(".bare"), isolation_level=None)
        self._bare.execute("PRAGMA journal_mode=WAL")
        self._bare.execute("PRAGMA synchronous=FULL")
        asked = "SELECT sql FROM sqlite_master WHERE tbl_name = 'journal_row' AND sql <> ''"
        for (sql,) in self._source.execute(asked).fetchall():
            self._bare.execute(sql)

    def insert(self, least: int) -> float:
        """Seconds to insert what is new in the filled table, but what is left over of fewer than `least`."""
        quoted, marks = ", ".join(f'"{name}"' for name in self._columns), ", ".join("?" for _ in self._columns)
        into = f"INSERT INTO journal_row ({quoted}) VALUES ({marks})"  # noqa: S608 - our own columns
        seconds = 0.0
        while len(records := self._next(quoted)) >= least:
            started = time.perf_counter()
            self._bare.execute("BEGIN IMMEDIATE")
            self._bare.executemany(into, records)
            self._bare.execute("COMMIT")
            seconds += time.perf_counter() - started
            self._copied += len(records)
        return seconds

    def close(self) -> None:
        self._bare.close()
        self._source.close()

    def _next(self, quoted: str) -> list[tuple[object, ...]]:
        asked = f"SELECT {quoted} FROM journal_row WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608 - our own columns
        return self._source.execute(asked, (self._copied, BATCH)).fetchall()


def backlog(count: int, begin: Instant = BEGIN) -> list[Row]:
    """What a door writes: somebody comes in, the door opens and shuts, somebody leaves; now and then a refusal."""
    luck = Random(1)
    rows: list[Row] = []
    for seq in range(1, count + 1):
        rows.append(_row(seq, begin, luck, rows[-1] if rows else None))
    return rows


def _row(seq: int, begin: Instant, luck: Random, before: Row | None) -> Row:
    mono_ms = seq * EVERY
    at = begin + mono_ms
    who = {"member": f"m{luck.randrange(MEMBERS)}"}
    tap = {"reader": "front-in", "credential": "ab" * 16, "rules_version": 3}
    found: dict[int, tuple[Kind, dict[str, Any]]] = {
        0: (Kind.TAP, {**tap, **who, "granted": True, "reason": Reason.STAFFED_HOURS, "pending": True}),
        1: (Kind.DOOR_OPENED, {"settles": before.seq, "member": before.member} if before else {}),
        2: (Kind.DOOR_CLOSED, {}),
        3: (Kind.TAP, {**tap, **who, "reader": "front-out", "granted": True, "reason": Reason.EGRESS}),
    }
    kind, more = found[seq % 4]
    if seq % 20 == 3:
        more = {**tap, "granted": False, "reason": Reason.UNKNOWN_CREDENTIAL}
    if seq % 12 == 1:
        more |= {"pays": f"{text(at)[:10]}{('am', 'pm')[at // (12 * HOUR) % 2]}"}
    return Row(seq, text(at), mono_ms, "boot", ClockState.SYNCED, kind, access_point="front", **more)
