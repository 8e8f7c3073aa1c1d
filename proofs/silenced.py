"""Who is to be silenced? The front door's edge and the server in one process and virtual time; a broker has a limit.

Two more edges have keys, `garage` at a door and `lab` at a machine: one of them is stolen. Time passes in ticks: in
each the server stores what came, as its thread does, and the edge has a turn; but what it hears of others it writes to
a slow card, and while it does so it has no turn.
"""

from collections.abc import Iterable
from itertools import count
from pathlib import Path
from shutil import copy

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct
from msgspec.structs import replace
from sqlmodel import col, delete, update

from console.errors import CommandError
from edge.journal import Told
from edge.runtime import Edge
from edge.work_items import LinkUp, Received, WorkItem
from policy.bundle import Bundle, Machine
from policy.facts import Fact
from policy.state import SiteState
from policy.terms import SECOND, Instant
from proofs.attacked import KEYS, SERVER_KEY, UIDS, bundle
from proofs.folders import passing_folder
from server.audit import Decided
from server.changes.bundle import import_bundle
from server.changes.revoked import forget
from server.database.engine import Database
from server.database.schema import upgrade
from server.exchange import Exchange
from server.ingest.queue import MessageQueue
from server.models import Credential
from server.models import Edge as EdgeRow
from server.publish.rules import SERVER
from simulator.clock import WORKING_TUESDAY, VirtualClock
from simulator.pins import SimulatedPins
from simulator.reader import SimulatedReader
from simulator.world import CREDENTIAL_KEY, config_of
from wire.envelope import seal, unseal
from wire.messages import State, decode, encode
from wire.snapshot import unpack
from wire.topics import Topics

TICK: Instant = SECOND // 20
CARD: Instant = 30
"""ms that a slow card takes to write what one message of another edge said."""
LAB = Ed25519PrivateKey.from_private_bytes(bytes([3] * 32))
THIEVES = {"garage": KEYS["garage"], "lab": LAB}
PLACES = {"front": "front", "garage": "garage", "lab": "laser"}


def site() -> Bundle:
    """That of the other attacks, and a laser."""
    return replace(bundle(), machines=(Machine(id="laser", kind="laser", reader="laser-tap"),))


class Template:
    """A server's database that holds the site, made once for copies. Close it."""

    def __init__(self) -> None:
        self._folder = passing_folder("silence")
        self.folder = Path(self._folder.name)
        self.file = self.folder / "template.db"
        database = Database(f"sqlite:///{self.file}")
        upgrade(database, lambda _: None)
        keys = {**KEYS, "lab": LAB}
        with database.transaction() as session:
            import_bundle(session, site(), Decided("proof", 0))
            for name, place in PLACES.items():
                public = keys[name].public_key().public_bytes_raw().hex()
                session.add(EdgeRow(id=name, public_key=public, access_points=[place], readers={}))
        database.close()
        self._numbers = count()

    def copied(self) -> Path:
        """A folder of its own with the database in it."""
        folder = self.folder / str(next(self._numbers))
        folder.mkdir()
        copy(self.file, folder / "server.db")
        return folder

    def close(self) -> None:
        self._folder.cleanup()


