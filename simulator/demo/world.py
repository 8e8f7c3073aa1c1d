"""What happens around the demo's door and machines: the street, the leaf, lamps, cables, power, emergency stops.

One thread owns all of it; `call` hands it something to do, `picture` gives what there is to see.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from edge.patterns import ENROLLED
from policy.bundle import Bundle
from policy.terms import MINUTE, Instant
from simulator import remote
from simulator.demo import casaco, fablab
from simulator.demo.cast import IN, OUT
from simulator.demo.fablab import STOPPED
from simulator.demo.lamp import Lamp
from simulator.demo.people import day
from simulator.demo.picture import MachineView, Picture, ReaderView
from simulator.demo.printer import DemoPrinter
from simulator.demo.recount import recount
from simulator.demo.street import PATIENCE, Street
from simulator.door import Door
from simulator.pace import Anchor, Pace

READERS = (IN, OUT)
MACHINES = {machine.id: machine.reader for machine in casaco.MACHINES}
"""Their readers."""
GARAGE = casaco.GARAGE.id
IN_THE_GARAGE = {GARAGE: casaco.GARAGE.readers.in_, **MACHINES}
"""The same, after that of the garage's own door: on the bench it opens for whoever may, and nobody else comes by."""
TAPS = 12
"""As many are shown."""
FRAME = 0.1
"""Seconds between two pictures at most often: nobody's eyes need more."""
HELD_AFTER = MINUTE
"""The door has stood open for too long: as `held_after` in the demo's edge.toml."""
STUCK_FOR = 4_000
"""ms for which the bench says that a push was in vain."""
AT_LEAST = 1_000
"""Real ms that an edge has to answer a badge, however fast time passes: a busy machine needs some of them."""
COMES_BACK = 30_000
"""ms after the machines' edge has started until whoever used one lays the badge on it again."""
DAY_BEGINS = 4
"""Hour at which the people's day begins, as the site's day_cutoff."""


class Edge(Protocol):
    """What the world needs of simulator/edge_process.py."""

    def start(self, anchor: Anchor) -> None: ...
    def send(self, command: remote.Command) -> None: ...
    def cut(self) -> None: ...
    def stop(self) -> None: ...


class Link(Protocol):
    """What the world needs of simulator/cable.py."""

    @property
    def plugged(self) -> bool: ...
    def plug(self) -> None: ...
    def unplug(self) -> None: ...


