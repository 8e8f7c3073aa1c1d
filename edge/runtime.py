"""How does an edge run? Threads around queues: poller, control worker, storage worker and link.

    readers, inputs -> poller -> [events] -> control worker -> outputs
                                    ^              |
                              what is heard      rows
                                    |              v
                     link <---- storage worker <- [items] <- link

Each part can also be driven by hand in one thread (`turn`), which is how a whole site runs in virtual time.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from edge import identity
from edge.config import Config
from edge.control_worker import ControlWorker
from edge.controller import EdgeController
from edge.devices.plugs import Plugs, plugs_farewell
from edge.devices.watch import PrinterWatch
from edge.door import DoorSetup
from edge.events import Event, PlugSaid, PrinterSaid
from edge.inbound_queue import InboundQueue
from edge.observer import Nobody, Observer
from edge.poller import Poller
from edge.ports import Clock, Connection, Pins, Reader
from edge.pulse import Pulses
from edge.screen import ScreenTimer
from edge.status import Health, farewell, vitals
from edge.storage_worker import StorageWorker
from edge.taps import Walls
from edge.work_items import WorkItem
from wire.credential import pseudonym

log = logging.getLogger("loquet.edge")

SHORTEST = 0.002
LONGEST = 1.0
"""Seconds of real time to wait for the next thing, so that a clock which stands still or races wears nobody out."""
AT_THE_DOOR, BEHIND_THE_DOOR = 0.5, 10.0
"""Seconds for the threads to end: the outputs must be safe soon, a slow disk may take its time."""

Thing = TypeVar("Thing")


class EdgeError(Exception):
    """A part of the edge broke down. The outputs are safe, the process must end."""


MakeLink = Callable[[Callable[[WorkItem], None]], Connection]
"""Makes the link; what comes over it goes into the function."""


class Edge:
    """One edge at its door and machines. Owns readers and pins from here on, and closes them.

    link: makes the connection; None for an edge without one. plug_link: that to the plugs' broker. boot: names this
    start in the journal, drawn when None.
    feed: called when the control loop has gone round, if the poller has since it was called last.
    real_timeout: real seconds until the clock reads so many monotonic seconds, None for never; for clocks that do not
    keep real time. Raises JournalMistakeError; a disk that cannot be used keeps no edge from starting.
    """

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock,
        readers: Sequence[Reader],
        pins: Pins,
        observer: Observer | None = None,
        link: MakeLink | None = None,
        plug_link: MakeLink | None = None,
        boot: str | None = None,
        software: str = "",
        real_timeout: Callable[[float], float | None] | None = None,
        feed: Callable[[], None] = lambda: None,
    ) -> None:
        self.config = config
        self._feed = feed
        self._clock = clock
        self._readers = readers
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self._pins = Plugs(Pulses(pins, config.outputs, clock), config.plugs, config.edge, clock, self._said)
        self._items: SimpleQueue[WorkItem | None] = SimpleQueue()
        self._real_timeout = real_timeout or (lambda mono: mono - clock.monotonic())
        observer = observer or Nobody()
        boot = boot or secrets.token_hex(8)
        health = Health(software, lambda: vitals(config.journal), boot=boot)
        health.certificate = None if config.broker.identity is None else identity.ends(config.broker.identity)
        health.readers |= dict.fromkeys(config.readers)
        inbound = InboundQueue(self._items.put)
        self.link = link(inbound.put) if link else None
        self.storage = StorageWorker(config, clock, self._events.put, observer, boot, health, inbound, self.link)
        controller = self._recovered()
        self._pins.link = plug_link(self._pins.put) if plug_link else None
        outputs = [*(spec.name for spec in config.outputs), *self._pins.switched]
        screen = ScreenTimer(controller.core) if config.screen is not None else None
        self.control = ControlWorker(controller, clock, self._pins, outputs, self._items.put, observer, screen)
        walls = Walls(
            {
                door.reader_out: door.reader_in
                for door in (place for place in config.places if isinstance(place, DoorSetup))
                if door.reader_out is not None
            }
        )
        self._poller = Poller(readers, self._pins, config.inputs, clock, self._events.put, walls)
        self._printers = [PrinterWatch(setup, clock, self._said) for setup in config.printers]
        self._looked = 0
        """The rounds of the poller when the control loop last went round."""
        self._threads: dict[str, threading.Thread] = {}
        self._closing = threading.Lock()
        self._stopping = threading.Event()
        self._begun = self._closed = False
        self._failure: EdgeError | None = None

    def _recovered(self) -> EdgeController:
        """What this edge goes on from. One that cannot start lets go of its journal: the next try finds it free."""
        try:
            return EdgeController(self.config.places, self.storage.recover(), self._pseudonym)
        except BaseException:
            self.storage.writer.close()
            raise

    def start(self) -> None:
        """Begin to serve, in threads of its own."""
        self.begin()
        for name, work in (("control worker", self._serve), ("storage worker", self._keep), ("poller", self._poll)):
            thread = threading.Thread(target=self._guarded, args=(name, work), name=name, daemon=True)
            self._threads[name] = thread
            thread.start()
        for printer in self._printers:
            asks = (self._stopping, self._timeout)
            threading.Thread(target=printer.run, args=asks, name="printer", daemon=True).start()
        for link in (self.link, self._pins.link):
            if link is not None:
                link.start()

    def run(self, ended_within: Callable[[float], bool] | None = None) -> None:
        """Serve until `stop` is called, or `ended_within` so many seconds says so (a signal came).

        Raises EdgeError when a part breaks down.
        """
        ended_within = ended_within or self._stopping.wait
        try:
            self.start()
            while not self._stopping.is_set() and not ended_within(LONGEST):
                pass
        finally:
            self.stop()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Make safe, then record, then tell: outputs first, then the rows that wait, then the farewell."""
        self._stopping.set()
        self.wake()
        with self._closing:
            if not self._closed:
                self._closed = True
                self._stop_door()
                self._stop_storage()

    def _stop_door(self) -> None:
        for name in ("control worker", "poller"):
            self._join(name, AT_THE_DOOR)
        self._make_safe()
        for reader in self._readers:
            reader.close()

    def _stop_storage(self) -> None:
        """Rows that a hanging disk holds up are lost; its thread still has the journal, so nobody else touches it."""
        if not self._join("storage worker", BEHIND_THE_DOOR):
            log.critical("journal: the disk has not answered for %g s; rows that wait are lost", BEHIND_THE_DOOR)
            return
        items: list[WorkItem] = _drained(self._items)
        try:
            self.storage.handle(items)
        except BaseException as error:
            self._broke_down("storage worker", error)
        if self.link is not None:
            self.link.stop(farewell(self.config, self._clock.now()))
        if self._pins.link is not None:
            self._pins.link.stop(plugs_farewell(self.config.edge))
        self.storage.close()

    def _join(self, name: str, seconds: float) -> bool:
        """Whether the thread is at its end (or never was)."""
        thread = self._threads.get(name)
        if thread is None or not thread.is_alive():
            return True
        thread.join(seconds)
        return not thread.is_alive()

    def wake(self) -> None:
        """Let everybody look at the clock again: it was set, or runs at another speed."""
        self._events.put(None)
        self._items.put(None)

    def begin(self) -> None:
        """The first step: outputs to their start levels, and a row that says so."""
        if not self._begun:
            self._begun = True
            self.control.begin()

    def turn(self) -> None:
        """One round of everything in the caller's thread, instead of `start`."""
        self.begin()
        self.look()
        self.serve()
        self.keep()

    def look(self) -> None:
        """One round of the poller."""
        self._poller.look()

    def serve(self) -> None:
        """One round of the control loop, if something happened or is due."""
        events = _drained(self._events)
        if events or self._is_due(self._control_deadline):
            self._go_round(events)

    def keep(self) -> None:
        """One round of the storage worker, if it has something to do."""
        items: list[WorkItem] = _drained(self._items)
        if items or self._is_due(self.storage.deadline()):
            self.storage.handle(items)

    @property
    def deadline(self) -> float:
        """When `turn` has something to do if nothing happens, in monotonic seconds."""
        control = self._control_deadline
        return self.storage.deadline() if control is None else min(control, self.storage.deadline())

    @property
    def _control_deadline(self) -> float | None:
        """Of the control loop, monotonic seconds."""
        return min((at for at in (self.control.deadline, self._pins.deadline) if at is not None), default=None)

    def _go_round(self, events: Sequence[Event]) -> None:
        """Decide and act; then say so, if readers and inputs were looked at since the last time."""
        self.control.handle(events)
        if self._looked != (rounds := self._poller.rounds):  # else an emergency stop would be as it was last read
            self._looked = rounds
            self._pins.beat()
            self._feed()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._go_round(_waited_for(self._events, self._timeout(self._control_deadline)))

    def _keep(self) -> None:
        while not self._stopping.is_set():
            self.storage.handle(_waited_for(self._items, self._timeout(self.storage.deadline())))

    def _poll(self) -> None:
        self._poller.run(self._stopping.is_set)

    def _timeout(self, deadline: float | None) -> float:
        real = None if deadline is None else self._real_timeout(deadline)
        return LONGEST if real is None else min(max(real, SHORTEST), LONGEST)

    def _is_due(self, deadline: float | None) -> bool:
        return deadline is not None and self._clock.monotonic() >= deadline

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        """A part that breaks down takes the edge with it, outputs first: half an edge helps nobody."""
        try:
            work()
        except BaseException as error:
            if not self._stopping.is_set():
                self._make_safe()
                self._broke_down(name, error)
                self._stopping.set()
                self.wake()

    def _broke_down(self, name: str, error: BaseException) -> None:
        if self._failure is None:
            log.critical("the %s broke down; the outputs are safe, the edge ends", name, exc_info=error)
            self._failure = EdgeError(f"the {name} broke down: {type(error).__name__}: {error}")

    def _make_safe(self) -> None:
        with suppress(Exception):  # lines that are let go already
            self._pins.close()

    def _said(self, said: PrinterSaid | PlugSaid) -> None:
        """A device's word: to the control loop, and for the status."""
        self._events.put(said)
        self._items.put(said)

    def _pseudonym(self, uid: bytes) -> str:
        return pseudonym(self.config.keys.credential, uid)


def _waited_for(queue: "SimpleQueue[Thing | None]", timeout: float) -> list[Thing]:
    """What is in the queue, waiting for the first; nothing when time is over."""
    try:
        first = queue.get(timeout=timeout)
    except Empty:
        return []
    rest = _drained(queue)
    return rest if first is None else [first, *rest]


def _drained(queue: "SimpleQueue[Thing | None]") -> list[Thing]:
    found: list[Thing] = []
    with suppress(Empty):
        while True:
            thing = queue.get_nowait()
            if thing is not None:
                found.append(thing)
    return found