class Silenced:
    """The site. Close it.

    largest: bytes that its broker passes on. cut_off: what the server said beyond that. waits: messages for the server.
    """

    def __init__(self, folder: Path, largest: int) -> None:
        self.clock = VirtualClock(WORKING_TUESDAY, wake_ns=0)
        self.topics = Topics("casaco")
        self.largest = largest
        self.cut_off: str | None = None
        self.retained: dict[str, bytes] = {}
        self._sent: list[tuple[str, bytes]] = []
        self._inbox = MessageQueue()
        self.waits = 0
        self._busy_until = self.clock.now()
        self.database = Database(f"sqlite:///{folder / 'server.db'}")
        self.exchange = Exchange(
            self.database,
            self.topics,
            SERVER_KEY,
            CREDENTIAL_KEY,
            self.clock.now,
            retain=self._retain,
            send=self._send,
            largest=largest,
        )
        self.exchange.start()
        config = config_of("front", bundle().access_points[0], bundle(), folder, KEYS["front"], SERVER_KEY)
        self.readers = {name: SimulatedReader(name, self.clock) for name in config.readers}
        pins = SimulatedPins(config.outputs, config.inputs, self.clock)
        self.edge = Edge(
            config,
            clock=self.clock,
            readers=list(self.readers.values()),
            pins=pins,
            link=self._joined,
            boot="silenced",
        )
        journal = self.edge.storage.writer.journal
        if journal is None:
            raise CommandError("silence: the edge has no journal: see the disk")
        self.journal = journal
        self._write_slowly()
        self._put(LinkUp())
        for topic, payload in list(self.retained.items()):
            self._deliver(topic, payload)

    def say(self, edge: str, leaf: str, message: Struct | bytes) -> None:
        """An edge with a stolen key says something, well signed, to whoever listens: bytes are said as they are."""
        topic = f"loquet/{self.topics.site}/edge/{edge}/{leaf}"
        body = message if isinstance(message, bytes) else encode(message)
        self._publish(topic, seal(THIEVES[edge], edge, topic, body))

    def tick(self) -> None:
        """The server stores one message of each edge and says what is due; the edge has a turn, unless it writes."""
        self.clock.advance(TICK * 1_000_000)
        if self.waits:
            taken = self._inbox.next_batch()
            self.waits -= len(taken)
            self.exchange.take_all(taken)
        self.exchange.tick()
        if self.clock.now() >= self._busy_until:
            self.edge.turn()
        sent, self._sent = self._sent, []
        for topic, payload in sent:
            self._publish(topic, payload)

    def tap(self, who: str) -> None:
        """Somebody lays their badge on the reader outside and takes it away."""
        uid = bytes.fromhex(UIDS[who])
        self.readers["front-in"].lay(uid)
        self.tick()
        self.readers["front-in"].take(uid)

    def block(self, who: str) -> None:
        """Staff block a badge."""
        with self.database.transaction() as session:
            session.exec(update(Credential).where(col(Credential.member) == who).values(status="lost"))
        self.exchange.site_changed()

    def revoke(self, edge: str, since: Instant) -> None:
        """What a start of the server does without the edge, stolen since then. The broker still lets it speak."""
        with self.database.transaction() as session:
            session.exec(delete(EdgeRow).where(col(EdgeRow.id) == edge))
            forget(session, edge, since)
        self.exchange.site_changed()
        self.exchange.state.publish()

    @property
    def state(self) -> SiteState:
        """The site as the front door knows it."""
        return self.edge.control.controller.core.state

    @property
    def told(self) -> tuple[Fact, ...]:
        """The facts of the state that edges get."""
        topic = self.topics.state
        body = unseal(SERVER_KEY.public_key(), SERVER, topic, self.retained[topic])
        return unpack(decode(State, body, topic).body).facts

    def close(self) -> None:
        self.edge.stop()
        self.database.close()

    def _write_slowly(self) -> None:
        quickly = self.journal.hear

        def slowly(batch: Iterable[Told]) -> list[int]:
            self._busy_until = max(self._busy_until, self.clock.now()) + CARD
            return quickly(batch)

        self.journal.hear = slowly  # type: ignore[method-assign]

    def _joined(self, put: object) -> "Silenced":
        self._put_item = put
        return self

    def _put(self, item: WorkItem) -> None:
        self._put_item(item)  # type: ignore[operator]

    def _deliver(self, topic: str, payload: bytes) -> None:
        if self.edge.storage.verifier.reads(topic):
            self._put(Received(topic, payload))

    def _publish(self, topic: str, payload: bytes) -> None:
        """The broker passes on what an edge said."""
        edge, leaf = self.topics.edge_of(topic)
        if leaf == "facts":
            self._deliver(topic, payload)
        elif not self._inbox.put(edge, (topic, payload)):
            self.waits += 1

    def _retain(self, topic: str, payload: bytes) -> None:
        if len(payload) > self.largest:
            self.cut_off = f"{topic}: {len(payload)} bytes, the broker passes on {self.largest}"
            return
        self.retained[topic] = payload
        if hasattr(self, "edge"):
            self._deliver(topic, payload)

    def _send(self, topic: str, payload: bytes) -> bool:
        self._deliver(topic, payload)
        return True

    # The Connection of edge/runtime.py

    def start(self) -> None: ...

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:  # noqa: ARG002
        self._sent.append((topic, payload))

    def reconnect(self, why: str) -> None: ...

    def stop(self, farewell: tuple[str, bytes] | None = None) -> None: ...
