"""What does a story lead to? A scenario in virtual time, played through the code of the door and of the server.

Rules, controllers, journal, messages, merge and ingest are the real ones; reader, pins, clock, network and power are
played here. Lamps and buzzers are not looked at. The same scenario gives the same lines each time.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import UNSET, Raw
from sqlmodel import Session, SQLModel, col, func, select

from edge.actions import Record
from edge.controller import EdgeController, Step
from edge.core import HeldRules, Memory, Now
from edge.door import DoorSetup
from edge.events import (
    CardSeen,
    Event,
    FactsHeard,
    InputChanged,
    Journalled,
    LinkChanged,
    RulesConfirmed,
    RulesSwapped,
    StateHeard,
)
from edge.journal import Journal
from edge.knowledge import Knowledge, Receipt
from edge.machine import MachineSetup
from edge.memory import recall
from policy import passes, quota
from policy.bundle import Bundle
from policy.instants import text
from policy.sessions import Session as MachineUse
from policy.state import SiteState, is_held, is_staffed
from policy.terms import DAY, SECOND, ClockState, Instant
from server.db import Database
from server.facts import set_lockdown, state_at
from server.importer import replace
from server.ingest import Ingest
from server.models import Edge as EdgeRow
from server.models import JournalRow
from server.publisher import Publisher
from server.schema import upgrade
from server.state import snapshot
from server.troubles import Troubles
from simulator.scenario import Expect, Moment, Story
from wire.credential import pseudonym
from wire.envelope import seal
from wire.facts import told_of
from wire.messages import MAX_ROWS, Events, encode
from wire.row import Kind, Row
from wire.ruleset import unpack
from wire.snapshot import Snapshot
from wire.topics import Topics

CREDENTIAL_KEY = bytes(range(32))
SERVER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - a disk that forgets is what a replay wants

Line: TypeAlias = dict[str, Any]


class ReplayError(ValueError):
    """A question that the site cannot answer, as for somebody who is not a member."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that did not hold."""

    file: str
    step: int
    key: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        expected, got = (json.dumps(value, ensure_ascii=False) for value in (self.expected, self.got))
        return f"{self.file} step {self.step}: expected {self.key} {expected} got {got}"


