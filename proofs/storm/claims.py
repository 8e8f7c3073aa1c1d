"""Does an edge know what it saw itself and was told, and nothing else? Rules, lockdown, who is inside, who paid."""

from typing import TYPE_CHECKING

from policy.sessions import Session
from policy.state import SiteState
from policy.terms import ClockState, Instant
from proofs.storm.casting import MACHINE
from proofs.storm.hours import day_start
from proofs.storm.messages import state_in, version_in
from proofs.storm.reading import Knowledge
from proofs.storm.record import WRONG_BY, BrokenWorldError, Record
from proofs.storm.turns import Turns, Use
from wire.row import Row

if TYPE_CHECKING:
    from proofs.storm.pi import Pi


class Claims:
    """What edges say that they know, held against the record."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def heeded(self, pi: "Pi", topic: str, payload: bytes) -> None:
        """Rules and state that came are in force at once; but where the disk is not well, or the clock wrong."""
        leaf, edge = topic.rpartition("/")[2], pi.edge
        if edge is None:
            return
        core = edge.control.controller.core
        if leaf == "rules" and edge.storage.writer.trouble is None and abs(pi.clock.offset) <= WRONG_BY:
            version = version_in(payload)
            if core.held is None or core.held.version < version:
                self._record.broken(pi, f"rules {version} came, and {core.held and core.held.version} are in force")
        if leaf == "state":
            state = state_in(payload)
            if core.knowledge.version < state.version:
                self._record.broken(pi, f"state {state.version} came, and it knows {core.knowledge.version}")
            if core.knowledge.version == state.version and core.state.lockdown is not state.lockdown:
                self._record.broken(pi, f"state {state.version} says lockdown {state.lockdown}; it holds the opposite")

    def knowledge(self, pi: "Pi", uid: str) -> Knowledge:
        """All by which an edge would decide on a badge now."""
        edge = pi.edge
        if edge is None:
            raise BrokenWorldError("nobody taps without power")
        core, trusted = edge.control.controller.core, pi.clock.state() is not ClockState.UNKNOWN
        at = pi.clock.now() if trusted else core._trusted[0]
        today = day_start(at)
        moves = core.state.presence.moves.items()
        owner = self._record.owner(uid, self._record.bundles.get(core.held.version) if core.held else None)
        return Knowledge(
            at=at,
            trusted=trusted,
            stale=core.held is None or at > core.held.not_after,
            lockdown=core.state.lockdown,
            linked=core.state.link_up,
            inside=frozenset(who for who, move in moves if move.inside and move.at >= today),
            paid=frozenset(core.state.units.get(owner, ())),
            turns=turns_of(core.state) if pi.name == MACHINE else Turns(),
            stopped=MACHINE in core.state.stopped,
            pressed=MACHINE in core.state.pressed,
            recording=core.journal_fault is None,
        )

    def check(self, pi: "Pi", row: Row, known: Knowledge) -> None:
        """What it says that it knows of this member and of the gardiens is what it saw and was told."""
        bundle = self._record.bundles.get(row.rules_version or 0)
        concerned = {m.id for m in bundle.members if "gardien" in m.roles} if bundle else set()
        if not known.trusted or abs(pi.clock.offset) > WRONG_BY:
            return
        today = day_start(self._record.now())
        for who in sorted(concerned | ({row.member} if row.member else set())):
            if self._record.doubted.get(who, 0) > self._record.now():
                self._record.counts["doubtful"] += 1
                continue
            possible = self._possible(pi, who, today)
            if (who in known.inside) not in possible:
                self._record.broken(
                    pi, f"it takes {who} for {'in' if who in known.inside else 'out'}side; it was told otherwise"
                )
        if row.member:
            self._check_units(pi, row.member, known)

    def _possible(self, pi: "Pi", who: str, today: Instant) -> set[bool]:
        """Whether the member can be inside, as far as this edge can know: by the last that it must know, or newer."""
        found: set[bool] = set()
        for move in reversed(self._record.moves[who]):
            found.add(move.inside and move.at >= today)
            if self._record.must_know(pi, move.edge, move.journal, move.seq):
                return found
            if move.at < today:
                break
        return found | {False}

    def _check_units(self, pi: "Pi", who: str, known: Knowledge) -> None:
        paid = self._record.units[who]
        sure = {unit.name for unit in paid if self._record.must_know(pi, unit.edge, unit.journal, unit.seq)}
        if not sure <= known.paid:
            self._record.broken(pi, f"{who} paid {sorted(sure - known.paid)}, and it does not know though it was told")
        if not known.paid <= {unit.name for unit in paid}:
            self._record.broken(
                pi, f"it believes that {who} paid {sorted(known.paid)}; in truth {sorted(u.name for u in paid)}"
            )


def turns_of(state: SiteState) -> Turns:
    """What a site's state says of the machine."""
    uses = (Use(use.member, use.start, _over(use)) for use in state.sessions.of_machine(MACHINE))
    return Turns(tuple(uses), frozenset(state.busy[MACHINE]))


def _over(use: Session) -> Instant | None:
    """When a session ended, as far as is known; one that cuts at `until` by itself."""
    ends = [end for end in (use.end, use.until if use.cuts else None) if end is not None]
    return min(ends, default=None)


def known_to_all(state: SiteState, at: Instant) -> Knowledge:
    """What the server knows that reads so: its clock is right, and nothing is late for it."""
    today = day_start(at)
    inside = frozenset(who for who, move in state.presence.moves.items() if move.inside and move.at >= today)
    stopped = MACHINE in state.stopped
    return Knowledge(at, True, False, state.lockdown, True, inside, frozenset(), turns_of(state), stopped)
