"""What happened in truth, and what has reached each edge? Written down while the storm goes on."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from policy.bundle import Bundle
from policy.instants import instant, text
from policy.terms import SECOND, ClockState, Instant
from proofs.storm.hours import local_time, site_day
from proofs.storm.messages import command_in, facts_in, state_in
from proofs.storm.reading import Knowledge
from wire.messages import Command
from wire.row import Order, Row

if TYPE_CHECKING:
    from proofs.storm.pi import Pi

WRONG_BY: Instant = SECOND
"""A wall clock that is wrong by more makes the order of its moves doubtful."""
SLACK: Instant = 15 * SECOND
"""A strike is released for 5 s, and by a clock that may be 10 s behind the server's."""


class BrokenWorldError(Exception):
    """A promise was broken. The message says where and when, what was expected and what was seen."""


@dataclass(slots=True)
class Move:
    """What a granted tap did in truth. at: true instant. boot: which start of its edge. doubtful: at a wrong clock."""

    at: Instant
    inside: bool
    edge: str
    journal: str
    seq: int
    boot: int
    doubtful: bool


@dataclass(slots=True)
class Unit:
    """A half-day that a member paid."""

    name: str
    edge: str
    journal: str
    seq: int


@dataclass(slots=True)
class Seen:
    """What is known of one edge. heard: rows of others that were delivered to it. on_disk: its newest row there.

    starting: the row of the session whose interlock may close, 0 for none. commands: of each that came, by its
    nonce, whether it came in time. carried_out: by nonce, the journal and row that say so.
    ordered: a command to open has just come, for the first time and in time; goes_on: one to let a session go on.
    released: the strike is. pulse_by,
    kept_by: when it must be back, of a grant or an order to open, and of an order to keep it unlocked.
    """

    heard: set[tuple[str, str, int]] = field(default_factory=set)
    covered: dict[str, dict[str, int]] = field(default_factory=dict)
    state_version: int = 0
    on_disk: int = 0
    commands: dict[str, bool] = field(default_factory=dict)
    carried_out: dict[str, tuple[str, int]] = field(default_factory=dict)
    ordered: bool = False
    goes_on: bool = False
    starting: int = 0
    granted: bool = False
    released: bool = False
    pulse_by: Instant = 0
    kept_by: Instant = 0
    driven: list[str] = field(default_factory=list)
    presented: tuple[str, str, Knowledge] | None = None


