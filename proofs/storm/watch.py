"""Is everything as it was promised? Looked at while the storm goes on; the first thing that is not raises.

What an edge decides must follow from what it says that it knows (proofs/storm/reading.py), and what it says that it
knows must be what it saw itself and was told: no less, and nothing else. So a decision may differ from what an
omniscient reader would say only by what has not reached the edge yet.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from policy.bundle import Bundle, Site
from policy.compile import DAYS_BEYOND, PAST_DAYS
from policy.instants import instant, text
from policy.sessions import Session
from policy.terms import SECOND, ClockState, Instant
from proofs.storm.casting import MACHINE
from proofs.storm.messages import command_in, facts_in, state_in, version_in
from proofs.storm.reading import Knowledge, day_start, local_time, read, site_day, week_start
from wire.messages import Command
from wire.row import Order, Row

if TYPE_CHECKING:
    from proofs.storm.pi import Pi

WRONG_BY: Instant = SECOND
"""A wall clock that is wrong by more makes the order of its moves doubtful."""
SLACK: Instant = 15 * SECOND
"""A strike is released for 5 s, and by a clock that may be 10 s behind the server's."""
STARTS = ("booking", "walk_up")


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
    ordered: a command to open has just come, for the first time and in time. released: the strike is. pulse_by,
    kept_by: when it must be back, of a grant or an order to open, and of an order to keep it unlocked.
    """

    heard: set[tuple[str, str, int]] = field(default_factory=set)
    covered: dict[str, dict[str, int]] = field(default_factory=dict)
    state_version: int = 0
    on_disk: int = 0
    commands: dict[str, bool] = field(default_factory=dict)
    carried_out: dict[str, tuple[str, int]] = field(default_factory=dict)
    ordered: bool = False
    starting: int = 0
    granted: bool = False
    released: bool = False
    pulse_by: Instant = 0
    kept_by: Instant = 0
    driven: list[str] = field(default_factory=list)
    presented: tuple[str, str, Knowledge] | None = None


class Watch:
    """now: the true instant. hampered: whether an edge's way to the server is cut, slow or unsteady at the moment."""

    def __init__(self, now: Callable[[], Instant], hampered: Callable[[str], bool]) -> None:
        self.bundles: dict[int, Bundle] = {}
        self.newest: Bundle
        self._compiled: dict[int, date] = {}
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
        self._now = now
        self._hampered = hampered

    # What the storm tells

    def published(self, version: int, bundle: Bundle) -> None:
        self.bundles[version] = self.newest = bundle
        self._compiled.setdefault(version, site_day(local_time(self._now())))

    def presented(self, pi: "Pi", reader: str, uid: str) -> None:
        """A badge is about to be laid on: what does the edge know now?"""
        self.seen[pi.name].presented = (reader, uid, self._knowledge(pi, uid))

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
        self.diary(f"{self._now()} {pi.name} {topic} ".encode() + payload)
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
        fit = command.nonce not in seen.commands and self._now() <= instant(command.not_after)
        seen.commands.setdefault(command.nonce, fit)
        seen.ordered = fit and command.order in (Order.OPEN, Order.UNLOCK)
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
        self.seen[pi.name].ordered = False

    def decided(self, pi: "Pi", row: Row) -> None:
        """An edge decided a tap."""
        self.counts["taps"] += 1
        self.counts["taps hampered"] += self._hampered(pi.name)
        self.unwritten[pi.name].add(row.seq)
        seen = self.seen[pi.name]
        seen.granted = bool(row.granted)
        self.diary(f"{text(self._now())} {pi.name} {row.reader} {row.member} {row.granted} {row.reason}".encode())
        self._compare(pi, row)
        if pi.name == MACHINE:
            seen.starting = row.seq + 1 if row.reason in STARTS else seen.starting
        else:
            self._remember(pi, row)

    def journalled(self, pi: "Pi", seq: int) -> None:
        self.seen[pi.name].on_disk = max(self.seen[pi.name].on_disk, seq)

    def output(self, pi: "Pi", name: str, active: bool) -> None:
        seen, relay = self.seen[pi.name], _relay(name)
        if active and relay:
            seen.driven.append(relay)
        if relay == "strike":
            seen.released = active
        if active and relay == "interlock" and seen.on_disk < seen.starting:
            self.broken(pi, f"the interlock closes, and row {seen.starting} of the start is not on the disk")

    def still(self, pi: "Pi", moved: list[str], when: str) -> None:
        """Nothing but lamps may move at such a moment."""
        relays = [relay for name in moved if (relay := _relay(name))]
        if relays:
            self.broken(pi, f"the {relays[0]} moved when {when}")

    def before(self, pi: "Pi") -> None:
        self.seen[pi.name].granted = False

    def after(self, pi: "Pi") -> None:
        """No relay moves but for a grant, a command that came in time and for the first time, or a session's start."""
        seen = self.seen[pi.name]
        driven, seen.driven = seen.driven, []
        for relay in driven:
            self.counts["relay pulses"] += 1
            if relay == "strike" and seen.granted:
                continue
            if relay == "strike" and seen.ordered:
                seen.ordered, seen.pulse_by = False, self._now() + SLACK
                self.counts["openings by command"] += 1
            elif relay == "interlock" and seen.starting:
                seen.starting = 0
            else:
                self.broken(pi, f"the {relay} moved, and nobody was granted anything, nor ordered it in time and once")
        self._locked_in_time(pi, seen)

    def _locked_in_time(self, pi: "Pi", seen: Seen) -> None:
        """No strike stays released for longer than was granted or ordered, nor by order in a lockdown that is known."""
        if seen.granted or seen.ordered:
            seen.pulse_by = self._now() + SLACK
        if not seen.released or pi.edge is None:
            return
        self.counts["steps of a door kept unlocked"] += 1
        kept_by = 0 if pi.edge.control.controller.core.state.lockdown else seen.kept_by
        if self._now() > max(seen.pulse_by, kept_by):
            self.broken(pi, "the strike is released for longer than anybody granted or ordered")

    def broken(self, pi: "Pi | str", what: str) -> None:
        name = pi if isinstance(pi, str) else pi.name
        raise BrokenWorldError(f"{text(self._now())} at edge {name!r}: {what}")

    # What was decided

    def _compare(self, pi: "Pi", row: Row) -> None:
        """The decision follows from the rules and from what the edge says that it knows."""
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
            expected = read(self._as_compiled(row.rules_version, known.at), uid, reader, known)
        said = bool(row.granted), str(row.reason)
        if said != expected:
            self.broken(pi, f"{uid} at {reader}: decided {said}, should be {expected} knowing {known}")
        self.never_let_in(pi, row, uid)
        self.never_held_up(pi, row, known)
        self._check_claims(pi, row, known)
        self._name_what_was_late(pi, uid, said, row.rules_version, known)

    def _as_compiled(self, version: int, at: Instant) -> Bundle:
        """The calendar is known for some site days only: nobody's clock gets past them but one that is wrong for days.

        Before them shifts still cover, hours do not: none begins before the first of them.
        """
        bundle = self.bundles[version]
        ahead = (site_day(local_time(at)) - self._compiled[version]).days
        if ahead > bundle.site.offline_days + DAYS_BEYOND:
            return msgspec.structs.replace(bundle, site=_without_hours(bundle), shifts=())
        return bundle if ahead >= -PAST_DAYS else msgspec.structs.replace(bundle, site=_without_hours(bundle))

    def never_let_in(self, pi: "Pi", row: Row, uid: str) -> None:
        """A badge that the rules in force revoke opens and starts nothing."""
        bundle = self.bundles.get(row.rules_version or 0)
        if not row.granted or bundle is None or row.reason in ("egress", "session_ended"):
            return
        badge = next((badge for badge in bundle.credentials if badge.uid == uid), None)
        member = next((m for m in bundle.members if badge is not None and m.id == badge.member), None)
        if badge is None or member is None or badge.status != "active" or member.status != "active":
            self.broken(pi, f"{uid} was granted {row.reason} under rules {row.rules_version}, which revoke it")

    def never_held_up(self, pi: "Pi", row: Row, known: Knowledge) -> None:
        """Leaving is never refused, nor stopping one's own session."""
        leaves = str(row.reader).endswith("-out")
        stops = pi.name == MACHINE and known.running is not None and known.running == row.member
        if not row.granted and (leaves or stops):
            self.broken(pi, f"{row.member} was refused {row.reason} at {row.reader}, who only wants to leave or stop")

    def _name_what_was_late(
        self, pi: "Pi", uid: str, said: tuple[bool, str], version: int | None, known: Knowledge
    ) -> None:
        """Where somebody who knows everything would have said something else: which news had not come?"""
        reader = self.seen[pi.name].presented[0]  # type: ignore[index]
        bundle = self.bundles.get(version or 0, self.newest)
        truth = self._truth(uid, known)
        if read(self.newest, uid, reader, truth) == said:
            return
        late = {
            "rules": (bundle, truth),
            "lockdown": (self.newest, replace(truth, lockdown=known.lockdown)),
            "moves": (self.newest, replace(truth, inside=known.inside, paid=known.paid)),
            "clock": (self.newest, replace(truth, at=known.at, trusted=known.trusted, stale=known.stale)),
            "disk": (self.newest, replace(truth, recording=known.recording)),
        }
        names = [name for name, (rules, knows) in late.items() if read(rules, uid, reader, knows) == said]
        self.counts[f"late: {names[0] if names else 'several'}"] += 1

    def _truth(self, uid: str, known: Knowledge) -> Knowledge:
        """What somebody would know whom all news reach at once. What an edge sees for itself is the same."""
        now = self._now()
        today = day_start(now)
        owner = self._owner(uid, self.newest)
        last = {who: moves[-1] for who, moves in self.moves.items() if moves}
        return replace(
            known,
            at=now,
            trusted=True,
            stale=False,
            lockdown=self.locked_down,
            inside=frozenset(who for who, move in last.items() if move.inside and move.at >= today),
            paid=frozenset(unit.name for unit in self.units[owner]),
            recording=True,
        )

    # What an edge knows, and must know

    def heeded(self, pi: "Pi", topic: str, payload: bytes) -> None:
        """Rules and state that came are in force at once; but where the disk is not well, or the clock wrong."""
        leaf, edge = topic.rpartition("/")[2], pi.edge
        if edge is None:
            return
        core = edge.control.controller.core
        if leaf == "rules" and edge.storage.writer.trouble is None and abs(pi.clock.offset) <= WRONG_BY:
            version = version_in(payload)
            if core.held is None or core.held.version < version:
                self.broken(pi, f"rules {version} came, and {core.held and core.held.version} are in force")
        if leaf == "state":
            state = state_in(payload)
            if core.knowledge.version < state.version:
                self.broken(pi, f"state {state.version} came, and it knows {core.knowledge.version}")
            if core.knowledge.version == state.version and core.state.lockdown is not state.lockdown:
                self.broken(pi, f"state {state.version} says lockdown {state.lockdown}; it holds the opposite")

    def _knowledge(self, pi: "Pi", uid: str) -> Knowledge:
        edge = pi.edge
        if edge is None:
            raise BrokenWorldError("nobody taps without power")
        core, trusted = edge.control.controller.core, pi.clock.state() is not ClockState.UNKNOWN
        at = pi.clock.now() if trusted else core._trusted[0]
        today = day_start(at)
        moves = core.state.presence.moves.items()
        owner = self._owner(uid, self.bundles.get(core.held.version) if core.held else None)
        uses = list(core.state.sessions.of_machine(MACHINE))
        return Knowledge(
            at=at,
            trusted=trusted,
            stale=core.held is None or at > core.held.not_after,
            lockdown=core.state.lockdown,
            linked=core.state.link_up,
            inside=frozenset(who for who, move in moves if move.inside and move.at >= today),
            paid=frozenset(core.state.units.get(owner, ())),
            running=next((use.member for use in uses if use.start <= at and (_over(use) or at + 1) > at), None),
            used=sum(_seconds(use, week_start(at), at) for use in uses if use.member == owner),
            stopped=MACHINE in core.state.stopped,
            pressed=MACHINE in core.state.pressed,
            recording=core.journal_fault is None,
        )

    def _owner(self, uid: str, bundle: Bundle | None) -> str:
        return next((c.member for c in bundle.credentials if c.uid == uid), "") if bundle else ""

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
        sure = {unit.name for unit in paid if self._must_know(pi, unit.edge, unit.journal, unit.seq)}
        if not sure <= known.paid:
            self.broken(pi, f"{who} paid {sorted(sure - known.paid)}, and it does not know though it was told")
        if not known.paid <= {unit.name for unit in paid}:
            self.broken(
                pi, f"it believes that {who} paid {sorted(known.paid)}; in truth {sorted(u.name for u in paid)}"
            )

    def _remember(self, pi: "Pi", row: Row) -> None:
        edge = pi.edge
        journal = edge.storage.writer.journal if edge else None
        if not row.granted or row.member is None or journal is None:
            return
        doubtful = row.clock is ClockState.UNKNOWN or abs(pi.clock.offset) > WRONG_BY
        inside = str(row.reason) != "egress"
        moves = self.moves[row.member]
        moves.append(Move(self._now(), inside, pi.name, journal.id, row.seq, pi.boots, doubtful))
        moves.sort(key=lambda move: (move.at, not move.inside))  # of in and out at one instant the out counts
        if doubtful:
            self.doubted[row.member] = self._now() + 2 * 86_400 * SECOND
        if row.pays is not None:
            self.units[row.member].append(Unit(row.pays, pi.name, journal.id, row.seq))

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


def forget_before(watch: Watch, at: Instant) -> None:
    """Moves of earlier days tell nothing any more."""
    for who, moves in watch.moves.items():
        watch.moves[who] = [move for move in moves if move.at >= at]


def _relay(output: str) -> str | None:
    """Which kind of relay an output drives; None for a lamp."""
    kind = output.rpartition(".")[2]
    return kind if kind in ("strike", "interlock") else None


def _without_hours(bundle: Bundle) -> Site:
    return msgspec.structs.replace(bundle.site, staff_hours={})


def _over(use: Session) -> Instant | None:
    """When a session ended, as far as is known; one that cuts at `until` by itself."""
    ends = [end for end in (use.end, use.until if use.cuts else None) if end is not None]
    return min(ends, default=None)


def _seconds(use: Session, since: Instant, at: Instant) -> int:
    over = _over(use)
    return max(0, (at if over is None else min(at, over)) - max(use.start, since)) // SECOND