class World:
    """Runs from `start` to `stop`."""

    def __init__(
        self,
        bundle: Bundle,
        seed: int,
        pace: Pace,
        link: Link,
        printers: Mapping[str, DemoPrinter] | None = None,
        *,
        again: bool = False,
    ) -> None:
        """printers: what stands at a machine and goes by its power, by machine. again: whether a demo goes on."""
        self._printers = printers or {}
        self._again = again
        self._at_machines = fablab.AtMachines()
        self.bundle = bundle
        self.pace = pace
        self._seed = seed
        self._zone = ZoneInfo(bundle.site.timezone)
        self._link = link
        self._edge: Edge | None = None
        self._workshop: Edge | None = None
        self._powered = False
        self._starting = False
        everywhere = (*READERS, *IN_THE_GARAGE.values())
        self._lying: dict[str, list[str]] = {reader: [] for reader in everywhere}
        self._plugged = dict.fromkeys(everywhere, True)
        self._lamps = {reader: Lamp(reader in MACHINES.values()) for reader in everywhere}
        self._runs: frozenset[str] = frozenset()
        self._pressed = False
        self._taps: deque[remote.Stages] = deque(maxlen=TAPS)
        self._forced = False
        self._opened_at: Instant | None = None
        self._in_vain: Instant | None = None
        self.door = Door(self._door_moved)
        self.street = Street(self, self.door, patience=lambda: max(PATIENCE, AT_LEAST * pace.speed))
        self._inbox: queue.Queue[Callable[[], object] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="world", daemon=True)
        self.ended = False
        self._ending = threading.Event()
        self._seen = threading.Condition()
        self._number = 0
        pace.on_change(self._pace_changed)

    def start(self, edge: Edge, workshop: Edge) -> None:
        """Power both edges on, the door's and the machines', and let people live from now on."""
        self._edge, self._workshop = edge, workshop
        workshop.start(self.pace.anchor)
        self._people(self.pace.now())
        self._thread.start()
        self.do(lambda: self.power(True))

    def stop(self) -> None:
        """Everybody stays where they are; the edge is switched off in good order."""
        self.ended = True
        self._ending.set()
        self._changed()
        self._inbox.put(None)
        if self._thread.is_alive():
            self._thread.join()
        for edge in (self._edge, self._workshop):
            if edge is not None:
                edge.stop()

    @property
    def broken_down(self) -> bool:
        """Whether its thread has ended by a fault of ours."""
        return not self.ended and not self._thread.is_alive()

    def call(self, act: Callable[[], object]) -> None:
        """Have something done in the world's own thread."""
        self._inbox.put(act)

    def do(self, act: Callable[[], object], patience: float = 1.0) -> None:
        """The same, and wait until it is done (real seconds)."""
        done = threading.Event()

        def act_and_tell() -> None:
            act()
            done.set()

        self.call(act_and_tell)
        done.wait(patience)

    def hear(self, event: remote.Event) -> None:
        """An edge did something. For any thread."""
        self.call(lambda: self._heard(event))

    def hear_door(self, event: remote.Event) -> None:
        """The same of the door's edge, which tells when it has started."""
        if isinstance(event, remote.Ready):
            self.call(self._started)
        else:
            self.hear(event)

    def hear_workshop(self, event: remote.Event) -> None:
        """The same of the machines' edge."""
        if isinstance(event, remote.Ready):
            self.call(self._workshop_started)
        elif isinstance(event, remote.Output) and event.name == "strike":
            self.call(lambda: self._power(GARAGE, on=event.active))
        else:
            self.hear(event)

    def picture(self) -> Picture:
        """What there is to see now. For any thread: all it reads is replaced whole, never changed in place."""
        now, door = self.pace.now(), self.door
        return Picture(
            number=self._number,
            now=now,
            speed=self.pace.speed,
            powered=self._powered,
            starting=self._starting,
            linked=self._link.plugged,
            released=door.released,
            open=door.open,
            held=self._opened_at is not None and now - self._opened_at >= HELD_AFTER,
            forced=self._forced,
            wedged=door.held,
            stuck=self._in_vain is not None and now - self._in_vain < STUCK_FOR,
            fire=door.fire,
            readers=tuple(self._view(reader, now) for reader in READERS),
            machines=tuple(self._machine(place, reader, now) for place, reader in IN_THE_GARAGE.items()),
            taps=tuple(self._taps.copy()),
        )

    def wait(self, number: int, seconds: float) -> Picture:
        """The next picture after that number, or the same again after so many real seconds."""
        with self._seen:
            self._seen.wait_for(lambda: self._number != number, seconds)
        return self.picture()

    def rest(self, seconds: float) -> None:
        """Wait so many real seconds, or until the end."""
        self._ending.wait(seconds)

    # What the bench does, in the world's own thread

    def lay(self, reader: str, *uids: str | bytes) -> None:
        """Badges (hex, or bytes) are laid on a reader, all at once."""
        for uid in uids:
            badge = uid.hex() if isinstance(uid, bytes) else uid
            if badge not in self._lying[reader]:
                self._lying = self._lying | {reader: [*self._lying[reader], badge]}
                self._send(remote.Lay(reader, badge))

    def tap(self, reader: str, uid: str) -> None:
        """A badge is laid on, and taken away as soon as it is answered."""
        self.street.tap(reader, bytes.fromhex(uid), self.pace.now())

    def take(self, reader: str, uid: str | bytes) -> None:
        uid = uid.hex() if isinstance(uid, bytes) else uid
        self._lying = self._lying | {reader: [other for other in self._lying[reader] if other != uid]}
        self._send(remote.Take(reader, uid))

    def push(self) -> None:
        now = self.pace.now()
        self._in_vain = None if self.door.push(now, 4.0) else now

    def force(self) -> None:
        self._forced = not (self.door.open or self.door.unlocked)
        self.door.force(self.pace.now(), 4.0)

    def leave(self) -> None:
        """Somebody inside presses the handle: REX, and the door opens."""
        self.door.leave(self.pace.now(), 4.0)

    def wedge(self, on: bool) -> None:
        self.door.hold(on, self.pace.now())

    def fire(self, on: bool) -> None:
        self.door.alarm(on)

    def estop(self, on: bool) -> None:
        """Somebody presses the CNC's emergency stop, or raises it: it cuts by itself, and its edge is told."""
        self._pressed = on
        self._send(remote.Move(f"{STOPPED}.estop", on))

    def plug(self, reader: str, plugged: bool) -> None:
        self._plugged = self._plugged | {reader: plugged}
        self._send(remote.Plug(reader, plugged))

    def link(self, plugged: bool) -> None:
        if plugged:
            self._link.plug()
        else:
            self._link.unplug()

    def power(self, on: bool) -> None:
        """Cut the edge's power, or switch it on: it then finds the world as it is."""
        if on == self._powered or self._edge is None:
            return
        self._powered = self._starting = on
        if on:
            self._edge.start(self.pace.anchor)
            self._tell_all()
            return
        self._edge.cut()
        self.street.dark()
        for reader in READERS:
            self._lamps[reader].off()

    # What happens by itself

    def _run(self) -> None:
        while True:
            try:
                act = self._inbox.get(timeout=self._idle())
            except queue.Empty:
                act = _nothing
            if act is None:
                return
            act()
            self.street.step(self.pace.now())
            self._changed()

    def _idle(self) -> float | None:
        """Real seconds until somebody in the street does something."""
        due = self.street.due()
        return None if due is None else self.pace.real_seconds(due * 1_000_000)

    def _people(self, now: Instant) -> None:
        """Send today's people who are still to come; those who came before are inside. Then the same each morning."""
        today = (datetime.fromtimestamp(now / 1000, self._zone) - timedelta(hours=DAY_BEGINS)).date()
        intents = day(self.bundle, self._seed, today)
        tally = recount(intent for intent in intents if intent.at <= now)
        self.street.inside = self.street.inside | tally.inside(now) - set(tally.unseen)
        at_machines = self._at_machines = fablab.day(self.bundle, today, intents)
        self.street.send(intent for intent in (*intents, *at_machines.intents) if intent.at > now)
        for at, pressed in at_machines.stops:
            if at > now:
                self.street.plan(at, self._stopping(pressed))
        self.street.plan(self._morning(today + timedelta(days=1)), self._people)

    def _stopping(self, pressed: bool) -> Callable[[Instant], None]:
        return lambda _: self.estop(pressed)

    def _morning(self, on: date) -> Instant:
        return round(datetime.combine(on, time(DAY_BEGINS), self._zone).timestamp() * 1000)

    def _started(self) -> None:
        self._starting = False

    def _workshop_started(self) -> None:
        """Where the demo goes on, whoever used a machine when it was ended lays the badge on it again: its edge lost
        its power, and ended the session."""
        again, self._again = self._again, False
        now = self.pace.now()
        if again and fablab.pressed(self._at_machines, now):
            self.estop(True)
        for machine, reader in MACHINES.items() if again else ():
            begun = fablab.begun(self._at_machines, reader, now)
            if machine in self._printers:
                self._printers[machine].goes_on([one.at for one in begun])
            if begun:
                self.street.plan(now + COMES_BACK, self._tapping(reader, begun[-1].uids[0]))

    def _tapping(self, reader: str, uid: bytes) -> Callable[[Instant], None]:
        return lambda now: self.street.tap(reader, uid, now)

    def _heard(self, event: remote.Event) -> None:
        if isinstance(event, remote.Stages):
            self._tap(event)
        elif isinstance(event, remote.Output):
            self._moved(event)

    def _moved(self, event: remote.Output) -> None:
        reader, _, light = event.name.rpartition(".")
        if reader in MACHINES:
            self._power(reader, on=event.active)
            if reader in self._printers:
                self._printers[reader].power(event.active)
        elif reader in self._lamps:
            self._lamps[reader].move(light, event.active, event.at)
            if self._lamps[reader].gave(ENROLLED):
                self._taken_up(reader)
        self.street.notice(event.name, event.active, event.at)

    def _power(self, place: str, *, on: bool) -> None:
        """A machine's relay, or the strike of the garage."""
        self._runs = self._runs | {place} if on else self._runs - {place}

    def _taken_up(self, reader: str) -> None:
        """Whoever enrolled their badge takes it away: left there it would be in everybody's way."""
        for uid in self._lying[reader]:
            self.take(reader, uid)

    def _tap(self, stages: remote.Stages) -> None:
        taps = [
            stages if (tap.seq, tap.at, tap.reader) == (stages.seq, stages.at, stages.reader) else tap
            for tap in self._taps
        ]
        if stages not in taps:
            taps.insert(0, stages)
        self._taps = deque(taps[:TAPS], maxlen=TAPS)

    def _door_moved(self, name: str, active: bool) -> None:
        if name == "contact":
            self._opened_at = self.pace.now() if active else None
            self._forced = self._forced and active
        self._send(remote.Move(name, active))

    def _tell_all(self) -> None:
        """An edge that starts finds the contacts, the badges and the cables as they are."""
        commands: list[remote.Command] = [remote.Move(name, True) for name, on in self.door.levels.items() if on]
        commands += [remote.Plug(reader, False) for reader in READERS if not self._plugged[reader]]
        commands += [remote.Lay(reader, uid) for reader in READERS for uid in self._lying[reader]]
        for command in commands:
            self._send(command)

    def _send(self, command: remote.Command) -> None:
        """Tell the edge concerned, and both how time passes."""
        if isinstance(command, remote.Follow) or _at_a_machine(command):
            self._tell(self._workshop, command)
        if self._powered and not _at_a_machine(command):
            self._tell(self._edge, command)

    def _tell(self, edge: Edge | None, command: remote.Command) -> None:
        if edge is not None:
            edge.send(command)

    def _pace_changed(self) -> None:
        self.call(lambda: self._send(remote.Follow(self.pace.anchor)))

    def _machine(self, machine: str, reader: str, now: Instant) -> MachineView:
        view = self._view(reader, now)
        runs = machine in self._runs and not (machine == STOPPED and self._pressed)
        printer = self._printers.get(machine)
        prints = None if printer is None else printer.does()[0]
        return MachineView(machine, view, runs, self._pressed if machine == STOPPED else None, prints)

    def _view(self, reader: str, now: Instant) -> ReaderView:
        lamp = self._lamps[reader]
        return ReaderView(reader, lamp.levels, lamp.signal(now), self._plugged[reader], tuple(self._lying[reader]))

    def _changed(self) -> None:
        with self._seen:
            self._number += 1
            self._seen.notify_all()


def _at_a_machine(command: remote.Command) -> bool:
    if isinstance(command, remote.Move):
        return command.input.startswith(f"{STOPPED}.")
    return not isinstance(command, remote.Follow) and command.reader in IN_THE_GARAGE.values()


def _nothing() -> None:
    """Time has passed: the street looks for itself."""
