"""What is attacked? A site of two doors in one process and virtual time: the front door's edge, and the server."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace as replace_parts

from edge.config import Config
from edge.runtime import Edge
from edge.work_items import LinkUp, Received, WorkItem
from policy.bundle import AccessPoint, Bundle, Credential, Member, Pass, Readers, Role, Shift, Site, Tier
from policy.ruleset import Ground, Unit
from proofs.folders import passing_folder
from server.audit import Decided
from server.changes.bundle import import_bundle
from server.database.engine import Database
from server.database.schema import upgrade
from server.ingest.messages import Answered, Ingest, News, Owed
from server.ingest.status import StatusTaken
from server.models import Edge as EdgeRow
from server.publish.orders import Orders
from server.publish.rules import Publisher
from server.publish.state import StatePublisher
from server.troubles import Troubles
from simulator.clock import WORKING_TUESDAY, VirtualClock
from simulator.pins import SimulatedPins
from simulator.reader import SimulatedReader
from simulator.world import CREDENTIAL_KEY, config_of
from wire.envelope import unseal
from wire.messages import Reply, decode
from wire.topics import Topics

SERVER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
KEYS: Mapping[str, Ed25519PrivateKey] = MappingProxyType(
    {name: Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n, name in enumerate(("front", "garage"), 1)}
)
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([99] * 32))
UIDS = {"alice": "04A1B2C3D4E5F6", "gregoire": "5EA1C0DE", "remy": "04C0FFEE001122", "zoe": "0BADCAFE"}

CROWD = 400
"""Badges for each reader: one that is soon back is the same tap, and one that was outside is no tap inside."""


def crowd(reader: str) -> dict[str, str]:
    """The badges, and whose each is, that are laid on this reader of the front door and on no other."""
    people, side = tuple(UIDS), ("front-in", "front-out").index(reader)
    return {f"04{side:02X}{number:010X}": people[number % len(people)] for number in range(CROWD)}


def crowded() -> Bundle:
    """The site of `bundle`, whose members have all those badges, too."""
    site = bundle()
    more = {**crowd("front-in"), **crowd("front-out")}
    return replace_parts(
        site, credentials=site.credentials + tuple(Credential(uid=uid, member=who) for uid, who in more.items())
    )


def bundle() -> Bundle:
    """Four members, two doors, a shift, a carnet. Nothing in it unlocks a door by itself."""
    open_ = (Ground.STAFFED, Ground.HELD)
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), (("09:00", "18:00"),))
    return Bundle(
        format="loquet.bundle/1",
        site=Site(id="casaco", name="Casaco", timezone="Europe/Paris", holidays="FR", capacity=100, staff_hours=week),  # type: ignore[arg-type]
        access_points=(
            AccessPoint(id="front", readers=Readers(in_="front-in", out="front-out")),
            AccessPoint(id="garage", readers=Readers(in_="garage-in")),
        ),
        tiers=(
            Tier(id="team", grounds=(Ground.ALWAYS,)),
            Tier(id="nomad", grounds=open_),
            Tier(id="carnet", grounds=open_, pass_=Unit.HALF_DAY.value),
        ),
        members=(
            Member(id="alice", name="Alice Étienne", tier="team", roles=(Role.STAFF,)),
            Member(id="gregoire", name="Grégoire Vasseur", tier="nomad", roles=(Role.GARDIEN,)),
            Member(id="remy", name="Rémy Quentin", tier="nomad"),
            Member(id="zoe", name="Zoé Wibaux", tier="carnet"),
        ),
        credentials=tuple(Credential(uid=uid, member=who) for who, uid in UIDS.items()),
        passes=(Pass(id="c1", member="zoe", unit="half_day", total=15),),
        shifts=(Shift(id="s1", gardien="gregoire", start="2026-03-03T18:00", end="2026-03-03T22:00"),),
    )


class Attacked:
    """The edge behind the door `front`, and the server; `retained` is what the server has published. Close it."""

    def __init__(self) -> None:
        self._folder = passing_folder("attacked")
        self.clock = VirtualClock(WORKING_TUESDAY, wake_ns=0)
        self.topics = Topics("casaco")
        self.bundle = bundle()
        self.retained: dict[str, bytes] = {}
        self.sent: list[tuple[str, bytes]] = []
        self._questions: list[str] = []
        self._start_server(Path(self._folder.name))
        self._start_edge(Path(self._folder.name))

    def _start_server(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder / 'server.db'}")
        upgrade(self.database, lambda _: None)
        with self.database.transaction() as session:
            import_bundle(session, self.bundle, Decided("proof", 0))
            for name, key in KEYS.items():
                public = key.public_key().public_bytes_raw().hex()
                session.add(EdgeRow(id=name, public_key=public, access_points=[name], readers={}))
        self.troubles = Troubles()
        self.ingest = Ingest(self.database, self.topics, self.clock.now, self.troubles, lambda: None)
        self.orders = Orders(self.database, self.topics, SERVER_KEY, self.clock.now, self._answer)
        self.publisher = Publisher(self.database, SERVER_KEY, CREDENTIAL_KEY, self.clock.now, self.retained.__setitem__)
        self.publisher.publish()
        StatePublisher(self.database, SERVER_KEY, self.clock.now, self.retained.__setitem__).publish()

    def _start_edge(self, folder: Path) -> None:
        self.config: Config = config_of(
            "front", self.bundle.access_points[0], self.bundle, folder, KEYS["front"], SERVER_KEY
        )
        self.readers = {name: SimulatedReader(name, self.clock) for name in self.config.readers}
        self.pins = SimulatedPins(self.config.outputs, self.config.inputs, self.clock)
        self.edge = Edge(
            self.config,
            clock=self.clock,
            readers=list(self.readers.values()),
            pins=self.pins,
            link=self._connected,
            boot="attacked",
        )
        self._put(LinkUp())
        for topic, payload in self.retained.items():
            self.say(topic, payload)

    def _connected(self, put: "object") -> "Attacked":
        self._put_item = put
        return self

    def _put(self, item: WorkItem) -> None:
        self._put_item(item)  # type: ignore[operator]
        self.edge.turn()

    def say(self, topic: str, payload: bytes) -> None:
        """A message reaches the edge, and everything that it brings about happens."""
        self._put(Received(topic, payload))
        self.edge.turn()

    def tell(self, topic: str, payload: bytes) -> Owed | None:
        """A message reaches the server."""
        taken = self.ingest.take_all([(topic, payload)])
        for news in taken.news:
            self._follow(news)
        return next(iter(taken.owed), None)

    def exchange(self) -> None:
        """All that the edge sent reaches the server, which tells it the time if it asked."""
        sent, self.sent = self.sent, []
        for topic, payload in sent:
            self.tell(topic, payload)
        questions, self._questions = self._questions, []
        for question in questions:
            self.orders.tell_time(self.config.edge, question)

    def _follow(self, news: News) -> None:
        if isinstance(news, Answered):
            self.orders.answered(news.edge, news.reply)
        elif isinstance(news, StatusTaken) and news.status.asks is not None:
            self._questions.append(news.status.asks)

    def _answer(self, topic: str, payload: bytes) -> bool:
        self.say(topic, payload)
        return True

    def tap(self, who: str, reader: str = "front-in") -> None:
        """Somebody lays their badge on a reader and takes it away."""
        uid = bytes.fromhex(UIDS[who])
        self.readers[reader].lay(uid)
        self.pass_time(0.05)
        self.readers[reader].take(uid)
        self.pass_time(0.05)

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass, in rounds of 10 ms as the poller has them."""
        for _ in range(round(seconds * 100)):
            self.clock.advance(10_000_000)
            self.edge.turn()

    @property
    def unlocked(self) -> bool:
        """Whether the strike is released."""
        return self.pins.is_active("strike")

    @property
    def done(self) -> list[str]:
        """The commands which the edge has said that it did since the last exchange."""
        topic, key = self.topics.reply("front"), KEYS["front"].public_key()
        bodies = [unseal(key, "front", topic, payload) for sent_on, payload in self.sent if sent_on == topic]
        return [reply.nonce for body in bodies if (reply := decode(Reply, body, topic)).done]

    def close(self) -> None:
        self.edge.stop()
        self.database.close()
        self._folder.cleanup()

    # The Connection of edge/runtime.py

    def start(self) -> None: ...

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:  # noqa: ARG002
        self.sent.append((topic, payload))

    def reconnect(self, why: str) -> None: ...

    def stop(self, farewell: tuple[str, bytes] | None = None) -> None: ...
