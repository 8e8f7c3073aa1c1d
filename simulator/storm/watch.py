"""Is everything as it was promised? Looked at while the storm goes on; the first thing that is not raises.

What an edge decides must follow from what it says that it knows (simulator/storm/reading.py), and what it says that it
knows must be what it saw itself and was told: no less, and nothing else. So a decision may differ from what an
omniscient reader would say only by what has not reached the edge yet.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from policy.bundle import Bundle
from policy.instants import instant, text
from policy.terms import SECOND, ClockState, Instant
from simulator.storm.casting import MACHINE
from simulator.storm.reading import Knowledge, day_start, read
from wire.messages import Command, Facts, State
from wire.row import Order, Row
from wire.snapshot import unpack

if TYPE_CHECKING:
    from simulator.storm.pi import Pi

WRONG_BY: Instant = SECOND
"""A wall clock that is wrong by more makes the order of its moves doubtful."""
STARTS = ("booking", "walk_up")


class BrokenWorldError(Exception):
    """A promise was broken. The message says where and when, what was expected and what was seen."""


@dataclass(slots=True)
class Move:
    """What a granted tap did in truth. at: true instant. doubtful: its edge had a wrong clock."""

    at: Instant
    inside: bool
    edge: str
    journal: str
    seq: int
    doubtful: bool


@dataclass(slots=True)
class Unit:
    """A half-day that a member paid."""

    start: Instant
    edge: str
    journal: str
    seq: int


@dataclass(slots=True)
class Seen:
    """What is known of one edge. heard: rows of others that were delivered to it. on_disk: its newest row there."""

    heard: set[tuple[str, str, int]] = field(default_factory=set)
    covered: dict[str, dict[str, int]] = field(default_factory=dict)
    state_version: int = 0
    on_disk: int = 0
    opens: int = 0
    starting: bool = False
    granted: bool = False
    driven: list[str] = field(default_factory=list)
    presented: tuple[str, str, Knowledge] | None = None


class Watch:
    """now: the true instant. alone: whether an edge is cut off from the server at the moment."""

    def __init__(self, now: Callable[[], Instant], alone: Callable[[str], bool]) -> None:
        self.bundles: dict[int, Bundle] = {}
        self.moves: defaultdict[str, list[Move]] = defaultdict(list)
        self.units: defaultdict[str, list[Unit]] = defaultdict(list)
        self.doubted: dict[str, Instant] = {}
        self.counts: Counter[str] = Counter()
        self.seen: defaultdict[str, Seen] = defaultdict(Seen)
        self.diary: Callable[[str], object] = lambda line: None
        self._now = now
        self._alone = alone

    # What the storm tells

    def published(self, version: int, bundle: Bundle) -> None:
        self.bundles[version] = bundle

    def presented(self, pi: "Pi", reader: str, uid: str) -> None:
        """A badge is about to be laid on: what does the edge know now?"""
        self.seen[pi.name].presented = (reader, uid, self._knowledge(pi, uid))

    def started(self, pi: "Pi") -> None:
        """An edge is back: what was on its disk must be there, what was not is forgotten."""
        seen, edge = self.seen[pi.name], pi.edge
        journal = edge.keeper.archive.journal if edge else None
        if journal is None:
            self.broken(pi, "the journal does not open after a power cut")
            return
        if journal.last_seq < seen.on_disk:
            self.broken(
                pi, f"row {seen.on_disk} was on the disk, after the power cut the journal ends at {journal.last_seq}"
            )
        self._forget(pi.name, journal.id, journal.last_seq)
        seen.on_disk = journal.last_seq
        held = edge.keeper.hearing.held if edge else None
        seen.covered = {name: dict(journals) for name, journals in held.snapshot.positions.items()} if held else {}
        seen.state_version = held.version if held else 0
        seen.heard.clear()

    def cut(self, pi: "Pi") -> None:
        seen = self.seen[pi.name]
        seen.opens, seen.starting, seen.driven = 0, False, []

    def delivered(self, pi: "Pi", topic: str, payload: bytes) -> None:
        """A message reaches an edge."""
        seen, leaf = self.seen[pi.name], topic.rpartition("/")[2]
        if leaf == "facts":
            sender = topic.split("/")[3]
            journal, seqs = _facts(payload)
            seen.heard.update((sender, journal, seq) for seq in seqs)
        elif leaf == "state":
            version, positions = _state(payload)
            if version > seen.state_version:
                seen.state_version, seen.covered = version, positions
        elif leaf == "command" and _order(payload) is Order.OPEN:
            seen.opens += 1

    def decided(self, pi: "Pi", row: Row) -> None:
        """An edge decided a tap."""
        self.counts["taps"] += 1
        self.counts["taps decided alone"] += self._alone(pi.name)
        seen = self.seen[pi.name]
        seen.granted = bool(row.granted)
        self.diary(f"{text(self._now())} {pi.name} {row.reader} {row.member} {row.granted} {row.reason}")
        if pi.name == MACHINE:
            seen.starting = seen.starting or row.reason in STARTS
            return
        self._compare(pi, row)
        self._remember(pi, row)

    def journalled(self, pi: "Pi", seq: int) -> None:
        self.seen[pi.name].on_disk = max(self.seen[pi.name].on_disk, seq)

    def output(self, pi: "Pi", name: str, active: bool) -> None:
        if active and name in ("strike", "interlock"):
            self.seen[pi.name].driven.append(name)

    def before(self, pi: "Pi") -> None:
        self.seen[pi.name].granted = False

    def after(self, pi: "Pi") -> None:
        """No relay moves but for a grant, a command in time, or a session's start."""
        seen = self.seen[pi.name]
        driven, seen.driven = seen.driven, []
        for relay in driven:
            self.counts["relay pulses"] += 1
            if relay == "strike" and seen.granted:
                continue
            if relay == "strike" and seen.opens:
                seen.opens -= 1
            elif relay == "interlock" and seen.starting:
                seen.starting = False
            else:
                self.broken(pi, f"the {relay} moved, and nobody was granted anything")

    def broken(self, pi: "Pi", what: str) -> None:
        raise BrokenWorldError(f"{text(self._now())} at edge {pi.name!r}: {what}")

    # What an edge knows, and must know

    def _knowledge(self, pi: "Pi", uid: str) -> Knowledge:
        edge = pi.edge
        if edge is None:
            raise BrokenWorldError("nobody taps without power")
        core, trusted = edge.front.controller.core, pi.clock.state() is not ClockState.UNKNOWN
        at = pi.clock.now() if trusted else core._trusted[0]
        today = day_start(at)
        moves = core.state.presence.moves.items()
        owner = self._owner(uid, core.held.version if core.held else None)
        return Knowledge(
            at=at,
            trusted=trusted,
            stale=core.held is None or at > core.held.not_after,
            lockdown=core.state.lockdown,
            inside=frozenset(who for who, move in moves if move.inside and move.at >= today),
            paid=frozenset(core.state.units.get(owner, ())),
        )

    def _owner(self, uid: str, version: int | None) -> str:
        bundle = self.bundles.get(version or 0)
        return next((c.member for c in bundle.credentials if c.uid == uid), "") if bundle else ""

    def _compare(self, pi: "Pi", row: Row) -> None:
        presented = self.seen[pi.name].presented
        if presented is None or presented[0] != row.reader:
            self.broken(pi, f"a tap at {row.reader} was decided that nobody made")
            return
        reader, uid, known = presented
        if row.rules_version is None:
            expected = (True, "egress") if reader.endswith("-out") else (False, "rules_stale")
        elif row.rules_version not in self.bundles:
            self.broken(pi, f"rules {row.rules_version} were never published")
            return
        else:
            expected = read(self.bundles[row.rules_version], uid, pi.name, reader.endswith("-out"), known)
        if (row.granted, str(row.reason)) != expected:
            self.broken(
                pi, f"{uid} at {reader}: decided {row.granted} {row.reason}, should be {expected} knowing {known}"
            )
        self._check_claims(pi, row, known)

    def _check_claims(self, pi: "Pi", row: Row, known: Knowledge) -> None:
        """What it says that it knows of this member and of the gardiens is what it saw and was told."""
        bundle = self.bundles.get(row.rules_version or 0)
        concerned = {m.id for m in bundle.members if "gardien" in m.roles} if bundle else set()
        if not known.trusted or abs(pi.clock.offset) > WRONG_BY:
            return
        today = day_start(self._now())
        for who in sorted(concerned | ({row.member} if row.member else set())):
            if self.doubted.get(who, 0) > self._now():
                self.counts["doubtful"] += 1
                continue
            possible = self._possible(pi, who, today)
            if (who in known.inside) not in possible:
                self.broken(
                    pi, f"it takes {who} for {'in' if who in known.inside else 'out'}side; it was told otherwise"
                )
        if row.member:
            self._check_units(pi, row.member, known)

    def _possible(self, pi: "Pi", who: str, today: Instant) -> set[bool]:
        """Whether the member can be inside, as far as this edge can know: by the last that it must know, or newer."""
        found: set[bool] = set()
        for move in reversed(self.moves[who]):
            found.add(move.inside and move.at >= today)
            if self._must_know(pi, move.edge, move.journal, move.seq):
                return found
            if move.at < today:
                break
        return found | {False}

    def _must_know(self, pi: "Pi", edge: str, journal: str, seq: int) -> bool:
        seen = self.seen[pi.name]
        reached = seen.covered.get(edge, {}).get(journal, 0)
        return edge == pi.name or seq <= reached or (edge, journal, seq) in seen.heard

    def _check_units(self, pi: "Pi", who: str, known: Knowledge) -> None:
        paid = self.units[who]
        sure = {unit.start for unit in paid if self._must_know(pi, unit.edge, unit.journal, unit.seq)}
        if not sure <= known.paid:
            self.broken(pi, f"{who} paid {sorted(sure - known.paid)}, and it does not know though it was told")
        if not known.paid <= {unit.start for unit in paid}:
            self.broken(
                pi, f"it believes that {who} paid {sorted(known.paid)}; in truth {sorted(u.start for u in paid)}"
            )

    def _remember(self, pi: "Pi", row: Row) -> None:
        edge = pi.edge
        journal = edge.keeper.archive.journal if edge else None
        if not row.granted or row.member is None or journal is None:
            return
        doubtful = row.clock is ClockState.UNKNOWN or abs(pi.clock.offset) > WRONG_BY
        inside = str(row.reason) != "egress"
        self.moves[row.member].append(Move(self._now(), inside, pi.name, journal.id, row.seq, doubtful))
        if doubtful:
            self.doubted[row.member] = self._now() + 2 * 86_400 * SECOND
        if row.pays is not None:
            self.units[row.member].append(Unit(instant(row.pays), pi.name, journal.id, row.seq))

    def _forget(self, edge: str, journal: str, last: int) -> None:
        """What was decided and not yet on the disk when the power went: acted on, and known to nobody."""

        def known(did: Move | Unit) -> bool:
            return (did.edge, did.journal) != (edge, journal) or did.seq <= last

        for who, moves in self.moves.items():
            self.moves[who] = [move for move in moves if known(move)]
            self.counts["taps lost before they were on a disk"] += len(moves) - len(self.moves[who])
        for who, units in self.units.items():
            self.units[who] = [unit for unit in units if known(unit)]


def forget_before(watch: Watch, at: Instant) -> None:
    """Moves of earlier days tell nothing any more."""
    for who, moves in watch.moves.items():
        watch.moves[who] = [move for move in moves if move.at >= at]


class _Sealed(Struct):
    body: Raw


class _Seq(Struct):
    seq: int


@lru_cache(maxsize=64)
def _facts(payload: bytes) -> tuple[str, tuple[int, ...]]:
    facts = msgspec.json.decode(msgspec.json.decode(payload, type=_Sealed).body, type=Facts)
    return facts.journal, tuple(msgspec.json.decode(row, type=_Seq).seq for row in facts.rows)


@lru_cache(maxsize=16)
def _state(payload: bytes) -> tuple[int, dict[str, dict[str, int]]]:
    state = msgspec.json.decode(msgspec.json.decode(payload, type=_Sealed).body, type=State)
    return state.version, unpack(state.body).positions


def _order(payload: bytes) -> Order:
    return msgspec.json.decode(msgspec.json.decode(payload, type=_Sealed).body, type=Command).order
