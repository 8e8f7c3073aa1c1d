"""How long from a change that is stored on the server until the edges go by it? Over a real mosquitto and TLS.

Eight edges, each a process of its own as each is a Pi of its own: real link, keeper, journal and controller, without
readers and pins. The floor is one hop there and back through a broker of its own.
"""

import gc
import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

from msgspec.structs import replace as changed

from edge.config import Config
from edge.events import Event, RulesSwapped
from edge.keys import Keys, private_key
from loquet.benches.bare_edge import BareEdge
from loquet.benches.disk import bench_folder
from loquet.benches.figure import Figures, figure
from loquet.benches.hop import PATIENCE, edge_broker, hops, server_broker
from loquet.keyring import SIGNING, Keyring
from loquet.proofs.mosquitto import Mosquitto, program
from policy.bundle import AccessPoint, Bundle, Readers
from server.db import Database
from server.exchange import Exchange
from server.importer import replace as store
from server.link import Link as ServerLink
from server.models import Credential
from server.models import Edge as EdgeRow
from server.schema import upgrade
from simulator.casaco import bundle as casaco
from simulator.world import config_of
from wire.topics import Topics

EDGES = tuple(f"door-{number}" for number in range(1, 9))
PROBE = "probe"
"""An edge that only sends back what it hears: the floor."""
CHANGES = 100


def figures() -> Figures:
    from loquet.main import CommandError

    try:
        program()
    except CommandError as error:
        print(f"change_to_edge: NOT MEASURED: {error}", file=sys.stderr, flush=True)
        return
    with bench_folder() as folder, ExitStack() as parts:
        site = _Site(folder, parts)
        with Mosquitto(site.keyring) as broker:
            hop = statistics.median(hops(site.keyring, broker.port, PROBE, (b"%d" % n for n in range(200))))
        latencies = sorted(site.changes(CHANGES))
    yield "change_to_edge", figure(statistics.median(latencies) * 1e3, "ms", hop * 1e3)
    yield "change_to_edge_p99", figure(latencies[int(len(latencies) * 0.99)] * 1e3, "ms", hop * 1e3)


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

    def changes(self, count: int) -> Iterator[float]:
        """Seconds from each commit until the rules are in force, for every edge."""
        database, exchange = self._server()
        _await_version(self.edges, exchange.publisher.current.version)
        gc.freeze()  # as `loquet server` does
        self.parts.callback(gc.unfreeze)
        for number in range(count):
            with database.transaction() as session:
                badge = session.get_one(Credential, self.bundle.credentials[number % 100].uid)
                badge.status = "lost" if badge.status == "active" else "active"
            stored = time.monotonic()
            exchange.site_changed()
            yield from (at - stored for at in _await_version(self.edges, exchange.publisher.current.version))

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
        return replace(config, keys=keys, broker=edge_broker(self.keyring, self.broker.port, name))

    def _server(self) -> tuple[Database, Exchange]:
        database = Database(f"sqlite:///{self.folder}/server.db")
        self.parts.callback(database.close)
        upgrade(database, lambda _: None)
        with database.transaction() as session:
            store(session, self.bundle)
            for name in EDGES:
                public = self.keyring.public_hex(name)
                session.add(EdgeRow(id=name, public_key=public, access_points=[name], readers={}))
        inbox: SimpleQueue[tuple[str, bytes] | None] = SimpleQueue()
        connected = threading.Event()
        broker = server_broker(self.keyring, self.broker.port)
        link = ServerLink(broker, self.topics, lambda t, p: inbox.put((t, p)), connected.set)
        exchange = Exchange(
            database,
            self.topics,
            self.keyring.server_key,
            self.keyring.credential_key,
            lambda: time.time_ns() // 1_000_000,
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
        self.parts.callback(inbox.put, None)
        self.parts.callback(link.stop)
        return database, exchange


def _take(inbox: "SimpleQueue[tuple[str, bytes] | None]", exchange: Exchange) -> None:
    while (message := inbox.get()) is not None:
        exchange.take(*message)


def _await_version(pipes: list[Connection], version: int) -> list[float]:
    """The monotonic second at which each edge went by these rules."""
    found = []
    for pipe in pipes:
        while True:
            if not pipe.poll(PATIENCE):
                raise TimeoutError(f"an edge does not get rules {version}")
            held, at = pipe.recv()
            if held >= version:
                found.append(at)
                break
    return found


def _serve(config: Config, parent: Connection) -> None:
    """One edge: says to the parent which rules are in force, and since when."""

    def told(event: Event) -> None:
        if isinstance(event, RulesSwapped):
            parent.send((event.version, time.monotonic()))

    edge = BareEdge(config, told)
    edge.start()
    while True:
        edge.turn()


def _bundle() -> Bundle:
    """The reference site, with a door for each edge."""
    site = casaco(date(2026, 11, 24))
    doors = tuple(AccessPoint(id=name, readers=Readers(in_=f"{name}-in", out=f"{name}-out")) for name in EDGES)
    every = tuple(changed(tier, access_points=tuple(EDGES)) for tier in site.tiers)
    return changed(site, access_points=doors, tiers=every, events=(), invitations=())
