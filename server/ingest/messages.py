"""What happens to a message from an edge? Verified, stored once and in order, and only then acknowledged.

No Flask here, and no MQTT: whoever carries messages calls `take_all` and publishes the acknowledgements it returns.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import sqlalchemy
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Table, bindparam
from sqlmodel import Session, col, select

from policy.reasons import Reason
from policy.terms import Instant
from server.database.engine import Database
from server.database.types import moment
from server.ingest.budget import Budget, Good
from server.ingest.rows import Numbered, number
from server.ingest.status import Rows, StatusTaken, rows_of, take_status
from server.ingest.store import Batch, Stored, store_batches
from server.ingest.waiting import read_waiting
from server.models import Position
from server.queries.known_edges import KnownEdge, known_edges
from server.queries.site_state import known
from server.troubles import Troubles
from wire.envelope import unseal
from wire.errors import WireError
from wire.facts import SESSION_KINDS
from wire.messages import MAX_ROWS, Ack, Events, Reply, Status, decode
from wire.row import Kind, Row
from wire.topics import Topics

log = logging.getLogger("loquet.server")

STATE_KINDS = frozenset(
    {Kind.DOOR_OPENED, *SESSION_KINDS, Kind.ESTOP, Kind.MACHINE_RESET, Kind.COMMAND} | {Kind.CLOCK_SET}
)
_position: Table = Position.__table__  # type: ignore[attr-defined]
_REACHED = sqlalchemy.select(_position.c.edge, _position.c.journal, _position.c.seq).where(
    _position.c.edge.in_(bindparam("edges", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Owed:
    """An acknowledgement to publish to an edge: what it names is on the disk."""

    edge: str
    ack: Ack


@dataclass(frozen=True, slots=True)
class FactsStored:
    """Rows that change the state of the site are on the disk."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An edge said what became of a command, in a reply or in its journal."""

    edge: str
    reply: Reply


News: TypeAlias = FactsStored | StatusTaken | Answered
"""What somebody else must act upon, once it is stored."""


class Taken(NamedTuple):
    """What follows from messages that are on the disk: acknowledgements that are due, and news."""

    owed: list[Owed]
    news: list[News]


Message: TypeAlias = tuple[str, bytes]
"""Topic and payload."""

SAID: dict[str, type[Events | Status | Reply]] = {"events": Events, "status": Status, "reply": Reply}


@dataclass(frozen=True, slots=True)
class _Heard:
    """A message that is certainly of this edge. rows: of Events."""

    edge: KnownEdge
    topic: str
    said: Events | Status | Reply
    rows: list[Numbered]


