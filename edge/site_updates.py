"""What do server and other edges say of the site? It is checked, written to the disk, and given to the controller."""

from collections.abc import Callable, Iterator, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec.structs import replace

from edge.config import Config
from edge.core import Memory
from edge.events import Event, FactsHeard, StateHeard
from edge.held import HeldState
from edge.journal import Told
from edge.journal_writer import JournalWriter
from edge.knowledge import Knowledge, Positions, Receipt
from edge.message_verifier import MessageVerifier
from edge.ports import Clock
from edge.rule_updates import RuleUpdates
from edge.rules import RefusedError
from edge.server_time import ServerTime
from edge.work_items import Received
from policy.instants import instant
from policy.ruleset import Reader, RuleSet
from wire.errors import WireError
from wire.facts import PASSAGES, facts_for_others
from wire.messages import MAX_ROWS, State
from wire.row import PLACES, Place, Row, check_instants, decode, encode
from wire.snapshot import unpack
from wire.topics import Topics

STATE = "state"
"""The name under which the signed message is kept, as it came."""


class SiteUpdates:
    """State and facts from outside: checked, on the disk. tell: gives an event to the controller."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        verifier: MessageVerifier,
        writer: JournalWriter,
        rule_updates: RuleUpdates,
        server_time: ServerTime,
        tell: Callable[[Event], None],
    ) -> None:
        self.held: HeldState | None = None
        self._edge = config.edge
        self._topic = Topics(config.site).state
        self._clock = clock
        self._verifier = verifier
        self._writer = writer
        self._rule_updates = rule_updates
        self._server_time = server_time
        self._tell = tell

    @property
    def positions(self) -> Positions:
        """Up to which row of each journal the held state reaches."""
        return self.held.snapshot.positions if self.held else {}

    def load(self, kept: Mapping[str, bytes]) -> None:
        """Take up the state that lies on the disk; one that is damaged is left there."""
        if STATE in kept:
            try:
                message = self._verifier.recall(State, self._topic, kept[STATE])
                self.held = HeldState(message.version, message.hash, unpack(message.body))
            except WireError as error:
                self._verifier.refuse("state on the disk", error)

    def starting_knowledge(self) -> Knowledge:
        """What the controller starts from; the link has still to come up."""
        knowledge = Knowledge()
        knowledge.state.link_up = False
        if self.held is not None:
            knowledge.replace_snapshot(self.held.version, self.held.snapshot, None)
        return knowledge

    def add_kept_rows(self, memory: Memory, heard: list[Told]) -> None:
        """Add the rows of other edges that lie on the disk, checked by the rules of today."""
        for told in heard:
            doubtful = Receipt(memory.last_at, self._clock.monotonic())
            receipt = doubtful if told.received is None else Receipt(told.received)
            for row in self._credible(told.edge, [row for _, row in told.rows]):
                memory.knowledge.add_heard(told.edge, told.journal, row, receipt)

    def state(self, message: State, payload: bytes) -> None:
        """A new state. What the disk does not take counts all the same: a lockdown waits for no card.

        Raises WireError when it is refused.
        """
        if self.held is not None and message.version <= self.held.version:
            if message.version < self.held.version:
                raise RefusedError("older", f"state {message.version}: this edge holds {self.held.version}")
            if message.hash != self.held.hash:
                raise RefusedError("twin", f"state {message.version}: two of them under one version")
            return
        snapshot = unpack(message.body)
        self.held = HeldState(message.version, message.hash, snapshot)
        self._writer.keep({STATE: payload}, snapshot.positions)
        self._tell(StateHeard(self._clock.now(), self._clock.monotonic(), message.version, snapshot, self._own()))

    @property
    def reached(self) -> Mapping[str, int]:
        """The last row in the state of each journal of this edge."""
        return self.positions.get(self._edge, {})

    def _own(self) -> int | None:
        """The same by the controller's numbers; None where the state knows nothing of this journal."""
        journal = self._writer.journal
        reached = self.reached.get(journal.id, 0) if journal else 0
        return reached + self._writer.shift if reached else None

    def facts(self, edge: str, item: Received) -> None:
        """Rows of another edge. Raises WireError when its message is refused; a row that is, is left out."""
        if edge == self._edge:
            return
        message = self._verifier.facts(self._key_of(edge), edge, item.topic, item.payload)
        if len(message.rows) > MAX_ROWS:
            raise WireError(f"{item.topic}: {len(message.rows)} rows; at most {MAX_ROWS} travel in a message")
        reached = self.positions.get(edge, {}).get(message.journal, 0)
        rows = [row for row in self._credible(edge, [bytes(row) for row in message.rows]) if row.seq > reached]
        trusted, now = self._server_time.dates, self._clock.now()
        told = Told(edge, message.journal, now if trusted else None, [(row.seq, encode(row)) for row in rows])
        new = self._writer.attempt(lambda journal: journal.hear([told])) if rows else []
        news = tuple(row for row in rows if new is None or row.seq in new)
        if news:
            self._tell(FactsHeard(now, self._clock.monotonic(), edge, message.journal, news, trusted))

    def _key_of(self, edge: str) -> Ed25519PublicKey:
        """Raises RefusedError when the rules in force do not name the edge."""
        rules = self._rules
        known = rules.edges.get(edge) if rules is not None else None
        if known is None:
            raise RefusedError("stranger", f"facts of edge {edge!r}: the rules in force do not name it")
        try:
            return Ed25519PublicKey.from_public_bytes(bytes.fromhex(known))
        except ValueError as error:
            raise RefusedError("key", f"facts of edge {edge!r}: its key in the rules is none ({error})") from None

    def _credible(self, edge: str, rows: list[bytes]) -> Iterator[Row]:
        """The rows that this edge may tell."""
        readers = readers_of(self._rules, edge)
        for raw in rows:
            try:
                yield checked(readers, edge, raw)
            except WireError as error:
                self._verifier.refuse(f"{edge}/facts", error)

    @property
    def _rules(self) -> RuleSet | None:
        held = self._rule_updates.held
        return held.rules if held else None


