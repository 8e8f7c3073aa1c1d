"""What does somebody want of an edge at once, and what became of it? Commands given, signed, recorded and answered.

No MQTT here: `send` publishes once, to whoever listens now, and says whether there was a broker to take it.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from threading import Event

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace
from sqlmodel import Session, col, select

from policy.instants import of, text
from policy.terms import Instant
from server.audit import Change, Decided, record
from server.database.engine import Database
from server.database.types import moment
from server.errors import OrderRefusedError
from server.models import AccessPoint, Edge, GivenOrder, Machine
from server.publish.rules import SERVER
from server.queries.known_edges import known_edges
from wire.envelope import seal
from wire.messages import COMMAND_LASTS, Command, Reply, encode
from wire.row import Order
from wire.topics import Topics

OPEN_QUESTIONS = 100
"""Commands whose answers somebody may be waiting for; the oldest is forgotten for one more."""
WHY_KEPT = 500
"""Characters of an edge's answer that are kept."""
DOORS = frozenset({Order.OPEN, Order.UNLOCK, Order.RELOCK})
AT_MACHINE = frozenset({Order.LOCK_OUT, Order.EXTEND, Order.END})
AT_READER = frozenset({Order.SOUND, Order.ENROL, Order.STOP_ENROL})
NOUNS = dict.fromkeys(DOORS, "door") | dict.fromkeys(AT_READER, "reader")
NOUNS |= dict.fromkeys(AT_MACHINE, "machine") | {Order.REREAD: "edge"}
"""What each order is about."""


@dataclass(eq=False)
class Given:
    """A command on its way. reply: what the edge said became of it, None before it does."""

    nonce: str
    edge: str
    reply: Reply | None = None
    _answered: Event = field(default_factory=Event)

    def wait(self, seconds: float) -> Reply | None:
        """The reply, once it is there; None when it did not come in time."""
        self._answered.wait(seconds)
        return self.reply

    def take(self, reply: Reply) -> None:
        self.reply = reply
        self._answered.set()


class Orders:
    """From any thread. draw: makes a nonce that was never used and cannot be guessed."""

    def __init__(
        self,
        database: Database,
        topics: Topics,
        key: Ed25519PrivateKey,
        clock: Callable[[], Instant],
        send: Callable[[str, bytes], bool],
        draw: Callable[[], str] = lambda: token_hex(16),
    ) -> None:
        self._database = database
        self._topics = topics
        self._key = key
        self._clock = clock
        self._send = send
        self._draw = draw
        self._given: OrderedDict[str, Given] = OrderedDict()

    def give(
        self,
        order: Order,
        place: str,
        by: str,
        *,
        told: str = "",
        until: Instant | None = None,
        key: str | None = None,
        began: Instant | None = None,
    ) -> Given:
        """Order something of the edge that owns the place. by: who gives it. until: of an UNLOCK. key: of an ENROL.
        began: of an EXTEND or END, the session that is meant; another one is left alone.

        told: what is said of them on the wire, where a login, which may be somebody's address, says too much.
        Raises OrderRefusedError when it cannot be sent, and DatabaseError when it cannot be recorded.
        """
        now, nonce = self._clock(), self._draw()

        def store(session: Session) -> str:
            edge = _addressee(session, order, place)
            ends = None if until is None else moment(until)
            session.add(GivenOrder(nonce=nonce, at=moment(now), order=order, place=place, edge=edge, by=by, until=ends))
            wanted = {"order": order.value, "place": place, "edge": edge} | ({"until": text(until)} if until else {})
            record(session, Decided(by, now), [Change(GivenOrder, (nonce,), "ordered", None, wanted)])
            return edge

        edge = self._database.urgently(store)
        given = self._given[nonce] = Given(nonce, edge)
        if len(self._given) > OPEN_QUESTIONS:
            self._given.popitem(last=False)
        about = None if order is Order.REREAD else place
        meant = None if began is None else text(began)
        wanted = Command(nonce, text(now), text(now + COMMAND_LASTS), order, about, told or by, meant, key)
        if not self._publish(edge, replace(wanted, until=None if until is None else text(until))):
            why = "the server does not reach the broker: nothing was sent; see that the broker runs"
            self.answered(edge, Reply(nonce, done=False, why=why))
            raise OrderRefusedError(why)
        return given

    def tell_time(self, edge: str, asked: str) -> None:
        """Answer an edge whose clock is lost. asked: the question in its status."""
        now = self._clock()
        self._publish(
            edge, Command(self._draw(), text(now), text(now + COMMAND_LASTS), Order.SET_CLOCK, by=SERVER, asked=asked)
        )

    def answered(self, edge: str, reply: Reply) -> None:
        """An edge said what became of a command; the first word of the edge that it was given to counts.

        Raises DatabaseError: whoever waits for the answer has it all the same.
        """
        given = self._given.get(reply.nonce)

        def store(session: Session) -> None:
            row = session.get(GivenOrder, reply.nonce)
            if row is not None and row.edge == edge and row.answered is None:
                row.answered, row.done, row.why = moment(self._clock()), reply.done, reply.why[:WHY_KEPT]
                if reply.done:
                    _kept_unlocked(session, row)

        try:
            self._database.urgently(store)
        finally:
            if given is not None and given.edge == edge:
                self._given.pop(reply.nonce, None)
                given.take(reply)

    def _publish(self, edge: str, command: Command) -> bool:
        topic = self._topics.command(edge)
        return self._send(topic, seal(self._key, SERVER, topic, encode(command)))


def _kept_unlocked(session: Session, done: GivenOrder) -> None:
    """What a door does now, though the edge's next status, which says it too, may be late."""
    edge = session.get(Edge, done.edge)
    if edge is None or done.place is None or done.order not in (Order.UNLOCK, Order.RELOCK):
        return
    others = {place: until for place, until in (edge.unlocked or {}).items() if place != done.place}
    now = {done.place: text(of(done.until))} if done.order == Order.UNLOCK and done.until else {}
    edge.unlocked = others | now


def _addressee(session: Session, order: Order, place: str) -> str:
    """The edge that owns the place, and is there."""
    owners = _owners(session, order)
    if place not in owners:
        known = ", ".join(sorted(owners)) or "none"
        raise OrderRefusedError(f"{NOUNS[order]} {place!r}: not known, or no edge looks after it; known are {known}")
    edge = session.get_one(Edge, owners[place])
    if not edge.online:
        since = f"since {edge.since:%Y-%m-%d %H:%M} UTC" if edge.since else "and was never heard of"
        raise OrderRefusedError(f"edge {edge.id!r}: offline {since}: nothing was sent; see its power and its network")
    return edge.id


def _owners(session: Session, order: Order) -> dict[str, str]:
    """The edge of each thing that the order may be about."""
    edges = known_edges(session).values()
    if order is Order.REREAD:
        return {edge.id: edge.id for edge in edges}
    if order in AT_READER:
        return {reader: edge.id for edge in edges for reader in edge.readers}
    sort = Machine if order in AT_MACHINE else AccessPoint
    places = set(session.exec(select(sort.id).where(col(sort.ended).is_(None))))
    return {place: edge.id for edge in edges for place in edge.access_points & places}
