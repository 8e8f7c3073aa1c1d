"""A small fablab beside the front door, and an edge of both in virtual time.

The laser cuts and is attended, the printer only warns, the saw wants two people. Brigitte and Rémy may use them all;
Alice is staff, Grégoire a fab manager.
"""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from edge.actions import Alive, Drive, Record, SensedChanged
from edge.controller import EdgeController, Step
from edge.core import Memory, Now
from edge.door import DoorSetup
from edge.events import CardSeen, Event, FactsHeard, InputChanged, Journalled, RulesSwapped, StateHeard
from edge.held import HeldRules
from edge.knowledge import Knowledge
from edge.machine import MachineSetup
from policy.facts import Fact, Moved, Ran
from policy.ruleset import Machine, Member, Period, Quota, Reader, RuleSet
from policy.sessions import Session
from policy.state import SiteState
from policy.terms import DAY, ClockState, Instant
from tests.support_rows import telling
from tests.support_site import MIDNIGHT, at, name_of, small_rules
from wire.row import Kind, Row
from wire.snapshot import Snapshot

DOOR = DoorSetup("front", "front-in", "front-out", has_contact=False)
LASER = MachineSetup("laser", "laser-tap")
PRINTER = MachineSetup("printer", "printer-tap")
SAW = MachineSetup("saw", "saw-tap")
FOREVER = at(0) + 14 * DAY
MACHINES = {
    "laser": Machine("laser", cuts=True, attended=True),
    "printer": Machine("printer"),
    "saw": Machine("saw", min_people=2, attended=True),
}


def fab_rules(**changes: Any) -> RuleSet:
    """The small site with its machines, a quota of an hour of laser in a week, and everybody certified."""
    rules = small_rules()
    owners = {"laser-tap": "laser", "printer-tap": "printer", "saw-tap": "saw"}
    return replace(
        rules,
        **{
            "machines": MACHINES,
            "members": rules.members | {"gregoire": Member("nomad", gardien=True, fab_manager=True)},
            "readers": rules.readers | {name: Reader(machine, None, "front") for name, machine in owners.items()},
            "certifications": {member: dict.fromkeys(MACHINES) for member in rules.members},
            "quotas": {"laser": Quota(3600, Period.WEEK)},
            "weeks": tuple(MIDNIGHT - DAY + n * 7 * DAY for n in range(-1, 3)),
            "months": (MIDNIGHT - 23 * DAY, MIDNIGHT + 7 * DAY),
            **changes,
        },
    )


class FabBench:
    """A controller, its clocks, what it drove and wrote. disk: whether rows get to the disk as they are written."""

    def __init__(
        self,
        *,
        rules: RuleSet | None = None,
        start: int = at(10),
        inside: Iterable[str] = ("brigitte", "remy", "gregoire", "alice"),
        sessions: Iterable[Session] = (),
        facts: Iterable[Fact] = (),
        alive_at: Instant | None = None,
        last_at: Instant = 0,
        clock: ClockState = ClockState.SYNCED,
        setups: tuple[DoorSetup | MachineSetup, ...] = (DOOR, LASER, PRINTER, SAW),
        reads: bool = True,
    ) -> None:
        """reads: whether the emergency stops were read, all of them raised."""
        arrivals = (Moved(member, at(9), inside=True) for member in inside)
        self.known: tuple[Fact, ...] = (*arrivals, *map(Ran, sessions), *facts)
        held = HeldRules(7, "", FOREVER, rules or fab_rules())
        memory = Memory("boot", knowledge=Knowledge(self.known), held=held, last_at=last_at, alive_at=alive_at)
        self.controller = EdgeController(setups, memory, name_of)
        self.start, self.mono, self.clock = start, 0.0, clock
        self.disk = True
        self.heard = 0
        self.outputs: dict[str, bool] = {}
        self.history: list[tuple[float, str, bool]] = []
        self.order: list[Drive | Alive | Row] = []
        self.sensed: list[SensedChanged] = []
        self.rows: list[Row] = []
        self.deadline: float | None = None
        self._carry_out(self.controller.start(self.now))
        for setup in setups if reads else ():
            if isinstance(setup, MachineSetup) and setup.has_estop:
                self.estop(setup.machine, active=False)

    @property
    def now(self) -> Now:
        return Now(self.start + round(self.mono * 1000), self.mono, self.clock)

    @property
    def state(self) -> SiteState:
        return self.controller.core.state

    def _carry_out(self, step: Step) -> list[Row]:
        actions, self.deadline = step
        self.order = [action.row if isinstance(action, Record) else action for action in actions]
        for action in actions:
            if isinstance(action, Drive):
                self.outputs[action.output] = action.active
                self.history.append((self.mono, action.output, action.active))
        self.sensed += [action for action in actions if isinstance(action, SensedChanged)]
        new = [action.row for action in actions if isinstance(action, Record)]
        self.rows += new
        if new and self.disk:
            new = new + self.written()
        return new

    def steps(self, *events: Event) -> list[Row]:
        return self._carry_out(self.controller.step(self.now, events))

    def does(self, kind: type[Event], **fields: object) -> list[Row]:
        return self.steps(kind(self.now.at, self.mono, **fields))

    def written(self) -> list[Row]:
        """The disk has everything."""
        return self.does(Journalled, seq=self.rows[-1].seq)

    def taps(self, uid: bytes, reader: str = "laser-tap") -> list[Row]:
        return self.does(CardSeen, reader=reader, uid=uid, sak=8, transfers=26, seconds=0.003)

    def tap(self, uid: bytes, reader: str = "laser-tap") -> Row:
        return next(row for row in self.taps(uid, reader) if row.kind is Kind.TAP)

    def moves(self, member: str, inside: bool) -> list[Row]:
        """Another edge tells that somebody came or went."""
        return self.hears(Moved(member, self.now.at, inside))

    def hears(self, *facts: Fact) -> list[Row]:
        """Another edge tells, one row for each fact."""
        first = self.heard + 1
        self.heard += len(facts)
        rows = tuple(telling(fact, seq) for seq, fact in enumerate(facts, first))
        return self.does(FactsHeard, edge="garden", journal="j9", rows=rows)

    def knows(self, *facts: Fact, lockdown: bool = False, own: int | None = None) -> list[Row]:
        """The server says what it knows: what was so at first, and these facts. own: the last of these rows in it."""
        version = self.controller.core.knowledge.version + 1
        snapshot = Snapshot(lockdown, (*self.known, *facts), {})
        return self.does(StateHeard, version=version, snapshot=snapshot, own=own)

    def swaps(self, rules: RuleSet) -> list[Row]:
        return self.does(RulesSwapped, held=HeldRules(8, "", FOREVER, rules))

    def estop(self, machine: str = "laser", active: bool = True) -> list[Row]:
        return self.does(InputChanged, name=f"{machine}.estop", active=active)

    def waits(self, seconds: float) -> list[Row]:
        """Let time pass, stopping at every deadline; over more than some minutes nobody looks at the lamps."""
        end, new = self.mono + seconds, []
        while (due := self.deadline if seconds < 600 else self.controller.due(self.now)) is not None and due <= end:
            assert due > self.mono, "a deadline that does not move on would spin"
            self.mono = due
            new += self.steps()
        self.mono = end
        return new + self.steps()

    def until(self, instant: Instant) -> list[Row]:
        """Let time pass until the instant."""
        return self.waits((instant - self.now.at) / 1000)

    def runs(self, machine: str = "laser") -> bool:
        return self.outputs[f"{machine}.interlock"]


def kinds(rows: Iterable[Row]) -> list[Kind]:
    return [row.kind for row in rows]