class Desk:
    """A place to play stories, one after the other: the database is made once and emptied between them."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="loquet-replay-", dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None)
        self.path = Path(self._folder.name)
        self.database = Database(f"sqlite:///{self.path / 'server.db'}")
        upgrade(self.database, lambda _: None)
        self._stories = 0

    def play(self, story: Story) -> Iterator[tuple[Line, list[Failure]]]:
        """Each step's line, and the expectations that it did not meet. Raises ReplayError."""
        self._stories += 1
        folder = self.path / str(self._stories)
        folder.mkdir()
        site = Site(story, folder, self.database)
        for number, moment in enumerate(story.moments, 1):
            line, failures = site.play(number, moment)
            yield {"file": story.file, "step": number, "at": text(site.now)} | line, failures

    def close(self) -> None:
        self.database.close()
        self._folder.cleanup()

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Site:
    """The server, the edges and their network, at one virtual instant."""

    def __init__(self, story: Story, folder: Path, database: Database) -> None:
        self.start = self.now = story.start
        self.file = story.file
        self.bundle = story.bundle
        self.database = database
        self.topics = Topics(story.bundle.site.id)
        self._states = 0
        with database.transaction() as session:
            _empty(session)
        edges = {name: places for name, places in story.edges.items() if places}
        keys = {name: Ed25519PrivateKey.from_private_bytes(number.to_bytes(32)) for number, name in enumerate(edges, 1)}
        self._store(story.bundle, {name: (keys[name], places) for name, places in edges.items()})
        self.publisher = Publisher(database, SERVER_KEY, CREDENTIAL_KEY, lambda: self.now, lambda *_: None)
        self.ingest = Ingest(database, self.topics, lambda: self.now, Troubles(), lambda: None)
        self.publisher.publish()
        self.edges = {name: ReplayEdge(self, name, places, keys[name], folder) for name, places in edges.items()}
        self._edge_of = {place: edge for edge, places in edges.items() for place in places}
        for edge in self.edges.values():
            edge.switch_on(ClockState.SYNCED)

    def play(self, number: int, moment: Moment) -> tuple[Line, list[Failure]]:
        """One step: let time pass until it, do it, and compare."""
        self.pass_time(moment.at)
        line: Line = {}
        for name, act in ACTS.items():
            if getattr(moment.step, name) is not UNSET:
                line = act(self, moment)
        failures: list[Failure] = []
        if moment.step.expect is not UNSET:
            seen = line | self.answers(moment.step.expect)
            line = seen
            failures = [
                Failure(self.file, number, key, wanted, seen.get(key)) for key, wanted in _differences(moment, seen)
            ]
        return line, failures

    def pass_time(self, until: Instant) -> None:
        """Jump from deadline to deadline of the edges, and from day to day of the server."""
        while True:
            due = [edge.due() for edge in self.edges.values()]
            following = min([self.publisher.current.rules.day_end(self.publisher.current.at), *filter(None, due)])
            if following > until:
                break
            self.now = max(self.now, following)
            self._new_day()
            for edge in self.edges.values():
                edge.wake()
        self.now = until
        for edge in self.edges.values():
            edge.wake()

    def _new_day(self) -> None:
        current = self.publisher.current
        if current.rules.day_start(self.now) != current.rules.day_start(current.at):
            self.publish()

    def publish(self) -> None:
        """Compile, and give the rules to every edge that can hear."""
        self.publisher.publish()
        for edge in self.edges.values():
            edge.hear_rules()

    def tell_others(self, teller: "ReplayEdge", journal: str, rows: tuple[Row, ...]) -> None:
        """What an edge did reaches the others at once."""
        for edge in self.edges.values():
            if edge is not teller:
                edge.hear(teller.name, journal, rows)

    def snapshot(self) -> tuple[int, Snapshot]:
        """What the server says of the site, and its version."""
        self._states += 1
        with self.database.reading() as session:
            return self._states, snapshot(session, self.now)

    def flush(self) -> None:
        """What the linked edges recorded reaches the server."""
        for edge in self.edges.values():
            edge.deliver()

    # What the server can be asked

    def answers(self, expect: Expect) -> Line:
        """What is so on the server, for each thing that is expected of it."""
        asked = [name for name in ANSWERS if getattr(expect, name) is not UNSET]
        if not asked:
            return {}
        self.flush()
        with self.database.reading() as session:
            state = state_at(session, self.now)
            return {name: ANSWERS[name](self, state, session, getattr(expect, name)) for name in asked}

    def _inside(self, state: SiteState, _: Session, __: Any) -> list[str]:
        return sorted(state.presence.inside(self.rules.day_start(self.now)))

    def _held(self, state: SiteState, _: Session, __: Any) -> bool:
        return is_held(self.rules, state, self.now)

    def _staffed(self, _: SiteState, __: Session, ___: Any) -> bool:
        return is_staffed(self.rules, self.now)

    def _pass_left(self, state: SiteState, _: Session, wanted: dict[str, int]) -> dict[str, int]:
        return {self._member(who): passes.left(self.rules, state, who, self.now) for who in wanted}

    def _running(self, state: SiteState, _: Session, wanted: dict[str, str | None]) -> dict[str, str | None]:
        found: dict[str, MachineUse | None] = {name: state.sessions.running(name, self.now) for name in wanted}
        return {name: session.member if session else None for name, session in found.items()}

    def _quota_left(self, state: SiteState, _: Session, wanted: dict[str, int]) -> dict[str, int | None]:
        pairs = {name: name.partition(":")[::2] for name in wanted}
        return {
            name: quota.left(self.rules, state, self._member(who), kind, self.now)
            for name, (who, kind) in pairs.items()
        }

    def _history(self, _: SiteState, session: Session, __: Any) -> dict[str, int]:
        taps = select(func.count()).select_from(JournalRow).where(col(JournalRow.kind) == Kind.TAP)
        granted = taps.where(col(JournalRow.granted).is_(True))
        return {"taps": session.exec(taps).one(), "granted": session.exec(granted).one()}

    def _member(self, who: str) -> str:
        if who not in self.rules.members:
            raise ReplayError(f"{self.file}: {who!r} is expected to have something, but is no member")
        return who

    @property
    def rules(self) -> Any:
        return self.publisher.current.rules

    # What steps do

    def tap(self, moment: Moment) -> Line:
        step = moment.step
        if step.tap is UNSET:
            return {}
        line: Line = {"tap": {"reader": step.tap.reader, "uid": step.tap.uid}}
        edge = self.edges[self._edge_of[self._place_of(step.tap.reader)]]
        for number in range(step.taps):
            self.pass_time(moment.at + number * SECOND)
            line |= edge.tap(step.tap.reader, bytes.fromhex(step.tap.uid))
        return line

    def _place_of(self, reader: str) -> str:
        return str(self.rules.readers[reader].access_point)

    def change(self, moment: Moment) -> Line:
        self.flush()
        self._store(moment.bundle, None)
        self.ingest.reload()
        self.publish()
        return {"rules_version": self.publisher.current.version}

    def lockdown(self, moment: Moment) -> Line:
        on = bool(moment.step.lockdown)
        with self.database.transaction() as session:
            set_lockdown(session, on, self.now)
        for edge in self.edges.values():
            edge.hear_state()
        return {"lockdown": on}

    def link(self, moment: Moment) -> Line:
        step = moment.step.link
        if step is not UNSET:
            self.edges[step.edge].link(step.up)
            return {"link": {"edge": step.edge, "up": step.up}}
        return {}

    def power(self, moment: Moment) -> Line:
        step = moment.step.power
        if step is not UNSET:
            edge = self.edges[step.edge]
            if step.up:
                edge.switch_on(ClockState.RTC if step.clock == "trusted" else ClockState.UNKNOWN)
            else:
                edge.cut()
            return {"power": {"edge": step.edge, "up": step.up, "clock": step.clock}}
        return {}

    def estop(self, moment: Moment) -> Line:
        step = moment.step.estop
        if step is not UNSET:
            self.edges[self._edge_of[step.machine]].press(step.machine)
            return {"estop": step.machine}
        return {}

    def _store(self, bundle: Bundle, edges: dict[str, tuple[Ed25519PrivateKey, tuple[str, ...]]] | None) -> None:
        self.bundle = bundle
        with self.database.transaction() as session:
            replace(session, bundle)
            for name, (key, places) in (edges or {}).items():
                public = key.public_key().public_bytes_raw().hex()
                session.add(EdgeRow(id=name, public_key=public, access_points=list(places), readers={}))


