"""How long does an edge take to tell what it kept while it was cut off? To a server process, over mosquitto and TLS.

The edge has its real journal, outbox, storage worker and link. The clock runs from the moment when its link is up until
it holds the acknowledgement of its last row. The floor does the same without us: the same messages through a broker of
their own, each answered before the next leaves, and the same records put into the same table by SQLite alone.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benches.bare_edge import BareEdge
from benches.disk import bench_folder
from benches.figure import Figures, figure
from benches.hop import await_rules, hops
from benches.ingest import EVERY, ROWS, Bare, backlog
from edge.config import Config, load
from edge.events import Event, LinkChanged
from edge.journal import Journal
from edge.outbox import message
from keys.keyring import Keyring
from proofs.killed import EDGE, Killed, Part
from proofs.mosquitto import Mosquitto, program
from wire.envelope import seal
from wire.messages import MAX_ROWS, encode
from wire.topics import Topics

LONGEST = 600.0
"""Seconds after which it is given up."""


def figures() -> Figures:
    program()  # else nothing is measured
    with bench_folder() as folder:
        site = folder / "site"
        ours = drained(site, ROWS)
        with closing(Bare(site / "server.db")) as bare:
            yield "drain", figure(ours, "s", carried(site) + bare.insert(1))


def drained(folder: Path, rows: int) -> float:
    """Seconds for so many rows, in a new site in `folder`. Raises AssertionError when the server has others."""
    site = Killed(folder, lambda event: None)
    try:
        config = load(folder / "edge.toml")
        with closing(Journal(config.journal)) as journal:
            journal.append(backlog(rows, time.time_ns() // 1_000_000 - rows * EVERY))
        for part in (Part.BROKER, Part.SERVER):
            site.start(part)
        seconds = _sent(config, rows)
    finally:
        for part in Part:
            site.kill(part)
    with closing(sqlite3.connect(folder / "server.db")) as stored:
        held = stored.execute("SELECT max(seq), count(*) FROM journal_row WHERE edge = ?", (EDGE,)).fetchone()
    if held != (rows, rows):
        raise AssertionError(f"the server holds {held[1]} rows up to {held[0]}, not {rows}: the figure would be false")
    return seconds


def carried(folder: Path) -> float:
    """Seconds for the same messages through a broker, each answered before the next leaves."""
    keyring = Keyring.open(folder / "keys")
    with Mosquitto(keyring) as broker:
        return sum(hops(keyring, broker.port, EDGE, _messages(load(folder / "edge.toml"))))


def _sent(config: Config, rows: int) -> float:
    """Seconds from the link until the last acknowledgement."""
    up: list[float] = []

    def told(event: Event) -> None:
        if isinstance(event, LinkChanged) and event.up:
            up.append(time.monotonic())

    edge = BareEdge(config, told)
    await_rules(config)
    edge.start()
    try:
        end = time.monotonic() + LONGEST
        while (journal := edge.storage.writer.journal) is None or journal.acknowledged < rows:
            edge.turn()
            if time.monotonic() > end:
                raise TimeoutError(f"{rows} rows are not acknowledged within {LONGEST:.0f} s")
        return time.monotonic() - up[0]
    finally:
        edge.stop()


def _messages(config: Config) -> Iterator[bytes]:
    """As the edge sends them."""
    topic, last = Topics(config.site).events(EDGE), 0
    with closing(Journal(config.journal)) as journal:
        while rows := journal.after(last, MAX_ROWS):
            events, last = message(journal.id, rows)
            yield seal(config.keys.own, EDGE, topic, encode(events))
