"""What of an edge is measured? Link, storage worker, journal and controller in one thread, without readers and pins."""

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from edge.actions import Record
from edge.config import Config
from edge.controller import EdgeController
from edge.core import Now
from edge.events import CardSeen, Event
from edge.hardware.clock import SystemClock
from edge.inbound_queue import InboundQueue
from edge.link import connect
from edge.observer import Nobody
from edge.status import Health, Vitals
from edge.storage_worker import StorageWorker
from edge.work_items import WorkItem
from policy.terms import ClockState
from wire.credential import pseudonym
from wire.row import Kind, Row


class BareEdge:
    """`start` once, then `turn` again and again. told: takes what the controller was told, once it has taken it."""

    def __init__(self, config: Config, told: Callable[[Event], object]) -> None:
        self._clock = SystemClock()
        self._items: SimpleQueue[WorkItem] = SimpleQueue()
        self._told = told
        self._credential_key = config.keys.credential
        inbound = InboundQueue(self._items.put)
        self._link = connect(config, self._clock)(inbound.put)
        health = Health("bench", Vitals)
        self.storage = StorageWorker(config, self._clock, self._tell, Nobody(), "bench", health, inbound, self._link)
        self.controller = EdgeController(config.places, self.storage.recover(), self._pseudonym)
        self.controller.start(self.now())

    def now(self) -> Now:
        return Now(self._clock.now(), self._clock.monotonic(), ClockState.SYNCED)

    def start(self) -> None:
        self._link.start()

    def turn(self) -> None:
        """What came next goes to the storage worker; what is due, too. Waits for a second at most."""
        try:
            items = [self._items.get(timeout=min(1.0, max(0.0, self.storage.deadline() - time.monotonic())))]
        except Empty:
            items = []
        self.storage.handle(items)

    def lay(self, reader: str, uid: bytes) -> Row:
        """Lay a badge on a reader: the row that says what was decided."""
        seen = CardSeen(self._clock.now(), self._clock.monotonic(), reader, uid, 0x08, 0, 0.0)
        step = self.controller.step(self.now(), (seen,))
        return next(act.row for act in step.actions if isinstance(act, Record) and act.row.kind is Kind.TAP)

    def stop(self) -> None:
        self._link.stop()
        self.storage.close()

    def _pseudonym(self, uid: bytes) -> str:
        return pseudonym(self._credential_key, uid)

    def _tell(self, event: Event) -> None:
        self.controller.step(self.now(), (event,))
        self._told(event)
