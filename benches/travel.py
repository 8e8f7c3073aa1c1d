"""How long from a change that is stored on the server until the last edge goes by it? Over a real mosquitto and TLS.

Eight edges, each a process of its own as each is a Pi of its own: real link, storage worker, journal and controller,
without readers and pins. The floor is one hop there and back through a broker of its own.
"""

import logging
import multiprocessing
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace as changed
from sqlmodel import select

from benches.bare_edge import BareEdge
from benches.disk import bench_folder
from benches.figure import Figures, figure, p99
from benches.hop import PATIENCE, edge_broker, hops, server_broker
from edge.config import Config
from edge.events import Event, RulesSwapped, StateHeard
from edge.keys import Keys, private_key
from keys.keyring import SIGNING, Keyring
from policy.bundle import AccessPoint, Bundle, Readers
from policy.reasons import Reason
from policy.terms import DAY, HOUR, Instant
from proofs.mosquitto import Mosquitto, program
from server.audit import Decided
from server.changes.bookings import Booked, Wanted, book
from server.changes.bundle import import_bundle
from server.database.engine import Database
from server.database.schema import upgrade
from server.exchange import Exchange
from server.ingest.queue import MessageQueue
from server.link import Link as ServerLink
from server.main import tuned
from server.models import Credential
from server.models import Edge as EdgeRow
from simulator.demo.casaco import bundle as casaco
from simulator.world import config_of
from wire.topics import Topics

EDGES = tuple(f"door-{number}" for number in range(1, 9))
PROBE = "probe"
"""An edge that only sends back what it hears: the floor."""
CHANGES = 300
LOCKDOWNS = 100
"""Declared and lifted by turns."""
BADGES = 100
"""Which are blocked one after another, then given back, and so on."""


BOOKINGS = 100
AHEAD, BOOKED_FOR = 20 * DAY, HOUR
"""How far ahead the first is; how long each is."""


class Said(NamedTuple):
    """What an edge says of new rules. Monotonic seconds: they are in force, a tap is decided by them. reason: of it."""

    version: int
    in_force: float
    decided: float
    reason: Reason | None


class Heeded(NamedTuple):
    """What an edge says of a lockdown that was declared or lifted, and the monotonic second at which it was."""

    on: bool
    at: float


class Change(NamedTuple):
    """Seconds from the commit until each edge went by it, and until the last had decided a tap of that badge."""

    in_force: tuple[float, ...]
    decided: float
    blocked: bool


def figures() -> Figures:
    program()  # else nothing is measured
    with bench_folder() as folder:
        hop, changes, lockdowns, bookings = measured(folder, CHANGES, LOCKDOWNS, BOOKINGS)
    in_force = sorted(seconds for change in changes for seconds in change.in_force)
    last = sorted(max(change.in_force) for change in changes)
    blocked = sorted(change.decided for change in changes if change.blocked)
    yield "change_to_edge", figure(statistics.median(in_force) * 1e3, "ms", hop * 1e3)
    yield "change_to_edge_p99", figure(p99(in_force) * 1e3, "ms", hop * 1e3)
    yield "change_to_last_p99", figure(p99(last) * 1e3, "ms", hop * 1e3)
    yield "blocked_badge_p99", figure(p99(blocked) * 1e3, "ms", hop * 1e3)
    yield "booking_to_edge_p99", figure(p99(bookings) * 1e3, "ms", hop * 1e3)
    yield "lockdown_p99", figure(p99(lockdowns) * 1e3, "ms", hop * 1e3)


def measured(
    folder: Path, changes: int, lockdowns: int, bookings: int
) -> tuple[float, list[Change], list[float], list[float]]:
    """Seconds: of a hop there and back; of so many changes; of so many lockdowns and bookings, in rising order."""
    with ExitStack() as parts:
        site = _Site(folder, parts)
        with Mosquitto(site.keyring) as broker:
            hop = statistics.median(hops(site.keyring, broker.port, PROBE, (b"%d" % n for n in range(200))))
        database, exchange = site.serve()
        made = list(site.changes(database, exchange, changes))
        booked = sorted(site.bookings(database, exchange, bookings))
        return hop, made, sorted(site.lockdowns(exchange, lockdowns)), booked


