"""A whole site in one thread and one virtual time, jumping from deadline to deadline.

Controllers, journals, messages and ingest are the real ones. The reader port itself is simulated; the network hands
every message over at once, in order.
"""

from collections import deque
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.config import BrokerConfig, Config, ReaderConfig
from edge.door import DoorSetup
from edge.hardware.lines import InputSpec, OutputSpec
from edge.keys import Keys
from edge.observer import Nobody
from edge.runtime import Edge
from edge.work_items import LinkDown, LinkUp, Received, WorkItem
from policy.bundle import AccessPoint, Bundle
from policy.terms import Instant
from server.audit import Decided
from server.changes.bundle import import_bundle
from server.database.engine import Database
from server.database.schema import upgrade
from server.exchange import Exchange
from server.models import Edge as EdgeRow
from server.publish.rules import Publisher
from server.web.context import Context
from server.web.live import Live
from simulator.clock import VirtualClock
from simulator.pins import SimulatedPins
from simulator.reader import SimulatedReader
from wire.topics import Topics

ROUND = 0.01
"""Seconds between two looks of an edge at its readers and inputs."""
ROUNDS_TO_NOTICE = 4
"""An input is believed when it has been the same for three rounds."""
SERVER_LOOKS = 60.0
"""Seconds between two looks of the server at its clock."""

CREDENTIAL_KEY = bytes(range(32))
BROKER = BrokerConfig("127.0.0.1", 1883, "world", "no broker is asked")


class World:
    """One site. folder: for the files of server and edges. All edges' access points have a strike and a contact.

    watch: called with (edge, output, active, instant) whenever an edge drives one; may be set at any time.
    """

    def __init__(
        self,
        bundle: Bundle,
        folder: Path,
        start: Instant,
        edges: dict[str, str],
    ) -> None:
        """edges: the access point of each edge."""
        self.watch: Callable[[str, str, bool, Instant], object] = lambda edge, name, active, at: None
        self.clock = VirtualClock(start, wake_ns=0)
        self.topics = Topics(bundle.site.id)
        self._key = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
        self._retained: dict[str, bytes] = {}
        self._under_way: deque[tuple[str, bytes]] = deque()
        own = {name: Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n, name in enumerate(edges, 1)}
        self.server = _Server(self, bundle, folder, {name: (own[name], place) for name, place in edges.items()})
        points = {point.id: point for point in bundle.access_points}
        self.edges = {
            name: VirtualEdge(self, config_of(name, points[place], bundle, folder, own[name], self._key))
            for name, place in edges.items()
        }
        self._server_due = 0.0
        for virtual in self.edges.values():
            virtual.connect()
        self.settle()

    def run_until(self, at: Instant, due: Callable[[], Instant | None], step: Callable[[Instant], None]) -> None:
        """Let time pass until the instant, with people who want a `step` whenever `due` says so."""
        while True:
            people = due()
            moments = [self._deadline(), at if people is None else min(at, people)]
            self._jump(min(moments))
            if self.clock.now() >= at:
                return
            if people is not None and self.clock.now() >= people:
                step(self.clock.now())
                self.settle()
            else:
                self._turn()

    def close(self) -> None:
        """The world ends: let go of its disks."""
        self.server.database.close()
        for virtual in self.edges.values():
            virtual.edge.storage.writer.close()

    def settle(self) -> None:
        """Let everything that has happened be noticed, recorded and told."""
        for _ in range(ROUNDS_TO_NOTICE):
            self._turn()
            self.clock.advance(round(ROUND * 1e9))

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """The network takes a message."""
        if retain:
            self._retained[topic] = payload
        self._under_way.append((topic, payload))

    def retained(self) -> dict[str, bytes]:
        """What a subscriber gets when it connects."""
        return dict(self._retained)

    @property
    def server_key(self) -> Ed25519PrivateKey:
        return self._key

    def _turn(self) -> None:
        self._server_time()
        for virtual in self.edges.values():
            virtual.edge.turn()
        while self._under_way:
            self._deliver(*self._under_way.popleft())
            for virtual in self.edges.values():
                virtual.edge.turn()

    def _deliver(self, topic: str, payload: bytes) -> None:
        self.server.take(topic, payload)
        for virtual in self.edges.values():
            virtual.hear(topic, payload)

    def _server_time(self) -> None:
        if self.clock.monotonic() >= self._server_due:
            self._server_due = self.clock.monotonic() + SERVER_LOOKS
            self.server.exchange.tick()

    def _deadline(self) -> Instant:
        """The instant at which an edge or the server has something to do."""
        due = min([self._server_due, *(virtual.edge.deadline for virtual in self.edges.values())])
        ahead = max(due - self.clock.monotonic(), 0.0)
        return self.clock.now() + round(ahead * 1000) + 1

    def _jump(self, at: Instant) -> None:
        self.clock.advance(max(0, at - self.clock.now()) * 1_000_000)