class ReplayEdge:
    """One edge: its controller while it has power; its journal, rules and what it heard, which outlive a cut."""

    def __init__(self, site: Site, name: str, places: tuple[str, ...], key: Ed25519PrivateKey, folder: Path) -> None:
        self.name = name
        self._site = site
        self._key = key
        self._setups = [_setup(site.bundle, place) for place in places]
        self._journal = Journal(folder / f"{name}.db")
        self._heard: list[FactsHeard] = []
        self._state: StateHeard | None = None
        self._held: HeldRules | None = None
        self._linked = True
        self._clock = ClockState.SYNCED
        self._alive_at: Instant | None = None
        self._trusted_at: Instant = 0
        self._pressed: set[str] = set()
        self._deadline: float | None = None
        self._row: Row | None = None
        self._controller: EdgeController | None = None

    @property
    def _online(self) -> bool:
        return self._linked and self._controller is not None

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
        knowledge = Knowledge()
        if self._state is not None:
            knowledge.take(self._state.version, self._state.snapshot, None)
        reached = None if self._state is None else self._state.own or 0
        journal = self._journal
        found = Memory(self.name, journal.last_seq, knowledge, self._held, alive_at=self._alive_at)
        memory = recall(journal.newest_first(), found, reached)
        for heard in self._heard:
            for row in heard.rows:
                knowledge.hear(heard.edge, heard.journal, row, Receipt(heard.at))
        knowledge.state.link_up = self._linked
        memory = dataclasses.replace(memory, last_at=max(memory.last_at, self._trusted_at))
        self._controller = EdgeController(self._setups, memory, lambda uid: pseudonym(CREDENTIAL_KEY, uid))
        self._carry_out(self._controller.start(self._moment()))
        for machine in sorted(self._pressed):
            self._take(InputChanged(self._site.now, self._mono(), f"{machine}.estop", active=True))
        self._pressed.clear()
        self._catch_up()

    def cut(self) -> None:
        """Power is gone, in the middle of whatever it was. The last second that it recorded was this one."""
        if self._controller is None:
            return
        self._confirm()
        self.deliver()
        self._controller, self._deadline = None, None
        if self._clock is not ClockState.UNKNOWN:
            self._trusted_at = self._site.now
        self._alive_at = self._site.now // SECOND * SECOND

    def link(self, up: bool) -> None:
        """The broker is reached, or no more."""
        if up == self._linked:
            return
        self._confirm()
        self.deliver()
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
        self._tell_all()
        self._site.flush()
        self.hear_rules()
        self.hear_state()

    def _tell_all(self) -> None:
        """The others hear what this edge did while it was away; hearing it twice changes nothing."""
        self._tell(self._journal.rows(self._journal.acknowledged + 1))

    def _tell(self, rows: list[Row]) -> None:
        told = tuple(row for row in rows if any(told_of(row, 0)))
        if told:
            self._site.tell_others(self, self._journal.id, told)

    # What comes over the network

    def hear_rules(self) -> None:
        current = self._site.publisher.current
        if not self._online or (self._held is not None and self._held.version == current.version):
            return
        rules = unpack(current.body)
        self._held = HeldRules(current.version, self._not_after(), rules)
        self._take(RulesSwapped(self._site.now, self._mono(), current.version, self._held.not_after, rules))

    def hear(self, edge: str, journal: str, rows: tuple[Row, ...]) -> None:
        if self._online:
            self._heard.append(FactsHeard(self._site.now, self._mono(), edge, journal, rows))
            self._take(self._heard[-1])

    def hear_state(self) -> None:
        """What the server knows, with what every edge could tell it."""
        if self._online:
            version, snapshot = self._site.snapshot()
            own = snapshot.positions.get(self.name, {}).get(self._journal.id, 0)
            self._state, self._heard = StateHeard(self._site.now, self._mono(), version, snapshot, own), []
            self._take(self._state)

    def deliver(self) -> None:
        """Send what the server has not acknowledged."""
        while self._online and self._journal.acknowledged < self._journal.last_seq:
            rows = self._journal.after(self._journal.acknowledged, MAX_ROWS)
            topic = self._site.topics.events(self.name)
            body = encode(Events(self._journal.id, tuple(Raw(row) for _, row in rows)))
            owed = self._site.ingest.take(topic, seal(self._key, self.name, topic, body))
            if owed is None or owed.ack.seq <= self._journal.acknowledged:
                raise ReplayError(f"{self._site.file}: the server does not take the rows of edge {self.name!r}")
            self._journal.acknowledge(owed.ack.seq)

    # What happens at it

    def tap(self, reader: str, uid: bytes) -> Line:
        """A badge is presented; nothing happens without power."""
        if self._controller is None:
            return {"power": False}
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
        """The emergency stop is pressed, with or without power."""
        if self._controller is None:
            self._pressed.add(machine)
        else:
            self._take(InputChanged(self._site.now, self._mono(), f"{machine}.estop", active=True))

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
        if self._online and self._held is not None and self._controller is not None:
            self._held = HeldRules(self._held.version, self._not_after(), self._held.rules)
            confirmed = RulesConfirmed(self._site.now, self._mono(), self._held.not_after)
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


