"""What does the server hear, and what does it say to whom? All of it but the web and the broker.

Handed from outside: `retain` publishes what the broker is to keep, and does so again at every connect; `send` publishes
once, to whoever listens now, and says whether there was a broker.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import date
from secrets import token_hex

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, select

from policy.terms import Instant
from server.audit import Decided
from server.changes.events import make_more_times
from server.changes.lockdown import set_lockdown
from server.database.engine import Database
from server.database.types import moment
from server.errors import ServerError
from server.ingest.messages import Answered, FactsStored, Ingest, Message, News, Owed
from server.ingest.status import StatusTaken
from server.models import Edge, GivenOrder, Versioned
from server.publish.enrolments import Enrolments
from server.publish.orders import Orders
from server.publish.rules import SERVER, Publisher
from server.publish.state import StatePublisher
from server.troubles import Troubles
from wire.credential import pseudonym
from wire.envelope import MAX_BYTES, seal
from wire.messages import encode
from wire.topics import Topics

log = logging.getLogger("loquet.server")

LOCKDOWN_ON, LOCKDOWN_OFF = "lockdown_on", "lockdown_off"
ASKED_MOST = 64
"""Characters of a question what time it is."""


class Exchange:
    """`start` once; then `take_all` in one thread, `tick` several times a second, `connected` at each connect.

    link_up: whether there is a broker. changed: called when a page would show something else. draw: makes nonces.
    largest: bytes of a message that the broker passes on.
    """

    def __init__(
        self,
        database: Database,
        topics: Topics,
        server_key: Ed25519PrivateKey,
        credential_key: bytes,
        clock: Callable[[], Instant],
        *,
        retain: Callable[[str, bytes], None],
        send: Callable[[str, bytes], bool],
        link_up: Callable[[], bool] = lambda: True,
        changed: Callable[[], None] = lambda: None,
        draw: Callable[[], str] = lambda: token_hex(16),
        largest: int = MAX_BYTES,
    ) -> None:
        self.troubles = Troubles()
        self.publisher = Publisher(database, server_key, credential_key, clock, retain)
        self.state = StatePublisher(
            database, server_key, clock, retain, lambda edge, why: self.troubles.note(edge, clock(), why), largest
        )
        self.orders = Orders(database, topics, server_key, clock, send, draw)
        self.enrolments = Enrolments(self.orders, clock, lambda uid: pseudonym(credential_key, uid), changed)
        self.ingest = Ingest(database, topics, clock, self.troubles, changed)
        self._database = database
        self._topics = topics
        self._key = server_key
        self._clock = clock
        self._retain = retain
        self._link_up = link_up
        self._changed = changed
        self._draw = draw
        self._recurred: date | None = None

    def start(self) -> None:
        """Say all that is retained: rules, state, acknowledgements. Raises ServerError."""
        self.ingest.read_waiting()
        self.publisher.publish()
        self.state.publish()
        for owed in self.ingest.owed():
            self._acknowledge(owed)

    def take(self, topic: str, payload: bytes) -> None:
        """`take_all` of one message."""
        self.take_all([(topic, payload)])

    def take_all(self, messages: Sequence[Message]) -> None:
        """Store what edges say, acknowledge it, and do what follows from it. messages: at most one of each edge.

        Raises DatabaseError: then nothing of it is stored, and the edges send it again.
        """
        taken = self.ingest.take_all(messages)
        for owed in taken.owed:
            self._acknowledge(owed)
        for news in taken.news:
            self._attempt(lambda news=news: self._follow(news))  # type: ignore[misc]
        self._attempt(self.state.tick)

    def _attempt(self, act: Callable[[], object]) -> None:
        """Do what follows from rows that are stored and acknowledged: what fails takes nothing else with it."""
        try:
            act()
        except ServerError as error:
            log.error("stored, but what follows from it was not done, or not yet: %s", error)
        except Exception:
            log.exception("stored, but what follows from it was not done")

    def tick(self) -> None:
        """Say what is due; rules that cannot be made keep no state back. Raises ServerError."""
        try:
            self.publisher.tick()
            self._recur()
        finally:
            self.state.tick()

    def _recur(self) -> None:
        """Once a day: what recurs, for one day more."""
        now = self._clock()
        today = moment(now).date()
        if today != self._recurred:
            with self._database.transaction() as session:
                make_more_times(session, Decided(SERVER, now), today)
            self._recurred = today

    def connected(self) -> None:
        """Confirm rules and state: whoever else connects now gets both. Raises ServerError."""
        self.publisher.confirm()
        self.state.publish()

    def site_changed(self) -> None:
        """To be called after a change of members, hours, shifts, doors or edges. Raises ServerError.

        The edges come first: a blocked badge is to be dead.
        """
        try:
            self.publisher.publish()
        finally:
            self.ingest.reload()
        self.state.changed()
        self._changed()

    def presence_changed(self) -> None:
        """To be called after a correction: edges and pages hear of it. Raises ServerError."""
        self.state.publish()
        self._changed()

    def lock_down(self, on: bool, by: str) -> list[str]:
        """Declare a lockdown, or lift it, and say so at once. by: who does.

        Returns the edges that are offline, without a broker all of them: they hear of it when they connect. Raises
        DatabaseError.
        """
        now = moment(self._clock())
        order = LOCKDOWN_ON if on else LOCKDOWN_OFF
        given = GivenOrder(nonce=self._draw(), at=now, order=order, by=by, answered=now, done=True)
        edges: list[Edge] = []

        def store(session: Session) -> None:
            set_lockdown(session, on, Decided(by, self._clock()))
            session.add(given)
            edges[:] = session.exec(select(Edge).order_by(Edge.id))

        self.state.publish(store)
        log.warning("lockdown %s by %s", "declared" if on else "lifted", by)
        offline = [edge.id for edge in edges if not (edge.online and self._link_up())]
        self._changed()
        return offline

    def _follow(self, news: News) -> None:
        match news:
            case FactsStored():
                self.state.changed()
            case Answered(edge, reply):
                self.enrolments.answered(edge, reply)
                self.orders.answered(edge, reply)
            case StatusTaken(edge, status, server_behind, speaks_anew):
                if speaks_anew or Versioned.STATE in server_behind:
                    self._attempt(self.state.publish)
                if speaks_anew or Versioned.RULES in server_behind:
                    self._attempt(self.publisher.publish)
                if status.asks is not None and len(status.asks) <= ASKED_MOST:
                    self.orders.tell_time(edge, status.asks)

    def _acknowledge(self, owed: Owed) -> None:
        topic = self._topics.ack(owed.edge)
        self._retain(topic, seal(self._key, SERVER, topic, encode(owed.ack)))
