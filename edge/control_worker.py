"""Who carries out what the controller decides? Events go in; its actions are done at once: act, then record."""

import time
from collections.abc import Callable, Sequence

from edge.actions import Drive, Record
from edge.controller import EdgeController, Step
from edge.core import Now
from edge.events import CardSeen, Event, ReaderFault, ReaderRecovered
from edge.observer import Observer
from edge.ports import Clock, Pins
from edge.screen import ScreenTimer
from edge.work_items import RowToWrite, UnrecordedCount, WorkItem
from wire.row import Kind


class ControlWorker:
    """Steps the controller and carries out its actions. Belongs to one thread, which alone drives the outputs.

    outputs: those that are wired; actions on others are left out. hand_over: gives an item to the storage worker; never
    waits. screen: of the page at the door, where there is one.
    """

    def __init__(
        self,
        controller: EdgeController,
        clock: Clock,
        pins: Pins,
        outputs: Sequence[str],
        hand_over: Callable[[WorkItem], None],
        observer: Observer,
        screen: ScreenTimer | None = None,
    ) -> None:
        self.controller = controller
        self.deadline: float | None = None
        """When to call `handle` again if nothing happens, in monotonic seconds."""
        self._clock = clock
        self._pins = pins
        self._outputs = frozenset(outputs)
        self._hand_over = hand_over
        self._observer = observer
        self._screen = screen
        self._unrecorded = 0

    def begin(self) -> None:
        """The first step."""
        self._carry_out(self.controller.start(self._now()), None, 0.0)

    def handle(self, events: Sequence[Event]) -> None:
        """Each event is a step of its own, so that nobody waits for another's row; none: time has passed."""
        for event in events or (None,):
            started = time.perf_counter()
            step = self.controller.step(self._now(), () if event is None else (event,))
            self._carry_out(step, event, time.perf_counter() - started)
            if isinstance(event, ReaderFault | ReaderRecovered):
                self._hand_over(event)
        if self.controller.core.unrecorded != self._unrecorded:
            self._unrecorded = self.controller.core.unrecorded
            self._hand_over(UnrecordedCount(self._unrecorded))
        if self._screen is not None:
            self._show(self._screen)

    def _show(self, screen: ScreenTimer) -> None:
        """Last, once all is decided and done."""
        if (shown := screen.due(self._now())) is not None:
            self._hand_over(shown)
        self.deadline = screen.deadline if self.deadline is None else min(self.deadline, screen.deadline)

    def _carry_out(self, step: Step, event: Event | None, decision_seconds: float) -> None:
        started = time.perf_counter()
        for action in step.actions:
            if isinstance(action, Drive):
                self._drive(action)
            elif isinstance(action, Record):
                self._record(action, event, decision_seconds, time.perf_counter() - started)
            else:
                self._hand_over(action)
        self.deadline = step.deadline

    def _drive(self, action: Drive) -> None:
        if action.output in self._outputs:
            self._pins.set(action.output, action.active)
            self._observer.output(action.output, action.active)

    def _record(self, action: Record, event: Event | None, decision_seconds: float, actuator_seconds: float) -> None:
        row = action.row
        self._hand_over(RowToWrite(row, time.perf_counter()))
        if row.kind is Kind.TAP and isinstance(event, CardSeen):
            self._observer.decided(row, event.seconds, event.transfers, decision_seconds, actuator_seconds)

    def _now(self) -> Now:
        return Now(self._clock.now(), self._clock.monotonic(), self._clock.state())