def _setup(bundle: Bundle, place: str) -> DoorSetup | MachineSetup:
    for point in bundle.access_points:
        if point.id == place:
            return DoorSetup(
                point.id, point.readers.in_, point.readers.out, has_contact=False, has_rex=False, prefix=f"{place}."
            )
    machine = next(machine for machine in bundle.machines if machine.id == place)
    return MachineSetup(machine.id, machine.reader, prefix=f"{place}.")


def _differences(moment: Moment, seen: Line) -> Iterator[tuple[str, Any]]:
    """(key, what was expected) of each expectation that does not hold."""
    expect = moment.step.expect
    if expect is UNSET:
        return
    for key in expect.__struct_fields__:
        wanted = getattr(expect, key)
        if wanted is UNSET:
            continue
        if key == "until":
            wanted = None if moment.until is None else text(moment.until)  # type: ignore[arg-type]
        if key == "inside":
            wanted = sorted(wanted)
        if key == "history":
            wanted = {
                name: count
                for name, count in (("taps", wanted.taps), ("granted", wanted.granted))
                if count is not UNSET
            }
            if all(seen["history"][name] == count for name, count in wanted.items()):
                continue
        if key not in seen or seen[key] != wanted:
            yield key, wanted


def _empty(session: Session) -> None:
    for table in reversed(SQLModel.metadata.sorted_tables):
        if table.name != "alembic_version":
            session.connection().execute(table.delete())


ACTS: dict[str, Callable[[Site, Moment], Line]] = {
    "tap": Site.tap,
    "change": Site.change,
    "remove": Site.change,
    "lockdown": Site.lockdown,
    "link": Site.link,
    "power": Site.power,
    "estop": Site.estop,
}

ANSWERS: dict[str, Callable[[Site, SiteState, Session, Any], Any]] = {
    "inside": Site._inside,
    "held": Site._held,
    "staffed": Site._staffed,
    "pass_left": Site._pass_left,
    "running": Site._running,
    "quota_left": Site._quota_left,
    "history": Site._history,
}
