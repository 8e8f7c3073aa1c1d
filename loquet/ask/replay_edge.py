"""How does one edge of a story live? Its controller while it has power; its disk, which outlives a cut.

Controller, journal, memory and merge are the real ones; reader, pins, clock, link and power are played.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Raw

from edge.actions import Record
from edge.controller import EdgeController, Step
from edge.core import Memory, Now
from edge.door import DoorSetup
from edge.events import (
    CardSeen,
    Event,
    FactsHeard,
    InputChanged,
    Journalled,
    LinkChanged,
    Ordered,
    RulesConfirmed,
    RulesSwapped,
    StateHeard,
)
from edge.held import HeldRules
from edge.journal import Journal, Told
from edge.knowledge import Knowledge, Receipt
from edge.machine import MachineController, MachineSetup
from edge.memory import recall
from edge.outbox import facts
from edge.rules import RefusedError
from edge.site_updates import checked, readers_of
from loquet.ask.replay_answers import Line
from policy.bundle import Bundle
from policy.instants import text
from policy.ruleset import RuleSet
from policy.terms import DAY, SECOND, ClockState, Instant
from wire.credential import pseudonym
from wire.envelope import seal
from wire.messages import COMMAND_LASTS, MAX_ROWS, Events, Facts, encode
from wire.row import Kind, Order, Row
from wire.row import decode as decode_row
from wire.row import encode as encode_row
from wire.snapshot import Snapshot
from wire.topics import Topics

CREDENTIAL_KEY = bytes(range(32))


class Surroundings(Protocol):
    """What an edge of a story has around it: time, the site as it is now, and the network."""

    start: Instant
    now: Instant
    bundle: Bundle

    def rules(self) -> tuple[int, RuleSet]:
        """What the server publishes, under its version."""

    def tell_others(self, teller: "ReplayEdge", told: Facts) -> None:
        """Other edges hear facts, if they can."""

    def ingest(self, topic: str, payload: bytes) -> int:
        """The server takes rows; the last that it has."""

    def quiet(self) -> None:
        """Until the network is quiet: the server has all rows, the edges all that it knows."""


@dataclass(slots=True)
class Disk:
    """What outlives a power cut. alive_at: when it last had power. trusted_at: when its clock was last right."""

    journal: Journal
    held: HeldRules | None = None
    state: StateHeard | None = None
    alive_at: Instant | None = None
    trusted_at: Instant = 0


class ReplayEdge:
    """One edge, off at first."""

    def __init__(
        self, site: Surroundings, name: str, places: tuple[str, ...], key: Ed25519PrivateKey, folder: Path
    ) -> None:
        self.name = name
        self._site = site
        self._key = key
        self._topic = Topics(site.bundle.site.id).events(name)
        self._places = places
        self._setups = [setup for place in places if (setup := _setup(site.bundle, place)) is not None]
        self._disk = Disk(Journal(folder / f"{name}.db"))
        self._linked = True
        self._clock = ClockState.SYNCED
        self._pressed: set[str] = set()
        self._deadline: float | None = None
        self._row: Row | None = None
        self._controller: EdgeController | None = None

    def close(self) -> None:
        """Let go of its disk."""
        self._journal.close()

    @property
    def _online(self) -> bool:
        return self._linked and self._controller is not None

    @property
    def _journal(self) -> Journal:
        return self._disk.journal

    def due(self) -> Instant | None:
        """The instant of the next deadline."""
        if self._controller is None or self._deadline is None:
            return None
        return self._site.start + round(self._deadline * 1000)

    # Power, link, clock

    def switch_on(self, clock: ClockState) -> None:
        """Power returns: what is on the disk is all that it knows."""
        if self._controller is not None:
            return
        self._clock = clock
        self._controller = EdgeController(self._setups, self._remember(), lambda uid: pseudonym(CREDENTIAL_KEY, uid))
        self._carry_out(self._controller.start(self._moment()))
        for setup in self._setups:
            if isinstance(setup, MachineSetup):
                self._press(setup.machine, (True, False) if setup.machine in self._pressed else (False,))
        self._pressed.clear()
        self._catch_up()

    def _remember(self) -> Memory:
        """As edge/storage_worker.py does: state, own rows above it, rows heard."""
        disk, knowledge = self._disk, Knowledge()
        knowledge.state.link_up = self._linked
        if disk.state is not None:
            knowledge.replace_snapshot(disk.state.version, disk.state.snapshot, None)
        found = Memory(self.name, disk.journal.last_seq, knowledge, disk.held, alive_at=disk.alive_at)
        memory = recall(disk.journal.newest_first(), found, None if disk.state is None else disk.state.own or 0)
        for told in disk.journal.heard():
            for seq, row in told.rows:
                receipt = Receipt(told.received or 0)
                knowledge.add_heard(told.edge, told.journal, decode_row(row, f"row {seq} of {told.edge}"), receipt)
        return dataclasses.replace(memory, last_at=max(memory.last_at, disk.trusted_at))

    def cut(self) -> None:
        """Power is gone, in the middle of whatever it was. The last second that it recorded was this one."""
        if self._controller is None:
            return
        self._confirm()
        self._controller, self._deadline = None, None
        if self._clock is not ClockState.UNKNOWN:
            self._disk.trusted_at = self._site.now
        self._disk.alive_at = self._site.now // SECOND * SECOND

    def link(self, up: bool) -> None:
        """The broker is reached, or no more."""
        if up == self._linked:
            return
        self._confirm()
        self._linked = up
        if self._controller is not None:
            self._take(LinkChanged(self._site.now, self._mono(), up))
        self._catch_up()

    def _catch_up(self) -> None:
        """With power and link: the clock is set, what was done meanwhile is told, what was missed arrives."""
        if not self._online:
            return
        if self._clock is ClockState.UNKNOWN:
            self._clock = ClockState.SYNCED
            self._step()
        self._tell(self._journal.rows(self._journal.acknowledged + 1))
        self.hear_rules()
        self._site.quiet()

    # What comes over the network, and what goes

    def hear_rules(self) -> None:
        """The rules of the server, if they are new."""
        version, rules = self._site.rules()
        held = self._disk.held
        if self._online and (held is None or held.version != version):
            self._disk.held = HeldRules(version, "", self._not_after(), rules)
            self._take(RulesSwapped(self._site.now, self._mono(), self._disk.held))
            self._wire_anew()

    def _wire_anew(self) -> None:
        """Readers that have other names now are another wiring: the edge starts again with it."""
        setups = [
            _setup(self._site.bundle, place) or old for place, old in zip(self._places, self._setups, strict=True)
        ]
        if setups != self._setups:
            self._setups = setups
            self.cut()
            self.switch_on(self._clock)

    def hear(self, edge: str, told: Facts) -> None:
        """What another edge tells: checked, on the disk, in the state."""
        if not self._online or self._disk.held is None:
            return
        rows = tuple(self._believed(self._disk.held.rules, edge, told))
        now = self._site.now
        self._journal.hear([Told(edge, told.journal, now, [(row.seq, encode_row(row)) for row in rows])])
        self._take(FactsHeard(now, self._mono(), edge, told.journal, rows))

    def _believed(self, rules: RuleSet, edge: str, told: Facts) -> Iterator[Row]:
        """The rows that the other edge may tell: not those about a place that is none any more."""
        readers = readers_of(rules, edge)
        for raw in told.rows:
            with suppress(RefusedError):
                yield checked(readers, edge, bytes(raw))

    def hear_state(self, version: int, snapshot: Snapshot) -> None:
        """What the server knows."""
        known = self._disk.state
        if self._online and (known is None or known.version < version):
            own = snapshot.positions.get(self.name, {}).get(self._journal.id)
            self._disk.state = StateHeard(self._site.now, self._mono(), version, snapshot, own)
            self._journal.keep({}, snapshot.positions)
            self._take(self._disk.state)

    def deliver(self) -> bool:
        """Send what the server has not acknowledged; whether there was anything."""
        if not self._online or self._journal.acknowledged == self._journal.last_seq:
            return False
        while self._journal.acknowledged < self._journal.last_seq:
            rows = self._journal.after(self._journal.acknowledged, MAX_ROWS)
            body = encode(Events(self._journal.id, tuple(Raw(row) for _, row in rows)))
            self._journal.acknowledge(self._site.ingest(self._topic, seal(self._key, self.name, self._topic, body)))
        return True

    def _tell(self, rows: list[Row]) -> None:
        told = facts(self._journal.id, rows)
        if told is not None:
            self._site.tell_others(self, told)

    # What happens at it

    def tap(self, reader: str, uid: bytes) -> Line:
        """A badge is presented; nothing happens without power, or while the edge knows no reader of this name."""
        if self._controller is None:
            return {"power": False}
        if not self._controller.reads(reader):
            return {}
        self._row = None
        self._take(CardSeen(self._site.now, self._mono(), reader, uid, 0x08, 0, 0.0))
        answer = self._row or self._last_answer(reader)
        if answer is None:
            return {}
        return {"granted": answer.granted, "reason": answer.reason, "until": answer.until, "member": answer.member}

    def _last_answer(self, reader: str) -> Row | None:
        """The same tap again leaves no row: its answer is the one before."""
        rows = self._journal.newest_first()
        return next((row for row in rows if row.kind is Kind.TAP and row.reader == reader), None)

    def press(self, machine: str) -> None:
        """The emergency stop is pressed and raised; without power the edge finds it pressed when that is back."""
        if self._controller is None:
            self._pressed.add(machine)
        else:
            self._press(machine, (True, False))

    def _press(self, machine: str, levels: tuple[bool, ...]) -> None:
        """What the edge reads of the emergency stop, one after the other."""
        for active in levels:
            self._take(InputChanged(self._site.now, self._mono(), f"{machine}.estop", active))

    def extend(self, machine: str) -> Line:
        """The order arrives where power and link are; until when the session goes on, if one runs."""
        now, mono = self._site.now, self._mono()
        if self._online:
            nonce = f"extend {self._journal.last_seq}"
            self._take(Ordered(now, mono, nonce, Order.EXTEND, machine, "replay", mono + COMMAND_LASTS / SECOND))
        places = () if self._controller is None else self._controller.places
        runs = [place.session for place in places if isinstance(place, MachineController) and place.place == machine]
        return {} if runs[:1] in ([], [None]) or runs[0] is None else {"until": _told(runs[0].until)}

    def wake(self) -> None:
        """Time has passed."""
        due = self.due()
        if due is not None and due <= self._site.now:
            self._step()

    # The controller

    def _take(self, event: Event) -> None:
        self._step(event)

    def _step(self, *events: Event) -> None:
        if self._controller is not None:
            self._confirm()
            self._carry_out(self._controller.step(self._moment(), events))

    def _confirm(self) -> None:
        """Linked, the rules are confirmed at every instant."""
        held = self._disk.held
        if self._online and held is not None and self._controller is not None:
            self._disk.held = dataclasses.replace(held, not_after=self._not_after())
            confirmed = RulesConfirmed(self._site.now, self._mono(), self._not_after())
            self._controller.core.rules_confirmed(self._moment(), confirmed)

    def _not_after(self) -> Instant:
        return self._site.now + self._site.bundle.site.offline_days * DAY

    def _carry_out(self, step: Step) -> None:
        """Rows go to the disk; what they say goes to the others; a session's start is on the disk at once."""
        rows = [action.row for action in step.actions if isinstance(action, Record)]
        if rows:
            self._journal.append(rows)
            self._row = next((row for row in reversed(rows) if row.kind is Kind.TAP), self._row)
            if self._online:
                self._tell(rows)
        if self._controller is not None:
            self._deadline = self._controller.due(self._moment())
            if rows:
                self._step(Journalled(self._site.now, self._mono(), rows[-1].seq))

    def _moment(self) -> Now:
        return Now(self._site.now, self._mono(), self._clock)

    def _mono(self) -> float:
        """Seconds since the story began, through power cuts: so the server can date every row of a lost clock anew."""
        return (self._site.now - self._site.start) / 1000


def _told(until: Instant | None) -> str | None:
    return None if until is None else text(until)


def _setup(bundle: Bundle, place: str) -> DoorSetup | MachineSetup | None:
    """What hangs at a place; None when the bundle has it no more."""
    for point in bundle.access_points:
        if point.id == place:
            return DoorSetup(
                point.id, point.readers.in_, point.readers.out, has_contact=False, has_rex=False, prefix=f"{place}."
            )
    found = (machine for machine in bundle.machines if machine.id == place)
    return next((MachineSetup(machine.id, machine.reader) for machine in found), None)