def readers_of(rules: RuleSet | None, edge: str) -> dict[str, Reader]:
    """By name, those that the rules in force give to this edge."""
    return {} if rules is None else {name: one for name, one in rules.readers.items() if one.edge == edge}


def checked(readers: Mapping[str, Reader], edge: str, raw: bytes) -> Row:
    """The row, if its edge owns the place and the reader that it is about, without its credential.

    readers: the edge's own.

    Raises WireError, and RefusedError for what is readable but not the edge's to tell.
    """
    row = decode(raw, f"a row of edge {edge!r}")
    doors = {reader.access_point: reader.direction is not None for reader in readers.values()}
    if row.access_point not in doors:
        raise RefusedError("foreign", f"row {row.seq} of edge {edge!r}: {row.access_point!r} is not a place of its own")
    if row.reader is not None and (row.reader not in readers or readers[row.reader].access_point != row.access_point):
        raise RefusedError("foreign", f"row {row.seq} of edge {edge!r}: reader {row.reader!r} is not its own there")
    try:
        check_instants(row)
        told = tuple(facts_for_others(row, instant(row.at)))
    except (ValueError, OverflowError) as error:
        raise RefusedError("unreadable", f"row {row.seq} of edge {edge!r}: {error}") from None
    place = Place.DOOR if doors[row.access_point] else Place.MACHINE
    if place not in PLACES[row.kind] or any(isinstance(f, PASSAGES) is not doors[row.access_point] for f in told):
        raise RefusedError(
            "misplaced", f"row {row.seq} of edge {edge!r}: {row.kind} does not happen at {row.access_point!r}"
        )
    if not told:
        raise RefusedError("idle", f"row {row.seq} of edge {edge!r}: {row.kind} is nothing that others must know")
    return replace(row, credential=None, detail=None)
