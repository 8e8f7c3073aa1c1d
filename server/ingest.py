"""What happens to a message from an edge? Verified, stored once and in order, and only then acknowledged.

No Flask here, and no MQTT: whoever carries messages calls `take` and publishes the acknowledgement that it returns.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Table
from sqlmodel import Session, col, select

from policy.facts import Fact, Moved
from policy.instants import instant, of
from policy.presence import Move
from policy.reasons import Reason
from policy.terms import ClockState, Direction, Instant
from server.bulk import insert, upsert
from server.db import Database, moment
from server.facts import store, store_moves
from server.models import AccessPoint, DoorState, Edge, JournalRow, Machine, Position
from server.redate import date_anew, offsets_of
from server.rows import REFUSED, KnownEdge, Numbered, number, record
from server.troubles import Troubles
from server.versions import Lane, outran
from wire.envelope import unseal
from wire.errors import WireError
from wire.facts import facts_of, says_more
from wire.messages import MAX_ROWS, Ack, Events, Reply, Status, decode
from wire.row import Kind, Row
from wire.topics import Topics

log = logging.getLogger("loquet.server")

DOOR_KINDS = (Kind.DOOR_OPENED, Kind.DOOR_CLOSED, Kind.DOOR_FORCED, Kind.DOOR_HELD)
FIRE_KINDS = (Kind.FIRE, Kind.FIRE_ENDED)
DOOR_AND_FIRE = frozenset(DOOR_KINDS + FIRE_KINDS)
CLOCK_KINDS = (Kind.STARTED, Kind.CLOCK_SET)
STATE_KINDS = frozenset(
    {Kind.DOOR_OPENED, Kind.SESSION_STARTED, Kind.SESSION_ENDED, Kind.ESTOP, Kind.MACHINE_RESET, Kind.COMMAND}
    | {Kind.CLOCK_SET}
)
_journal_row: Table = JournalRow.__table__  # type: ignore[attr-defined]
_position: Table = Position.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Owed:
    """An acknowledgement to publish to an edge: what it names is on the disk."""

    edge: str
    ack: Ack


@dataclass(frozen=True, slots=True)
class FactsStored:
    """Rows that change the state of the site are on the disk."""


@dataclass(frozen=True, slots=True)
class StatusTaken:
    """An edge said how it is. outrun: what it holds a higher version of than the server ever made."""

    edge: str
    status: Status
    outrun: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """An edge said what became of a command, in a reply or in its journal."""

    edge: str
    reply: Reply


Told: TypeAlias = FactsStored | StatusTaken | Answered
"""What somebody else must act upon, once it is stored."""


class Ingest:
    """Used by one thread at a time. clock: now. changed: called after each commit that changed what pages show.

    told: called after each commit for what is not done with being stored.
    """

    def __init__(
        self,
        database: Database,
        topics: Topics,
        clock: Callable[[], Instant],
        troubles: Troubles,
        changed: Callable[[], None],
        told: Callable[[Told], None] = lambda told: None,
    ) -> None:
        self._database = database
        self._topics = topics
        self._clock = clock
        self._troubles = troubles
        self._changed = changed
        self._told = told
        self._edges: dict[str, KnownEdge] = {}
        self.reload()

    def reload(self) -> None:
        """Read anew which edges there are; to be called when edges or access points change."""
        with self._database.reading() as session:
            self._edges = known_edges(session)

    def take(self, topic: str, payload: bytes) -> Owed | None:
        """Store what a message says and return the acknowledgement that is due, if any.

        A message that cannot be believed is counted and logged. Raises DatabaseError: nothing is stored then, and the
        same message may be taken again.
        """
        edge = None
        try:
            name, leaf = self._topics.edge_of(topic)
            edge = self._edges.get(name)
            if edge is None:
                raise WireError(
                    f"{topic}: edge {name!r} is not known; give it to the server's configuration, with its key"
                )
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(edge.public_key))
            return self._believe(edge, topic, leaf, unseal(key, name, topic, payload))
        except WireError as error:
            self._troubles.note(edge.id if edge else None, self._clock(), str(error))
            self._changed()
            return None

    def owed(self) -> list[Owed]:
        """The newest acknowledgement of each edge, to publish again at every connect."""
        with self._database.reading() as session:
            newest = {p.edge: p for p in session.exec(select(Position).order_by(col(Position.updated)))}
        return [Owed(edge, Ack(position.journal, position.seq)) for edge, position in newest.items()]

    def _believe(self, edge: KnownEdge, topic: str, leaf: str, body: bytes) -> Owed | None:
        if leaf == "events":
            return self._take_events(edge, topic, body)
        if leaf == "status":
            self._take_status(edge, topic, body)
            return None
        if leaf == "reply":
            self._told(Answered(edge.id, decode(Reply, body, topic)))
            return None
        if leaf == "facts":  # the same rows come as events
            return None
        raise WireError(f"{topic}: an edge writes events, status, replies and facts only")

    def _take_events(self, edge: KnownEdge, topic: str, body: bytes) -> Owed:
        events = decode(Events, body, topic)
        if len(events.rows) > MAX_ROWS:
            raise WireError(f"{topic}: {len(events.rows)} rows; at most {MAX_ROWS} travel in a message")
        numbered = number(events.rows, topic)
        if len(numbered) < len(events.rows):
            self._note_gap(edge, topic, events.journal, numbered[-1].seq + 1)
        received = moment(self._clock())
        with self._database.transaction() as session:
            position = session.get(Position, (edge.id, events.journal))
            on_disk = position.seq if position else 0
            if numbered and numbered[0].seq > on_disk + 1:
                self._note_gap(edge, topic, events.journal, on_disk + 1)
                new = []
            else:
                new = [row for row in numbered if row.seq > on_disk]
            if new:
                self._store(session, edge, events.journal, new, received)
                _follow_clock(session, edge.id, new)
                on_disk = new[-1].seq
        if new:
            self._changed()
            self._pass_on(edge, [row.row for row in new if row.row is not None])
        return Owed(edge.id, Ack(events.journal, on_disk))

    def _pass_on(self, edge: KnownEdge, rows: list[Row]) -> None:
        for row in rows:
            if row.kind is Kind.COMMAND and row.nonce is not None:
                self._told(Answered(edge.id, reply_of(row.nonce, done=row.granted is True, why=row.detail)))
        if any(_changes_state(row) for row in rows):
            self._told(FactsStored())

    def _note_gap(self, edge: KnownEdge, topic: str, journal: str, seq: int) -> None:
        why = f"{topic}: row {seq} of journal {journal!r} is missing; what follows is not stored before it comes"
        self._troubles.note(edge.id, self._clock(), why)

    def _store(self, session: Session, edge: KnownEdge, journal: str, rows: list[Numbered], received: datetime) -> None:
        offsets = offsets_of(session, edge.id, journal, rows)
        records = [record(edge, journal, row, received, offsets) for row in rows]
        for refused in (r for r in records if r["kind"] == REFUSED):
            where = f"row {refused['seq']} of journal {journal!r}"
            self._troubles.note(
                edge.id, self._clock(), f"edge {edge.id!r}, {where}: {refused['detail']}; kept, not counted"
            )
        _name_the_settled(session, records)
        insert(session.connection(), _journal_row, records)
        moved = ((r["member"], Move(of(r["moved_at"]), r["inside"])) for r in records if r["inside"] is not None)
        store_moves(session, moved)
        date_anew(session, edge.id, journal, rows, offsets)
        store(session, _other_facts(rows, records))
        _note_doors(session, records)
        reached = {"edge": edge.id, "journal": journal, "seq": rows[-1].seq, "updated": received}
        upsert(session.connection(), _position, [reached])

    def _take_status(self, edge: KnownEdge, topic: str, body: bytes) -> None:
        status = decode(Status, body, topic)
        said_at = moment(_said_at(status, topic, self._clock()))
        with self._database.transaction() as session:
            row = session.get(Edge, edge.id)
            if row is not None:
                _check_newer(row, status, said_at, topic)
                _apply(row, status, said_at)
            outrun = tuple(lane for lane, version in _held(status) if outran(session, lane, version))
        self._changed()
        self._told(StatusTaken(edge.id, status, outrun))


def known_edges(session: Session) -> dict[str, KnownEdge]:
    """The edges with a key, by id, with the readers of their access points and machines."""
    readers: dict[str, dict[str, Direction | None]] = {
        machine.id: {machine.reader: None} for machine in session.exec(select(Machine))
    }
    points = session.exec(select(AccessPoint)).all()
    for point in points:
        readers[point.id] = {point.reader_in: Direction.IN}
        if point.reader_out is not None:
            readers[point.id][point.reader_out] = Direction.OUT
    return {
        edge.id: KnownEdge(
            edge.id,
            edge.public_key,
            frozenset(edge.access_points),
            frozenset(point.id for point in points if point.id in edge.access_points),
            {reader: way for place in edge.access_points for reader, way in readers.get(place, {}).items()},
        )
        for edge in session.exec(select(Edge))
    }


def _other_facts(rows: list[Numbered], records: list[dict[str, Any]]) -> Iterator[Fact]:
    """What the rows say beside who moved, which is in their records already."""
    for numbered, stored in zip(rows, records, strict=True):
        if numbered.row is not None and says_more(numbered.row) and stored["kind"] != REFUSED:
            facts = facts_of(numbered.row, of(stored["at"]))
            yield from (fact for fact in facts if not isinstance(fact, Moved))


def _name_the_settled(session: Session, records: list[dict[str, Any]]) -> None:
    """Give each door_opened row the member of the tap that it settles, where the edge left it out."""
    taps = {r["seq"]: r["member"] for r in records if r["kind"] == Kind.TAP}
    for r in records:
        if r["inside"] and r["member"] is None:
            known = taps.get(r["settles"]) or _tapper(session, r)
            r["member"] = known
            if known is None:
                r["inside"] = r["moved_at"] = None


def _tapper(session: Session, opened: dict[str, Any]) -> str | None:
    return session.exec(
        select(JournalRow.member).where(
            JournalRow.edge == opened["edge"],
            JournalRow.journal == opened["journal"],
            JournalRow.seq == opened["settles"],
        )
    ).first()


def _note_doors(session: Session, records: list[dict[str, Any]]) -> None:
    """Remember what contact and fire panel of each door said last, and when the door was last forced."""
    said: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for r in records:
        if r["kind"] in DOOR_AND_FIRE and r["access_point"] is not None:
            said[r["access_point"]].append(r)
    for place, here in said.items():
        state = session.get(DoorState, place) or DoorState(access_point=place, kind=None)
        _note_door(state, here)
        session.add(state)


def _note_door(state: DoorState, said: list[dict[str, Any]]) -> None:
    """Take rows of one door into what is known; the newest of each sort counts."""
    fire = _newest(said, FIRE_KINDS)
    if fire is not None and (state.fire_at is None or fire["at"] >= state.fire_at):
        state.fire, state.fire_at = fire["kind"] == Kind.FIRE, fire["at"]
    moved = _newest(said, DOOR_KINDS)
    if moved is not None and (state.at is None or moved["at"] >= state.at):
        state.kind, state.at = str(moved["kind"]), moved["at"]
    forced = _newest(said, (Kind.DOOR_FORCED,))
    if forced is not None and (state.forced_at is None or forced["at"] > state.forced_at):
        state.forced_at = forced["at"]


def _newest(said: list[dict[str, Any]], kinds: tuple[Kind, ...]) -> dict[str, Any] | None:
    return max((r for r in said if r["kind"] in kinds), key=lambda r: (r["at"], r["seq"]), default=None)


def _said_at(status: Status, topic: str, now: Instant) -> Instant:
    """When the edge said so: never later than now. A will has been written long before it is sent."""
    if status.at is None or not status.online:
        return now
    try:
        return min(instant(status.at), now)
    except (ValueError, OverflowError) as error:
        raise WireError(f"{topic}: at {status.at!r} is no instant ({error})") from None


def _held(status: Status) -> list[tuple[Lane, int]]:
    """The versions that the edge holds."""
    versions = ((Lane.RULES, status.rules_version), (Lane.STATE, status.state_version))
    return [(lane, version) for lane, version in versions if version is not None]


def _check_newer(edge: Edge, status: Status, at: datetime, topic: str) -> None:
    """Raises WireError for a status that is older than one that was taken: kept by somebody, and sent once more.

    A clock that is not trusted tells nothing. A will is always older, and is taken: so an edge is not believed to be
    there for longer than it says so.
    """
    if not status.online or status.clock in (None, ClockState.UNKNOWN):
        return
    if edge.said is not None and at < edge.said:
        raise WireError(
            f"{topic}: of {at.isoformat()}, older than one of {edge.said.isoformat()}; an edge whose clock was set says"
            " so in its journal: see who writes to the broker"
        )
    edge.said = at


def _follow_clock(session: Session, edge: str, rows: list[Numbered]) -> None:
    """Where the journal says that an edge's clock is another, its next status may bear an older instant."""
    known = session.get(Edge, edge) if any(n.row is not None and n.row.kind in CLOCK_KINDS for n in rows) else None
    if known is not None:
        known.said = None


def _changes_state(row: Row) -> bool:
    """Whether the state of the site may be another after it; a refusal at a door, for one, changes nothing."""
    if row.kind is Kind.TAP:
        took_effect = row.granted is True and not row.pending
        return took_effect or row.adhoc_until is not None or row.reason is Reason.MACHINE_BUSY
    return row.kind in STATE_KINDS


def reply_of(nonce: str, *, done: bool, why: str | None) -> Reply:
    """A reply: why is said of what was not done."""
    return Reply(nonce, done, "" if done else why or "")


def _apply(edge: Edge, status: Status, at: datetime) -> None:
    if edge.online != status.online:
        edge.since = at
    edge.online = status.online
    if not status.online:
        return
    edge.last_seen = at if edge.last_seen is None else max(at, edge.last_seen)
    edge.software = status.software
    edge.rules_version = status.rules_version
    edge.state_version = status.state_version
    edge.clock = status.clock
    edge.readers = dict(status.readers)
    edge.unacknowledged = status.unacknowledged
    edge.journal_fault = status.journal_fault
    edge.temperature = status.temperature
    edge.free_disk = status.free_disk
