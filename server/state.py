"""What do the edges get to know of the site? What the server knows of it, and up to which of their rows.

No MQTT here: `retain` takes a topic and a payload that the broker is to keep.
"""

from collections import defaultdict
from collections.abc import Callable
from threading import Lock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, col, func, select

from policy.instants import text
from policy.terms import SECOND, Instant
from server.db import Database
from server.errors import DatabaseError
from server.facts import facts_since, is_locked_down, stops
from server.models import Edge, Position, Site
from server.publisher import SERVER
from server.versions import Lane, number
from wire.envelope import seal
from wire.messages import State, encode
from wire.snapshot import Snapshot, pack
from wire.topics import Topics

GAP: Instant = SECOND // 4
"""Between two messages while much happens: many changes become one."""
JOURNALS = 8
"""The newest journals of each edge whose positions are told: a new one is begun when a disk was lost."""


class StatePublisher:
    """`changed` after facts were stored, `tick` once `due` has come, `publish` at every connect. From any thread."""

    def __init__(
        self,
        database: Database,
        key: Ed25519PrivateKey,
        clock: Callable[[], Instant],
        retain: Callable[[str, bytes], None],
    ) -> None:
        self._database = database
        self._key = key
        self._clock = clock
        self._retain = retain
        self._one_at_a_time = Lock()
        self._looked_at: Instant = 0
        self._waiting = False
        self.version = 0
        """The version published last; 0 before the first."""

    @property
    def due(self) -> Instant | None:
        """When to call `tick`; None while there is nothing to say."""
        return self._looked_at + GAP if self._waiting else None

    def publish(self, first: Callable[[Session], object] | None = None) -> None:
        """Say what is known, at once, changed or not. Raises DatabaseError: then nothing is said.

        first: stores what cannot wait, together with what is said of it, on a full disk too.
        """
        with self._one_at_a_time:
            self._say(again=True, first=first)

    def changed(self) -> None:
        """Facts were stored: say so at once, or in a moment when something was said just now. Raises DatabaseError."""
        self._waiting = True
        self.tick()

    def tick(self) -> None:
        """Say what has waited, if it has waited for long enough. Raises DatabaseError: then it goes on waiting."""
        with self._one_at_a_time:
            if self._waiting and abs(self._clock() - self._looked_at) >= GAP:
                self._say(again=False)

    def _say(self, *, again: bool, first: Callable[[Session], object] | None = None) -> None:
        """again: even when nothing changed."""
        self._looked_at = self._clock()
        self._waiting = False  # before the look: what is stored during it waits for the next one
        try:
            site, version, body = self._look(self._looked_at, first)
        except BaseException:
            self._waiting = True
            raise
        if again or version != self.version:
            topic = Topics(site).state
            message = State(version, text(self._looked_at), body)
            self._retain(topic, seal(self._key, SERVER, topic, encode(message)))
            self.version = version

    def _look(self, now: Instant, first: Callable[[Session], object] | None) -> tuple[str, int, bytes]:
        """The site, the version and the body."""

        def look(session: Session) -> tuple[str, int, bytes]:
            if first is not None:
                first(session)
            site = session.connection().execute(_SITE).scalar()
            if site is None:
                raise DatabaseError("the database holds no site yet: start once with --bundle FILE")
            body = pack(snapshot(session, now))
            return str(site), number(session, Lane.STATE, body, now), body

        if first is not None:
            return self._database.urgently(look)
        with self._database.transaction() as session:
            return look(session)


def snapshot(session: Session, at: Instant) -> Snapshot:
    """What is known of the site at an instant: exactly what the positions claim, read in one transaction."""
    return Snapshot(is_locked_down(session), (*facts_since(session, at), *stops(session)), positions(session))


def positions(session: Session) -> dict[str, dict[str, int]]:
    """Up to where the newest journals of each edge are stored."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for edge, journal, seq in session.connection().execute(_NEWEST):
        found[edge][journal] = seq
    return dict(found)


_age = func.row_number().over(partition_by=col(Position.edge), order_by=col(Position.updated).desc())
_ranked = (
    select(Position.edge, Position.journal, Position.seq, _age.label("age"))
    .where(col(Position.edge).in_(select(Edge.id)))
    .subquery()
)
_NEWEST = select(_ranked.c.edge, _ranked.c.journal, _ranked.c.seq).where(_ranked.c.age <= JOURNALS)
_SITE = select(Site.id)
"""Built once: the state is composed several times a second."""