class VirtualEdge(Nobody):
    """An edge with simulated readers and pins, and its observer."""

    def __init__(self, world: World, config: Config) -> None:
        self.config = config
        self._world = world
        self.readers = {name: SimulatedReader(name, world.clock) for name in config.readers}
        self.pins = SimulatedPins(config.outputs, config.inputs, world.clock)
        self.edge = Edge(
            config,
            clock=world.clock,
            readers=list(self.readers.values()),
            pins=self.pins,
            observer=self,
            link=self._link,
            boot="world",
        )

    def output(self, name: str, active: bool) -> None:
        """As observer of the edge."""
        self._world.watch(self.config.edge, name, active, self._world.clock.now())

    def connect(self) -> None:
        """The link comes up: what the broker keeps arrives."""
        self._put(LinkUp())
        for topic, payload in self._world.retained().items():
            self.hear(topic, payload)

    def hear(self, topic: str, payload: bytes) -> None:
        """A message arrives, if this edge has subscribed to it."""
        if self.edge.storage.verifier.reads(topic):
            self._put(Received(topic, payload))

    def _link(self, put: Callable[[WorkItem], None]) -> "VirtualEdge":
        self._put = put
        return self

    # The Connection of edge/runtime.py

    def start(self) -> None: ...

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self._world.publish(topic, payload, retain)

    def reconnect(self, why: str) -> None:
        self._put(LinkDown(why))
        self.connect()

    def stop(self, farewell: tuple[str, bytes] | None = None) -> None: ...


class _Server:
    """The server without web and broker: what it stores, compiles and publishes."""

    def __init__(
        self, world: World, bundle: Bundle, folder: Path, edges: dict[str, tuple[Ed25519PrivateKey, str]]
    ) -> None:
        self._world = world
        self.database = Database(f"sqlite:///{folder / 'server.db'}")
        upgrade(self.database, lambda _: None)
        with self.database.transaction() as session:
            import_bundle(session, bundle, Decided("scenario", 0))
            for name, (key, place) in edges.items():
                public = key.public_key().public_bytes_raw().hex()
                session.add(EdgeRow(id=name, public_key=public, access_points=[place], readers={}))
        self.live = Live()
        self.exchange = Exchange(
            self.database,
            world.topics,
            world.server_key,
            CREDENTIAL_KEY,
            world.clock.now,
            retain=lambda topic, payload: world.publish(topic, payload, retain=True),
            send=self._send,
            changed=self.live.changed,
        )
        self.exchange.start()

    def _send(self, topic: str, payload: bytes) -> bool:
        self._world.publish(topic, payload)
        return True

    def take(self, topic: str, payload: bytes) -> None:
        ours = f"loquet/{self._world.topics.site}/edge/"
        if topic.startswith(ours) and topic.endswith(("/events", "/status", "/reply")):
            self.exchange.take(topic, payload)

    @property
    def publisher(self) -> Publisher:
        return self.exchange.publisher

    def context(self) -> Context:
        """What the pages may ask."""
        return Context(
            database=self.database,
            clock=self._world.clock.now,
            current=lambda: self.publisher.current,
            troubles=self.exchange.troubles,
            live=self.live,
            link_up=lambda: True,
            site_changed=self.exchange.site_changed,
            orders=self.exchange.orders,
            enrolments=self.exchange.enrolments,
            presence_changed=self.exchange.presence_changed,
            lock_down=self.exchange.lock_down,
        )


def config_of(
    name: str,
    point: AccessPoint,
    bundle: Bundle,
    folder: Path,
    own: Ed25519PrivateKey,
    server: Ed25519PrivateKey,
) -> Config:
    """The edge.toml of an edge at an access point with strike, lamps, contact, REX and fire panel."""
    readers = [point.readers.in_] + ([point.readers.out] if point.readers.out else [])
    lamps = [f"{reader}.{light}" for reader in readers for light in ("green", "red", "buzzer")]
    return Config(
        file=folder / f"{name}.toml",
        site=bundle.site.id,
        edge=name,
        keys=Keys(own, server.public_key(), CREDENTIAL_KEY),
        broker=BROKER,
        journal=folder / f"{name}.db",
        readers={reader: ReaderConfig(0, device) for device, reader in enumerate(readers)},
        spi_hz=10_000_000,
        places=(DoorSetup(point.id, point.readers.in_, point.readers.out),),
        outputs=tuple(OutputSpec(output, line) for line, output in enumerate(["strike", *lamps], 12)),
        inputs=tuple(InputSpec(sensor, line) for line, sensor in enumerate(("contact", "rex", "fire"), 4)),
    )
