"""What happens around the demo's door: the street, the leaf, lamps, cables and power, seen and moved by the bench page.

One thread owns all of it; `call` hands it something to do, `picture` gives what there is to see.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from edge.patterns import Levels
from policy.bundle import Bundle
from policy.terms import MINUTE, Instant
from simulator import remote
from simulator.demo.lamp import Lamp
from simulator.demo.people import IN, OUT, day
from simulator.demo.recount import recount
from simulator.demo.street import Street
from simulator.door import Door
from simulator.pace import Anchor, Pace

READERS = (IN, OUT)
TAPS = 12
"""As many are shown."""
FRAME = 0.1
"""Seconds between two pictures at most often: nobody's eyes need more."""
HELD_AFTER = MINUTE
"""The door has stood open for too long: as `held_after` in the demo's edge.toml."""
STUCK_FOR = 4_000
"""ms for which the bench says that a push was in vain."""
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


@dataclass(frozen=True, slots=True)
class ReaderView:
    """A reader as one sees it. badges: UIDs that lie on it, hex. signal: its name (simulator/demo/lamp.py)."""

    name: str
    lamp: Levels
    signal: str | None
    plugged: bool
    badges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """All that the bench page shows. now: ms since 1970 UTC. stuck: a push was in vain just now. taps: latest first."""

    number: int
    now: Instant
    speed: int
    powered: bool
    linked: bool
    released: bool
    open: bool
    held: bool
    forced: bool
    wedged: bool
    stuck: bool
    fire: bool
    readers: tuple[ReaderView, ...]
    taps: tuple[remote.Stages, ...]


class World:
    """Runs from `start` to `stop`."""

    def __init__(self, bundle: Bundle, seed: int, pace: Pace, link: Link) -> None:
        self.bundle = bundle
        self.pace = pace
        self._seed = seed
        self._zone = ZoneInfo(bundle.site.timezone)
        self._link = link
        self._edge: Edge | None = None
        self._powered = False
        self._lying: dict[str, list[str]] = {reader: [] for reader in READERS}
        self._plugged = dict.fromkeys(READERS, True)
        self._lamps = {reader: Lamp() for reader in READERS}
        self._taps: deque[remote.Stages] = deque(maxlen=TAPS)
        self._forced = False
        self._opened_at: Instant | None = None
        self._in_vain: Instant | None = None
        self.door = Door(self._door_moved)
        self.street = Street(self, self.door)
        self._inbox: queue.Queue[Callable[[], object] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="world", daemon=True)
        self.ended = False
        self._ending = threading.Event()
        self._seen = threading.Condition()
        self._number = 0
        pace.on_change(self._pace_changed)

    def start(self, edge: Edge) -> None:
        """Power the edge on and let people live from now on."""
        self._edge = edge
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
        if self._edge is not None:
            self._edge.stop()

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
        """The edge did something. For any thread."""
        self.call(lambda: self._heard(event))

    def picture(self) -> Picture:
        """What there is to see now. For any thread: all it reads is replaced whole, never changed in place."""
        now, door = self.pace.now(), self.door
        return Picture(
            number=self._number,
            now=now,
            speed=self.pace.speed,
            powered=self._powered,
            linked=self._link.plugged,
            released=door.released,
            open=door.open,
            held=self._opened_at is not None and now - self._opened_at >= HELD_AFTER,
            forced=self._forced,
            wedged=door.held,
            stuck=self._in_vain is not None and now - self._in_vain < STUCK_FOR,
            fire=door.fire,
            readers=tuple(self._view(reader, now) for reader in READERS),
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
        self._powered = on
        if on:
            self._edge.start(self.pace.anchor)
            self._tell_all()
            return
        self._edge.cut()
        self.street.dark()
        for lamp in self._lamps.values():
            lamp.off()

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
        self.street.send(intent for intent in intents if intent.at > now)
        self.street.plan(self._morning(today + timedelta(days=1)), self._people)

    def _morning(self, on: date) -> Instant:
        return round(datetime.combine(on, time(DAY_BEGINS), self._zone).timestamp() * 1000)

    def _heard(self, event: remote.Event) -> None:
        if isinstance(event, remote.Stages):
            self._tap(event)
            return
        reader, _, light = event.name.rpartition(".")
        if reader in self._lamps:
            self._lamps[reader].move(light, event.active, event.at)
        self.street.notice(event.name, event.active, event.at)

    def _tap(self, stages: remote.Stages) -> None:
        taps = [stages if tap.seq == stages.seq else tap for tap in self._taps]
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
        commands += [remote.Plug(reader, False) for reader, plugged in self._plugged.items() if not plugged]
        commands += [remote.Lay(reader, uid) for reader, uids in self._lying.items() for uid in uids]
        for command in commands:
            self._send(command)

    def _send(self, command: remote.Command) -> None:
        if self._edge is not None and self._powered:
            self._edge.send(command)

    def _pace_changed(self) -> None:
        self.call(lambda: self._send(remote.Follow(self.pace.anchor)))

    def _view(self, reader: str, now: Instant) -> ReaderView:
        lamp = self._lamps[reader]
        return ReaderView(reader, lamp.levels, lamp.signal(now), self._plugged[reader], tuple(self._lying[reader]))

    def _changed(self) -> None:
        with self._seen:
            self._number += 1
            self._seen.notify_all()


def _nothing() -> None:
    """Time has passed: the street looks for itself."""
