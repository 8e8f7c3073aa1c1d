"""The server of the stormy site: the real database and exchange, on a disk that can be full and a power that can go."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace
from sqlmodel import Session

from policy.bundle import Bundle
from policy.reasons import Reason
from policy.terms import MINUTE, Instant
from proofs.storm.agenda import Agenda
from proofs.storm.casting import MACHINE
from proofs.storm.messages import ack_in
from proofs.storm.network import Client
from proofs.storm.pi import Ground
from server.audit import Decided
from server.changes.bundle import import_bundle
from server.changes.machines import extend
from server.database.engine import Database
from server.database.schema import upgrade
from server.errors import MistakeError, OrderRefusedError, ServerError
from server.exchange import Exchange
from server.models import Edge as EdgeRow
from server.publish.bundle import held
from server.publish.orders import Given
from simulator.world import CREDENTIAL_KEY
from wire.messages import Ack
from wire.row import Order
from wire.topics import Topics

NAME = "server"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
LEAVES = ("events", "status", "reply")
Said = TypeVar("Said")
"""What comes of a decision."""
UNLOCKED_FOR: Instant = 20 * MINUTE
DECIDED = ("credits", "certifications", "bookings")
"""Parts of the bundle that pages decide on, one entry at a time."""
LOOKS = 600.0
"""Seconds between two looks at the clock while nothing happens."""


class Office:
    """exchange: None while the server does not run. published: told each bundle and the version that it became.

    broken: told of which edge and how it broke a promise.
    """

    def __init__(
        self,
        ground: Ground,
        agenda: Agenda,
        bundle: Bundle,
        edges: dict[str, Ed25519PrivateKey],
        luck: Random,
        published: Callable[[int, Bundle], None],
        broken: Callable[[str, str], None],
    ) -> None:
        self.bundle = bundle
        self.topics = Topics(bundle.site.id)
        self.exchange: Exchange | None = None
        self._ground = ground
        self._agenda = agenda
        self._luck = luck
        self._published = published
        self._broken = broken
        self._sure: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._retained: dict[str, bytes] = {}
        self._ticking: int | None = None
        self.path = str(ground.folder / "server.db")
        self.database = Database(f"sqlite:///{self.path}")
        upgrade(self.database, lambda _: None)
        with self.database.transaction() as session:
            import_bundle(session, bundle, Decided("storm", 0))
            for name, key in edges.items():
                public = key.public_key().public_bytes_raw().hex()
                session.add(EdgeRow(id=name, public_key=public, access_points=[name], readers={}))
        ground.network.add(
            Client(NAME, self._hears, self._take, self._risen, lambda: None, lambda: None),
        )

    def start(self) -> None:
        """The process starts."""
        if self.exchange is not None:
            return
        self._retained.clear()
        clock = self._ground.clock.now
        self.exchange = Exchange(
            self.database,
            self.topics,
            KEY,
            CREDENTIAL_KEY,
            clock,
            retain=self._retain,
            send=self._send,
            draw=self._draw,
        )
        self._try(self.exchange.start)
        self._note_rules()
        self._ground.network.power(NAME, True)
        self._tick()

    def stop(self) -> None:
        """The process ends, in the middle of whatever it was; what it has committed is there."""
        self.exchange = None
        self._ground.network.power(NAME, False)

    def cut(self, luck: Random) -> None:
        """Power is gone: what the disk has not synced is torn."""
        self.stop()
        self._ground.disk.tear(self.path, luck)
        self._ground.mount.forget(self.path)
        with suppress(Exception):  # its files are gone under it
            self.database.close()
        self.database = Database(f"sqlite:///{self.path}")

    def lose_rows(self, edge: str, count: int) -> tuple[str, int] | None:
        """A backup is restored: an edge's newest rows are gone. The journal, and where it ends now.

        Some versions of the state are gone, too; the same numbers will be given to other ones.
        """
        with self.database.transaction() as session:
            ask = session.connection().exec_driver_sql
            newest = "SELECT journal, seq FROM position WHERE edge = ? ORDER BY updated DESC LIMIT 1"
            found = ask(newest, (edge,)).first()
            if found is None or found.seq <= count:
                return None
            last = int(found.seq) - count
            ask("DELETE FROM journal_row WHERE edge = ? AND journal = ? AND seq > ?", (edge, found.journal, last))
            ask("UPDATE published SET version = max(1, version - ?), hash = '' WHERE id = 2", (count // 2,))
            ask("UPDATE position SET seq = ? WHERE edge = ? AND journal = ?", (last, edge, found.journal))
        self._sure[edge, found.journal] = min(self._sure[edge, found.journal], last)
        return str(found.journal), last

    def change(self, bundle: Bundle) -> None:
        """Somebody changes members, hours or shifts; nothing happens while the server is away or its disk full."""
        if self.exchange is None:
            return
        with _full_disk():
            with self.database.transaction() as session:
                import_bundle(session, bundle, Decided("storm", 0))
            self.bundle = bundle
            self.exchange.site_changed()
        self._tick()

    def decide(self, act: Callable[[Session, Decided], Said], told: Callable[[], None]) -> Said | None:
        """Somebody decides something on a page; None while the server is away or its disk full, or where it refuses."""
        if self.exchange is None:
            return None
        done = None
        with _full_disk():
            with self.database.transaction() as session:
                said = act(session, Decided("storm", self._ground.clock.now(), "storm"))
                kept = {part: held(session, part) for part in DECIDED}
            self.bundle, done = replace(self.bundle, **kept), said
        if done is not None:
            self._tell(told)
        return done

    def _tell(self, told: Callable[[], None]) -> None:
        """Until the disk takes it."""
        try:
            told()
        except MistakeError:
            raise
        except ServerError:
            self._agenda.after(60, lambda: self._tell(told))

    def published(self) -> None:
        """What the server itself has changed is in force."""
        if self.exchange is not None:
            self.exchange.site_changed()
        self._tick()

    def told_of_moves(self) -> None:
        """Edges hear of a correction."""
        if self.exchange is not None:
            self.exchange.presence_changed()
        self._tick()

    def lock_down(self, on: bool) -> bool:
        """Whether it was done: not while the server is away or its disk full."""
        if self.exchange is None:
            return False
        with _full_disk():
            self.exchange.lock_down(on, "storm")
            return True
        return False

    def order(self, order: Order, place: str) -> None:
        """Somebody gives a command; an edge that is offline takes none."""
        if self.exchange is not None:
            until = self._ground.clock.now() + UNLOCKED_FOR if order is Order.UNLOCK else None
            with _full_disk(), suppress(OrderRefusedError):
                self.exchange.orders.give(order, place, "storm", until=until)

    def let_go_on(self, who: str) -> Given | Reason | None:
        """Somebody presses that their session goes on. Raises OrderRefusedError where nobody can be asked."""
        if self.exchange is None:
            raise OrderRefusedError("the server does not run")
        rules, told = self.exchange.publisher.current, f"account {who}"
        with _full_disk():
            return extend(
                self.database, self.exchange.orders, rules, MACHINE, "storm", told, self._ground.clock.now(), holder=who
            )
        raise OrderRefusedError("its disk is full")

    def _note_rules(self) -> None:
        if self.exchange is not None:
            with suppress(RuntimeError):
                self._published(self.exchange.publisher.current.version, self.exchange.publisher.current.bundle)

    def _take(self, topic: str, payload: bytes) -> None:
        if self.exchange is not None:
            exchange = self.exchange
            self._try(lambda: exchange.take(topic, payload))
            self._tick()

    def _try(self, act: Callable[[], object]) -> None:
        """What a full disk refuses is tried again by whoever asked for it."""
        with _full_disk():
            act()

    def _tick(self) -> None:
        """Say what is due, and look again when something is."""
        exchange = self.exchange
        if exchange is None:
            return
        self._try(exchange.tick)
        self._note_rules()
        clock, due = self._ground.clock, exchange.state.due
        ahead = LOOKS if due is None else max(0.001, (due - clock.now()) / 1000)
        at = clock.ns + round(ahead * 1e9)
        if self._ticking is None or at < self._ticking or self._ticking <= clock.ns:
            self._ticking = at
            self._agenda.at(at, lambda: self._tick() if self._ticking == at and self.exchange is exchange else None)

    def _hears(self, topic: str) -> bool:
        return topic.rpartition("/")[2] in LEAVES

    def _risen(self) -> None:
        """The broker needs no memory: all that it should retain is published again."""
        for topic, payload in self._retained.items():
            self._ground.network.publish(NAME, topic, payload, retain=True)
        if self.exchange is not None:
            self._try(self.exchange.connected)

    def _retain(self, topic: str, payload: bytes) -> None:
        self._retained[topic] = payload
        if topic.endswith("/ack"):
            self._check_acknowledged(topic.split("/")[3], ack_in(payload))
        self._ground.network.publish(NAME, topic, payload, retain=True)

    def _check_acknowledged(self, edge: str, ack: Ack) -> None:
        """What is acknowledged is on the server's disk, every row of it."""
        since = self._sure[edge, ack.journal]
        asked = "SELECT count(*) FROM journal_row WHERE edge = ? AND journal = ? AND seq > ? AND seq <= ?"
        with self.database.reading() as session:
            found = session.connection().exec_driver_sql(asked, (edge, ack.journal, since, ack.seq)).scalar_one()
        if found != max(0, ack.seq - since):
            self._broken(edge, f"row {ack.seq} is acknowledged; of those after row {since} the server has {found}")
        self._sure[edge, ack.journal] = max(since, ack.seq)

    def _send(self, topic: str, payload: bytes) -> bool:
        return self._ground.network.publish(NAME, topic, payload)

    def _draw(self) -> str:
        return self._luck.randbytes(16).hex()


@contextmanager
def _full_disk() -> Iterator[None]:
    """Where a disk is full the server may refuse; what it could never store is a mistake of its own."""
    try:
        yield
    except MistakeError:
        raise
    except ServerError:
        return