class Record:
    """The bundles, moves and paid half-days, and of each edge what it has seen and heard.

    now: the true instant. hampered: whether an edge's way to the server is cut, slow or unsteady at the moment.
    """

    def __init__(self, now: Callable[[], Instant], hampered: Callable[[str], bool]) -> None:
        self.bundles: dict[int, Bundle] = {}
        self.newest: Bundle
        self.compiled: dict[int, date] = {}
        self.locked_down = False
        self.moves: defaultdict[str, list[Move]] = defaultdict(list)
        self.units: defaultdict[str, list[Unit]] = defaultdict(list)
        self.doubted: dict[str, Instant] = {}
        self.unwritten: defaultdict[str, set[int]] = defaultdict(set)
        """Of each edge the numbers of taps that were decided and not yet found in its journal."""
        self.counts: Counter[str] = Counter()
        self.seen: defaultdict[str, Seen] = defaultdict(Seen)
        self.diary: Callable[[bytes], object] = lambda happened: None
        """Takes all that edges hear and decide."""
        self.now = now
        self.hampered = hampered

    def broken(self, pi: "Pi | str", what: str) -> None:
        name = pi if isinstance(pi, str) else pi.name
        raise BrokenWorldError(f"{text(self.now())} at edge {name!r}: {what}")

    # What the storm tells

    def published(self, version: int, bundle: Bundle) -> None:
        self.bundles[version] = self.newest = bundle
        self.compiled.setdefault(version, site_day(local_time(self.now())))

    def started(self, pi: "Pi") -> None:
        """An edge is back: what was on its disk must be there, what was not is forgotten."""
        seen, edge = self.seen[pi.name], pi.edge
        journal = edge.storage.writer.journal if edge else None
        if journal is None:
            self.broken(pi, "the journal does not open after a power cut")
            return
        if journal.last_seq < seen.on_disk:
            self.broken(
                pi, f"row {seen.on_disk} was on the disk, after the power cut the journal ends at {journal.last_seq}"
            )
        self._forget(pi.name, journal.id, journal.last_seq)
        seen.on_disk = journal.last_seq
        held = edge.storage.site_updates.held if edge else None
        seen.covered = {name: dict(journals) for name, journals in held.snapshot.positions.items()} if held else {}
        seen.state_version = held.version if held else 0
        seen.heard.clear()

    def cut(self, pi: "Pi") -> None:
        seen = self.seen[pi.name]
        seen.starting, seen.driven = 0, []
        seen.released, seen.kept_by = False, 0

    def delivered(self, pi: "Pi", topic: str, payload: bytes) -> None:
        """A message reaches an edge."""
        self.diary(f"{self.now()} {pi.name} {topic} ".encode() + payload)
        seen, leaf = self.seen[pi.name], topic.rpartition("/")[2]
        if leaf == "facts":
            sender = topic.split("/")[3]
            journal, seqs = facts_in(payload)
            seen.heard.update((sender, journal, seq) for seq in seqs)
        elif leaf == "state":
            state = state_in(payload)
            if state.version > seen.state_version:
                seen.state_version, seen.covered = state.version, state.positions
        elif leaf == "command":
            self._commanded(seen, command_in(payload))

    def _commanded(self, seen: Seen, command: Command) -> None:
        fit = command.nonce not in seen.commands and self.now() <= instant(command.not_after)
        seen.commands.setdefault(command.nonce, fit)
        seen.ordered = fit and command.order in (Order.OPEN, Order.UNLOCK)
        seen.goes_on = fit and command.order is Order.EXTEND
        if fit and command.until is not None:
            seen.kept_by = max(seen.kept_by, instant(command.until) + SLACK)
        self.counts["commands late or again"] += not fit

    def carried_out(self, pi: "Pi", journal: str, row: Row) -> None:
        """A row says that a command was carried out: it had come in time, and no other row says so."""
        seen, nonce = self.seen[pi.name], row.nonce or ""
        if not seen.commands.get(nonce) or seen.carried_out.setdefault(nonce, (journal, row.seq)) != (journal, row.seq):
            self.broken(pi, f"row {row.seq}: command {nonce} ({row.order}) was carried out late, twice or uncalled for")

    def heard_out(self, pi: "Pi") -> None:
        """All that follows from a message has happened."""
        self.seen[pi.name].ordered = self.seen[pi.name].goes_on = False

    def journalled(self, pi: "Pi", seq: int) -> None:
        self.seen[pi.name].on_disk = max(self.seen[pi.name].on_disk, seq)

    def remember(self, pi: "Pi", row: Row) -> None:
        """What an edge decided and did."""
        edge = pi.edge
        journal = edge.storage.writer.journal if edge else None
        if not row.granted or row.member is None or journal is None:
            return
        doubtful = row.clock is ClockState.UNKNOWN or abs(pi.clock.offset) > WRONG_BY
        inside = str(row.reason) != "egress"
        self.moved(row.member, Move(self.now(), inside, pi.name, journal.id, row.seq, pi.boots, doubtful))
        if row.pays is not None:
            self.units[row.member].append(Unit(row.pays, pi.name, journal.id, row.seq))

    def moved(self, who: str, move: Move) -> None:
        """Somebody came or went."""
        moves = self.moves[who]
        moves.append(move)
        moves.sort(key=lambda move: (move.at, not move.inside))  # of in and out at one instant the out counts
        if move.doubtful:
            self.doubted[who] = self.now() + 2 * 86_400 * SECOND

    def _forget(self, edge: str, journal: str, last: int) -> None:
        """What was decided and not yet on the disk when the power went: acted on, and known to nobody."""

        def known(did: Move | Unit) -> bool:
            return (did.edge, did.journal) != (edge, journal) or did.seq <= last

        lost = {seq for seq in self.unwritten[edge] if seq > last}
        self.unwritten[edge] -= lost
        self.counts["taps lost before they were on a disk"] += len(lost)
        for who, moves in self.moves.items():
            self.moves[who] = [move for move in moves if known(move)]
        for who, units in self.units.items():
            self.units[who] = [unit for unit in units if known(unit)]

    def forget_before(self, at: Instant) -> None:
        """Moves of earlier days tell nothing any more."""
        for who, moves in self.moves.items():
            self.moves[who] = [move for move in moves if move.at >= at]

    # What is asked of it

    def must_know(self, pi: "Pi", edge: str, journal: str, seq: int) -> bool:
        """Whether a row has reached an edge: its own, or one that it was told of."""
        seen = self.seen[pi.name]
        reached = seen.covered.get(edge, {}).get(journal, 0)
        return edge == pi.name or seq <= reached or (edge, journal, seq) in seen.heard

    def owner(self, uid: str, bundle: Bundle | None) -> str:
        """Whose badge it is; empty for nobody's."""
        return next((c.member for c in bundle.credentials if c.uid == uid), "") if bundle else ""