class _Site:
    """Broker, server and edges of one site; ended with `parts`."""

    def __init__(self, folder: Path, parts: ExitStack) -> None:
        self.folder, self.parts = folder, parts
        self.bundle = _bundle()
        self.keyring = Keyring.ensure(folder / "keys", self.bundle.site.id, *EDGES, PROBE)
        self.broker = parts.enter_context(Mosquitto(self.keyring))
        self.topics = Topics(self.bundle.site.id)
        self.edges = [self._edge(name) for name in EDGES]
        """Started first: a process that has threads is not to be forked."""

    def serve(self) -> tuple[Database, Exchange]:
        """Start the server, until every edge goes by its rules."""
        self._show(self.bundle.credentials[0].uid)
        database, exchange = self._server()
        self._await(exchange.publisher.current.version, blocked=False)
        self.parts.enter_context(tuned())
        return database, exchange

    def changes(self, database: Database, exchange: Exchange, count: int) -> Iterator[Change]:
        """Block a badge, or give it back, again and again. Raises AssertionError for an edge that does not go by it."""
        for number in range(count):
            uid = self.bundle.credentials[number % BADGES].uid
            self._show(uid)
            with database.transaction() as session:
                badge = session.exec(select(Credential).where(Credential.uid == uid)).one()
                badge.status = "lost" if badge.status == "active" else "active"
                blocked = badge.status == "lost"
            stored = time.monotonic()
            exchange.site_changed()
            said = self._await(exchange.publisher.current.version, blocked)
            in_force = tuple(one.in_force - stored for one in said)
            yield Change(in_force, max(one.decided for one in said) - stored, blocked)

    def bookings(self, database: Database, exchange: Exchange, count: int) -> Iterator[float]:
        """Book a machine again and again: seconds from the commit until each edge went by it, for each edge.

        All edges get the same rules, so a machine's edge has them as these have.
        """
        machine, member = self.bundle.machines[0].id, self.bundle.members[0].id
        badge = next(one for one in self.bundle.credentials[BADGES:] if one.status == "active")
        first = _now() // BOOKED_FOR * BOOKED_FOR + AHEAD
        for number in range(count):
            self._show(badge.uid)
            start = first + number * BOOKED_FOR
            with database.transaction() as session:
                wanted = Wanted((machine,), member, start, start + BOOKED_FOR)
                made = book(session, Decided("bench", _now()), wanted, by_rules=False)
            if not isinstance(made, Booked):
                raise AssertionError(f"booking {number} of the bench was not made: {made}")
            stored = time.monotonic()
            exchange.site_changed()
            for said in self._await(exchange.publisher.current.version, blocked=False):
                yield said.in_force - stored

    def lockdowns(self, exchange: Exchange, count: int) -> Iterator[float]:
        """Declare a lockdown, or lift it: seconds from the order until the last edge heeds it."""
        logging.disable(logging.WARNING)  # each is said
        try:
            for number in range(count):
                on, ordered = number % 2 == 0, time.monotonic()
                exchange.lock_down(on, "bench")
                yield max(self._heeded(pipe, on) for pipe in self.edges) - ordered
        finally:
            logging.disable(logging.NOTSET)

    def _heeded(self, pipe: Connection, on: bool) -> float:
        if not pipe.poll(PATIENCE):
            raise TimeoutError(f"an edge does not hear of the lockdown: {on=}")
        heeded: Heeded = pipe.recv()
        if heeded.on is not on:
            raise AssertionError(f"an edge heeds a lockdown that is not: {on=}")
        return heeded.at

    def _show(self, uid: str) -> None:
        """Which badge every edge is to try with its next rules."""
        for pipe in self.edges:
            pipe.send(bytes.fromhex(uid))

    def _await(self, version: int, blocked: bool) -> list[Said]:
        """What each edge says once it goes by these rules."""
        found = [self._said(pipe, version) for pipe in self.edges]
        if any((said.reason is Reason.CREDENTIAL_BLOCKED) is not blocked for said in found):
            raise AssertionError(f"rules {version}: {blocked=}, and the edges decide {[said.reason for said in found]}")
        return found

    def _said(self, pipe: Connection, version: int) -> Said:
        if not pipe.poll(PATIENCE):
            raise TimeoutError(f"an edge does not get rules {version}")
        said: Said = pipe.recv()
        if said.version != version:
            raise AssertionError(f"an edge goes by rules {said.version}, not {version}")
        return said

    def _edge(self, name: str) -> Connection:
        ours, theirs = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(
            target=_serve, args=(self._config(name), theirs), daemon=True
        )
        child.start()
        self.parts.callback(child.join)
        self.parts.callback(child.kill)
        return ours

    def _config(self, name: str) -> Config:
        point = next(point for point in self.bundle.access_points if point.id == name)
        own, server = private_key(self.keyring.edge(name) / SIGNING), self.keyring.server_key
        config = config_of(name, point, self.bundle, self.folder, own, server)
        keys = Keys(own, server.public_key(), self.keyring.credential_key)
        return replace(config, keys=keys, broker=edge_broker(self.keyring.edge(name), self.broker.port, name))

    def _server(self) -> tuple[Database, Exchange]:
        database = Database(f"sqlite:///{self.folder}/server.db")
        self.parts.callback(database.close)
        upgrade(database, lambda _: None)
        with database.transaction() as session:
            import_bundle(session, self.bundle, Decided("bench", 0))
            for name in EDGES:
                public = self.keyring.public_hex(name)
                session.add(EdgeRow(id=name, public_key=public, access_points=[name], readers={}))
        inbox = MessageQueue()
        connected = threading.Event()
        broker = server_broker(self.keyring, self.broker.port)

        def received(topic: str, payload: bytes) -> None:
            inbox.put(self.topics.edge_of(topic)[0], (topic, payload))

        link = ServerLink(broker, self.topics, received, connected.set)
        exchange = Exchange(
            database,
            self.topics,
            self.keyring.server_key,
            self.keyring.credential_key,
            _now,
            retain=link.retain,
            send=link.send,
        )
        exchange.start()
        link.start()
        if not connected.wait(PATIENCE):
            raise TimeoutError("the bench's server does not reach its broker")
        exchange.connected()
        thread = threading.Thread(target=_take, args=(inbox, exchange), daemon=True)
        thread.start()
        self.parts.callback(thread.join)
        self.parts.callback(inbox.close)
        self.parts.callback(link.stop)
        return database, exchange


