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

from loquet.benches.disk import bench_folder
from loquet.benches.figure import Figures, figure
from loquet.proofs.attacked import KEYS, bundle
from policy.instants import text
from policy.reasons import Reason
from policy.terms import SECOND, ClockState, Instant
from server.db import Database
from server.importer import replace
from server.ingest import Ingest, Message
from server.models import Edge as EdgeRow
from server.models import JournalRow
from server.schema import upgrade
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
        ours = taken(folder / "many.db", EDGES)
        bare = inserted(folder / "many.db", folder / "bare.db")
        backlog = taken(folder / "one.db", EDGES[:1])
    yield "ingest_row", figure(ours / ROWS * 1e6, "µs", bare / ROWS * 1e6)
    yield "ingest_backlog", figure(backlog, "s", bare)


def taken(path: Path, edges: Sequence[str]) -> float:
    """Seconds for all rows, in signed messages of as many as travel in one; one of each edge waits at a time."""
    messages = [_messages(edge, ROWS // len(edges)) for edge in edges]
    with closing(Database(f"sqlite:///{path}")) as database:
        upgrade(database, lambda _: None)
        with database.transaction() as session:
            replace(session, bundle())
            public = KEY.public_key().public_bytes_raw().hex()
            session.add_all(EdgeRow(id=edge, public_key=public, access_points=["front"], readers={}) for edge in edges)
        ingest = Ingest(database, TOPICS, lambda: BEGIN + ROWS * EVERY, Troubles(), lambda: None)
        started = time.perf_counter()
        for waiting in zip(*messages, strict=True):
            ingest.take_all(waiting)
        seconds = time.perf_counter() - started
        with database.transaction() as session:
            held = session.exec(select(func.max(JournalRow.seq), func.count())).one()
    if tuple(held) != (ROWS // len(edges), ROWS):
        raise AssertionError(f"the server holds {held[1]} rows up to {held[0]}, not {ROWS}: the figure would be false")
    return seconds


def _messages(edge: str, count: int) -> Iterator[Message]:
    """Made before they are timed."""
    rows = [Raw(wire_row.encode(row)) for row in backlog(count)]
    topic = TOPICS.events(edge)
    parts = [Events("j", tuple(rows[first : first + MAX_ROWS])) for first in range(0, count, MAX_ROWS)]
    return iter([(topic, seal(KEY, edge, topic, encode(part))) for part in parts])


def inserted(filled: Path, empty: Path) -> float:
    """Seconds for the same records put into the same table by SQLite alone, synced in full."""
    with closing(sqlite3.connect(filled)) as ours:
        columns = [name for _, name, *_ in ours.execute("PRAGMA table_info(journal_row)")][1:]
        quoted = ", ".join(f'"{name}"' for name in columns)
        records = ours.execute(f"SELECT {quoted} FROM journal_row ORDER BY id").fetchall()  # noqa: S608 - our own columns
        tables = [
            sql for (sql,) in ours.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'journal_row' AND sql <> ''")
        ]
    marks = ", ".join("?" for _ in columns)
    with closing(sqlite3.connect(empty, isolation_level=None)) as bare:
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        for sql in tables:
            bare.execute(sql)
        started = time.perf_counter()
        for first in range(0, len(records), BATCH):
            bare.execute("BEGIN IMMEDIATE")
            into = f"INSERT INTO journal_row ({quoted}) VALUES ({marks})"  # noqa: S608 - our own columns
            bare.executemany(into, records[first : first + BATCH])
            bare.execute("COMMIT")
        return time.perf_counter() - started


def backlog(count: int, begin: Instant = BEGIN) -> list[Row]:
    """What a door writes: somebody comes in, the door opens and shuts, somebody leaves; now and then a refusal."""
    luck = Random(1)
    rows: list[Row] = []
    for seq in range(1, count + 1):
        rows.append(_row(seq, begin + seq * EVERY, luck, rows[-1] if rows else None))
    return rows


def _row(seq: int, at: Instant, luck: Random, before: Row | None) -> Row:
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
        more |= {"pays": text(at // (12 * 3600 * SECOND) * 12 * 3600 * SECOND)}
    return Row(seq, text(at), seq, "boot", ClockState.SYNCED, kind, access_point="front", **more)
