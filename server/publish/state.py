"""What do the edges get to know of the site? What the server knows of it, and up to which of their rows.

What would be larger than the broker passes on is said without the edge that has most in it: no edge keeps the server
from saying the rest. No MQTT here: `retain` takes a topic and a payload that the broker is to keep.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable
from threading import Lock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, col, func, select

from policy.facts import Fact
from policy.instants import text
from policy.terms import SECOND, Instant
from server.database.engine import Database
from server.errors import DatabaseError
from server.models import Edge, Position, Site, Versioned
from server.publish.bundle import calendar_of
from server.publish.rules import SERVER
from server.publish.versions import number
from server.queries.forms import in_form_1, spoken
from server.queries.groups import visitors
from server.queries.site_state import facts_by_edge, is_locked_down, known, stops
from wire.envelope import MAX_BYTES, seal
from wire.messages import State, encode
from wire.snapshot import Group, Snapshot, pack
from wire.topics import Topics

log = logging.getLogger("loquet.server")

ENVELOPE = 1024
"""Bytes that a state has around its body, with room to spare."""
GAP: Instant = SECOND // 4
"""Between two messages while much happens: many changes become one."""
GROUPS_FROM = 3
"""The form of the state that tells of groups."""
JOURNALS = 8
"""The newest journals of each edge whose positions are told: a new one is begun when a disk was lost."""


class StatePublisher:
    """`changed` after facts were stored, `tick` once `due` has come, `publish` at every connect. From any thread.

    largest: bytes of a message that the broker passes on, and edges read. refused: told which edge was left out, why.
    """

    def __init__(
        self,
        database: Database,
        key: Ed25519PrivateKey,
        clock: Callable[[], Instant],
        retain: Callable[[str, bytes], None],
        refused: Callable[[str, str], None] = lambda edge, why: None,
        largest: int = MAX_BYTES,
    ) -> None:
        self._database = database
        self._key = key
        self._clock = clock
        self._retain = retain
        self._refused = refused
        self._most = (largest - ENVELOPE) * 3 // 4
        """Bytes of a body: it travels as base64."""
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

    def _fitting(self, found: Snapshot, tellers: list[str]) -> bytes:
        """The packed state, as much of it as may be published. Raises DatabaseError when nothing can be left out.

        Of whom facts are left out no position is claimed: else the others would forget what they heard, and it its own.
        """
        facts: list[tuple[str, Fact]] = list(zip(tellers, found.facts, strict=True))
        while len(body := pack(found)) > self._most:
            shares = Counter(edge for edge, _ in facts if edge)
            if not shares:
                raise DatabaseError(f"the state has {len(body)} bytes, {self._most} may be said: the site is too large")
            worst, share = shares.most_common(1)[0]
            why = (
                f"edge {worst!r} told {share} things, too many for one message: the state is said without them; "
                "revoke the edge if it is not your own any more (docs/keys.md)"
            )
            log.error("%s", why)
            self._refused(worst, why)
            facts = [(edge, fact) for edge, fact in facts if edge != worst]
            reached = {edge: journals for edge, journals in found.positions.items() if edge != worst}
            found = Snapshot(found.lockdown, tuple(fact for _, fact in facts), reached, found.groups)
        return body

    def _look(self, now: Instant, first: Callable[[Session], object] | None) -> tuple[str, int, bytes]:
        """The site, the version and the body."""

        def look(session: Session) -> tuple[str, int, bytes]:
            if first is not None:
                first(session)
            site = session.connection().execute(_SITE).scalar()
            if site is None:
                raise DatabaseError("the database holds no site yet: start once with --bundle FILE")
            body = self._fitting(*told(session, now))
            return str(site), number(session, Versioned.STATE, body, now), body

        if first is not None:
            return self._database.urgently(look)
        with self._database.transaction() as session:
            return look(session)


def snapshot(session: Session, at: Instant) -> Snapshot:
    """What is known of the site at an instant: exactly what the positions claim, read in one transaction."""
    found, _ = told(session, at)
    return found


def told(session: Session, at: Instant) -> tuple[Snapshot, list[str]]:
    """The same, and which edge told each of its facts; of members and kinds that the site has not it says nothing."""
    site = known(session)
    facts = [(edge, fact) for edge, fact in facts_by_edge(session, at) if site.names(fact)]
    facts += [("", fact) for fact in stops(session)]
    said = [fact for _, fact in facts]
    form = spoken(session)
    said = in_form_1(session, said) if form == 1 else said
    groups = _groups(session, at) if form >= GROUPS_FROM else ()
    return Snapshot(is_locked_down(session), tuple(said), positions(session), groups), [edge for edge, _ in facts]


def _groups(session: Session, at: Instant) -> tuple[Group, ...]:
    """Those who are inside without badges of their own: how many, no names."""
    calendar = calendar_of(session)
    inside = visitors(session, calendar.day_start(calendar.day_at(at)))
    return tuple(Group(one.people, one.member) for one in inside)


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