def _now() -> Instant:
    return time.time_ns() // 1_000_000


def _take(inbox: MessageQueue, exchange: Exchange) -> None:
    while messages := inbox.next_batch():
        exchange.take_all(messages)


def _serve(config: Config, parent: Connection) -> None:
    """One edge: with new rules it tries the badge that its parent named, and says what came of it; and of lockdowns."""
    locked = False

    def told(event: Event) -> None:
        nonlocal locked
        if isinstance(event, StateHeard) and event.snapshot.lockdown is not locked:
            locked = event.snapshot.lockdown
            parent.send(Heeded(locked, time.monotonic()))
        if isinstance(event, RulesSwapped):
            in_force = time.monotonic()
            row = edge.lay(next(iter(config.readers)), parent.recv())
            parent.send(Said(event.held.version, in_force, time.monotonic(), row.reason))

    edge = BareEdge(config, told)
    edge.start()
    while True:
        edge.turn()


def _bundle() -> Bundle:
    """The reference site, with a door for each edge; nothing is booked yet."""
    site = casaco(date(2026, 11, 24))
    doors = tuple(AccessPoint(id=name, readers=Readers(in_=f"{name}-in", out=f"{name}-out")) for name in EDGES)
    every = tuple(changed(tier, access_points=tuple(EDGES)) for tier in site.tiers)
    return changed(site, access_points=doors, tiers=every, events=(), invitations=(), bookings=())