class Ingest:
    """Used by one thread at a time. clock: now. changed: called after each commit that changed what pages show."""

    def __init__(
        self,
        database: Database,
        topics: Topics,
        clock: Callable[[], Instant],
        troubles: Troubles,
        changed: Callable[[], None],
    ) -> None:
        self._database = database
        self._topics = topics
        self._clock = clock
        self._troubles = troubles
        self._changed = changed
        self._edges: dict[str, KnownEdge] = {}
        self._budget = Budget(clock)
        self.reload()

    def reload(self) -> None:
        """Read anew what the site has; to be called when edges, access points, members or machines change."""
        with self._database.reading() as session:
            self._edges = known_edges(session)
            self._site = known(session)

    def read_waiting(self) -> None:
        """Read the rows that waited for a version which knows their kind. To be called once, at the start."""
        with self._database.transaction() as session:
            taken = read_waiting(session, self._edges)
        if taken:
            log.warning("%d rows that waited for this version were read", taken)

    def take(self, topic: str, payload: bytes) -> Owed | None:
        """`take_all` of one message."""
        return next(iter(self.take_all([(topic, payload)]).owed), None)

    def take_all(self, messages: Sequence[Message]) -> Taken:
        """Store what the messages say in one transaction, and return what follows from it.

        messages: at most one of each edge. One that cannot be believed is counted and logged. Raises DatabaseError:
        nothing is stored then, and all of them may be taken again.
        """
        heard = [one for message in messages if (one := self._heard(*message)) is not None]
        if not heard:
            return Taken([], [])
        with self._database.transaction() as session:
            reached = _reached(session, [one.edge.id for one in heard if isinstance(one.said, Events)])
            batches = [self._batch(one, one.said, reached) for one in heard if isinstance(one.said, Events)]
            stored = [batch for batch in batches if batch.rows]
            told = self._store(session, stored)
            said = [(one, one.said) for one in heard if isinstance(one.said, Status)]
            rows = rows_of(session, [one.edge.id for one, _ in said])
            statuses = [self._status(rows, one, status) for one, status in said]
        self._spend(stored, told)
        for edge, why in told.refused:
            self._troubles.note(edge, self._clock(), why)
        taken: list[News] = [status for status in statuses if status is not None]
        if stored or taken:
            self._changed()
        news: list[News] = [event for batch in stored for event in _news_of(batch)]
        news += [Answered(one.edge.id, one.said) for one in heard if isinstance(one.said, Reply)]
        return Taken([Owed(batch.edge.id, Ack(batch.journal, batch.reached)) for batch in batches], news + taken)

    def _store(self, session: Session, batches: Sequence[Batch]) -> Stored:
        if not batches:
            return Stored([], {})
        now = moment(self._clock())
        return store_batches(session, batches, now, self._site, lambda edge: self._budget.left(edge, Good.FACTS))

    def _spend(self, stored: Sequence[Batch], told: Stored) -> None:
        """What is on the disk now was taken from each edge's budget."""
        for batch in stored:
            edge = batch.edge.id
            self._budget.spend(edge, Good.ROWS, len(batch.rows))
            self._budget.spend(edge, Good.BYTES, sum(len(row.raw) for row in batch.rows))
            self._budget.spend(edge, Good.JOURNALS, batch.on_disk == 0)
            self._budget.spend(edge, Good.FACTS, told.facts[edge])

    def owed(self) -> list[Owed]:
        """The newest acknowledgement of each edge, to publish again at every connect."""
        with self._database.reading() as session:
            newest = {p.edge: p for p in session.exec(select(Position).order_by(col(Position.updated)))}
        return [Owed(edge, Ack(position.journal, position.seq)) for edge, position in newest.items()]

    def _heard(self, topic: str, payload: bytes) -> _Heard | None:
        """The message, verified and read. None for facts, whose rows come as events, and for what is not believed."""
        edge = None
        try:
            name, leaf = self._topics.edge_of(topic)
            edge = self._edges.get(name)
            if edge is None:
                raise WireError(
                    f"{topic}: edge {name!r} is not known; give it to the server's configuration, with its key"
                )
            if leaf == "events" and (why := self._budget.exhausted(name, Good.ROWS, Good.BYTES)):
                raise WireError(f"{topic}: {why}")
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(edge.public_key))
            return self._read(edge, topic, leaf, unseal(key, name, topic, payload))
        except WireError as error:
            self._refuse(edge, str(error))
            return None

    def _refuse(self, edge: KnownEdge | None, why: str) -> None:
        self._troubles.note(edge.id if edge else None, self._clock(), why)
        self._changed()

    def _read(self, edge: KnownEdge, topic: str, leaf: str, body: bytes) -> _Heard | None:
        if leaf == "facts":
            return None
        if leaf not in SAID:
            raise WireError(f"{topic}: an edge writes events, status, replies and facts only")
        said = decode(SAID[leaf], body, topic)
        return _Heard(edge, topic, said, self._rows(edge, topic, said, body) if isinstance(said, Events) else [])

    def _rows(self, edge: KnownEdge, topic: str, events: Events, body: bytes) -> list[Numbered]:
        """The rows of a message up to the first gap in them."""
        if len(events.rows) > MAX_ROWS:
            raise WireError(f"{topic}: {len(events.rows)} rows; at most {MAX_ROWS} travel in a message")
        numbered = number(events.rows, topic, body)
        if len(numbered) < len(events.rows):
            self._note_gap(edge, topic, events.journal, numbered[-1].seq + 1)
        return numbered

    def _batch(self, heard: _Heard, events: Events, reached: Mapping[tuple[str, str], int]) -> Batch:
        """Those rows of a message that are not on the disk yet; none when some before them are missing."""
        edge, numbered = heard.edge, heard.rows
        on_disk = reached.get((edge.id, events.journal), 0)
        if numbered and numbered[0].seq > on_disk + 1:
            self._note_gap(edge, heard.topic, events.journal, on_disk + 1)
            numbered = []
        elif not on_disk and (why := self._budget.exhausted(edge.id, Good.JOURNALS)):
            self._troubles.note(edge.id, self._clock(), f"{heard.topic}: {why}")
            numbered = []
        return Batch(edge, events.journal, on_disk, [row for row in numbered if row.seq > on_disk])

    def _note_gap(self, edge: KnownEdge, topic: str, journal: str, seq: int) -> None:
        why = f"{topic}: row {seq} of journal {journal!r} is missing; what follows is not stored before it comes"
        self._troubles.note(edge.id, self._clock(), why)

    def _status(self, rows: Rows, heard: _Heard, status: Status) -> StatusTaken | None:
        """What follows from a status that is newer than those before it; None for any other."""
        edge, repeats = heard.edge, self._may_repeat(heard.edge)
        try:
            taken = take_status(rows, edge, status, heard.topic, self._clock(), repeats=repeats)
            if status.boot is not None:
                self._troubles.heard(edge.id, status.boot, self._clock())
        except WireError as error:
            self._refuse(edge, str(error))
            return None
        self._budget.spend(edge.id, Good.REPEATS, bool(taken.server_behind) or taken.speaks_anew)
        return taken

    def _may_repeat(self, edge: KnownEdge) -> bool:
        """Whether rules and state may be said anew for this edge: for one that always wants it, not each time."""
        return self._budget.exhausted(edge.id, Good.REPEATS) is None


def _reached(session: Session, edges: Sequence[str]) -> dict[tuple[str, str], int]:
    """The last row on the disk of each journal of these edges."""
    if not edges:
        return {}
    found = session.connection().execute(_REACHED, {"edges": edges})
    return {(edge, journal): seq for edge, journal, seq in found}


def _news_of(batch: Batch) -> Iterator[News]:
    """What rows say that somebody waits for."""
    rows = [one.row for one in batch.rows if one.row is not None]
    for row in rows:
        if row.nonce is not None and row.kind is Kind.COMMAND:
            yield Answered(batch.edge.id, reply_of(row.nonce, done=row.granted is True, why=row.detail))
    if any(_changes_state(row) for row in rows):
        yield FactsStored()


def _changes_state(row: Row) -> bool:
    """Whether the state of the site may be another after it; a refusal at a door, for one, changes nothing."""
    if row.kind is Kind.TAP:
        took_effect = row.granted is True and not row.pending
        return took_effect or row.adhoc_until is not None or row.reason is Reason.MACHINE_BUSY
    return row.kind in STATE_KINDS


def reply_of(nonce: str, *, done: bool, why: str | None) -> Reply:
    """A reply: why is said of what was not done."""
    return Reply(nonce, done, "" if done else why or "")
