"""What does one edge do? One step: events in, actions and the next deadline out, for every door and machine of it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from edge.actions import Action
from edge.closing_soon import ClosingSoon
from edge.core import Core, Memory, Now
from edge.door import DoorController, DoorSetup
from edge.enrolment import Enroller
from edge.events import (
    Event,
    FactsHeard,
    InputEvent,
    Journalled,
    JournalTrouble,
    LinkChanged,
    Ordered,
    ReaderEvent,
    RulesConfirmed,
    RulesSwapped,
    StateHeard,
)
from edge.machine import MachineController, MachineSetup
from edge.patterns import CLOSING_SOON
from policy.instants import text
from wire.row import Kind, Order

AT_READER = (Order.SOUND, Order.ENROL, Order.STOP_ENROL)
"""Orders about a reader."""
ALIVE = 1.0
"""Seconds from one note that the edge has power to the next, while a session runs."""


class Step(NamedTuple):
    """actions: to be carried out in this order. deadline: monotonic seconds of the next step without an event."""

    actions: list[Action]
    deadline: float | None


class EdgeController:
    """All places of one edge. `step` is the only way in; it owns all state."""

    def __init__(
        self, setups: Sequence[DoorSetup | MachineSetup], memory: Memory, pseudonym: Callable[[bytes], str]
    ) -> None:
        self.core = Core(memory, pseudonym)
        self._alive_at = memory.alive_at
        self._alive_due: float | None = None
        self._trouble = memory.trouble
        self.places = [_controller(setup, self.core) for setup in setups]
        self._enroller = Enroller(self.core)
        self._closing_soon = ClosingSoon(self.core)
        self._of_place = {place.place: place for place in self.places}
        self._of_reader = {reader: place for place in self.places for reader in place.readers}
        self._of_input = {name: place for place in self.places for name in place.inputs}

    def start(self, now: Now) -> Step:
        """The first step: outputs to their start levels, sessions that a power cut ended, and a row that says so."""
        self.core.begin(now)
        self.core.row(now, Kind.STARTED, detail=self._trouble)
        self._recover(now)
        return self.step(now, ())

    def step(self, now: Now, events: Sequence[Event]) -> Step:
        """Take what happened, in order, and say what to do."""
        self.core.begin(now)
        if self.core.jump:
            for place in self.places:
                if isinstance(place, MachineController):
                    place.clock_was_set(now, self.core.jump)
        for event in events:
            self._handle(now, event)
        self._enroller.pass_time(now)
        if self._closing_soon.is_due(now):
            self._say_closing_soon(now)
        for place in self.places:
            place.pass_time(now)
        moments = [self._alive(now), self._enroller.deadline, self._closing_soon.deadline(now)]
        moments += [place.deadline(now) for place in self.places]
        due = [moment for moment in moments if moment is not None]
        return Step(self.core.drain_actions(), min(due, default=None))

    def _say_closing_soon(self, now: Now) -> None:
        for door in (place for place in self.places if isinstance(place, DoorController)):
            for reader in door.readers:
                door.show(reader, CLOSING_SOON, now.mono)

    def due(self, now: Now) -> float | None:
        """The deadline for whoever looks at no lamp and cuts no power, monotonic seconds."""
        due = [moment for place in self.places if (moment := place.due(now)) is not None]
        return min(due, default=None)

    @property
    def runs_session(self) -> bool:
        """Whether a session runs on a machine of this edge."""
        return any(isinstance(place, MachineController) and place.session is not None for place in self.places)

    def reads(self, reader: str) -> bool:
        """Whether a place of this edge has a reader of this name."""
        return reader in self._of_reader

    def _alive(self, now: Now) -> float | None:
        """Note each second that the edge has power while a session runs; when to do it next."""
        if not self.runs_session:
            self._alive_due = None
        elif self._alive_due is None or now.mono >= self._alive_due:
            self._alive_due = now.mono + ALIVE
            self.core.alive(now)
        return self._alive_due

    def _recover(self, now: Now) -> None:
        for place in self.places:
            if isinstance(place, MachineController):
                place.recover(now, self._alive_at)

    def _handle(self, now: Now, event: Event) -> None:
        if isinstance(event, ReaderEvent):
            self._at_reader(now, event)
        elif isinstance(event, InputEvent):
            self._of_input[event.name].handle(now, event)
        elif isinstance(event, Ordered):
            self._obey(now, event)
        elif isinstance(event, Journalled):
            for place in self.places:
                if isinstance(place, MachineController):
                    place.handle(now, event)
        else:
            TO_CORE[type(event)](self.core, now, event)
            if isinstance(event, StateHeard):
                self._recover(now)

    def _at_reader(self, now: Now, event: ReaderEvent) -> None:
        """A badge that is enrolled is no tap, and the place does not hear of it."""
        place = self._of_reader[event.reader]
        signal = self._enroller.laid(now, event, place.place)
        if signal is None:
            place.handle(now, event)
        else:
            place.show(event.reader, signal, now.mono)

    def _obey(self, now: Now, event: Ordered) -> None:
        """Act, then record; late or refused: only record."""
        reader = event.place if event.order in AT_READER and event.place in self._of_reader else None
        place = self._of_place.get(event.place or "") if reader is None else self._of_reader[reader]
        why = event.refused
        if why is None and now.mono > event.until:
            why = f"too late, by {now.mono - event.until:.0f} s: this edge was busy"
        if why is None and place is not None:
            why = place.refuses(now, event)
        if why is None and event.order is Order.ENROL:
            why = self._enroller.begin(event)
        elif why is None and event.order is Order.STOP_ENROL:
            self._enroller.stop(event)
        elif why is None and place is not None:
            place.handle(now, event)
        self.core.row(
            now,
            Kind.COMMAND,
            access_point=place.place if place is not None else None,
            reader=reader,
            nonce=event.nonce,
            order=event.order,
            granted=why is None,
            until=None if event.hold is None else text(event.hold.at),
            detail=why or event.by or None,
        )


def _controller(setup: DoorSetup | MachineSetup, core: Core) -> DoorController | MachineController:
    return DoorController(setup, core) if isinstance(setup, DoorSetup) else MachineController(setup, core)


TO_CORE: dict[type[Event], Callable[[Core, Now, Any], None]] = {
    RulesSwapped: Core.rules_swapped,
    RulesConfirmed: Core.rules_confirmed,
    FactsHeard: Core.facts_heard,
    StateHeard: Core.state_heard,
    LinkChanged: Core.link_changed,
    JournalTrouble: Core.journal_trouble,
}
