"""What does a door do? Events in, actions and the next deadline out. No thread, no clock, no disk, no pin.

A door acts, then records: the strike moves before the row is written. The controller alone knows which grants wait for
the door to open, and when the strike must fall back.

    shut, locked --granted tap--> strike released --door opens--> somebody is in --shuts--> shut, locked
                                         |
                                         +--strike time is over--> shut, locked: the grant lapses
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.core import Core, Now
from edge.events import CardSeen, Event, InputChanged, Ordered
from edge.kept_unlocked import KeptUnlocked
from edge.patterns import (
    CARNET_LOW,
    CLOSED,
    DOOR_FORCED,
    DOOR_HELD,
    LAY_HERE,
    NO_RULES,
    OF_FAMILY,
    READER_FAULT,
    SOUND,
    Player,
    Signal,
    people_inside,
)
from edge.reports import Reports
from policy.case import Decision, Mark, Tap
from policy.closing import left
from policy.door import decide, decide_without_rules
from policy.instants import text
from policy.pairs import LastTap
from policy.passes import runs_low
from policy.reasons import Family, family
from policy.terms import Direction, Instant
from policy.units import start_at, unit_of
from wire.row import Kind, Order

EXPLAINED_WITHIN = 0.5
"""Seconds after an opening within which the exit button or the fire alarm explains it: no two wires are alike."""


@dataclass(frozen=True, slots=True)
class DoorSetup:
    """What hangs at this door.

    strike_seconds: how long a grant releases the strike. held_after: seconds for which the door may stand open.
    prefix: what stands before the names of its inputs and of its strike, where an edge has more than one place.
    debounce: seconds after which a change of the slowest of its inputs is told.
    """

    access_point: str
    reader_in: str
    reader_out: str | None = None
    strike_seconds: float = 5.0
    held_after: float = 60.0
    has_contact: bool = True
    has_rex: bool = True
    prefix: str = ""
    debounce: float = 0.0

    @property
    def readers(self) -> tuple[str, ...]:
        return (self.reader_in,) if self.reader_out is None else (self.reader_in, self.reader_out)


@dataclass(frozen=True, slots=True)
class Grant:
    """A granted `in` tap that waits for the door to open until `expires` (monotonic seconds). pays: as in its row."""

    seq: int
    member: str
    expires: float
    pays: str | None


class DoorController:
    """One door leaf of an edge."""

    def __init__(self, setup: DoorSetup, core: Core) -> None:
        self.setup = setup
        self.place = setup.access_point
        self.readers = setup.readers
        self.inputs = {f"{setup.prefix}{name}" for name in INPUTS}
        self._core = core
        self._open: bool | None = None
        self._opened_at: float | None = None
        self._held_said = False
        self._released_until = 0.0
        self._expected_until = 0.0
        self._grants: list[Grant] = []
        self._unexplained: InputChanged | None = None
        """An opening that nothing has explained yet."""
        self._fire = self._pressed = False
        self._kept = KeptUnlocked(core, setup.access_point)
        self._lamps = {reader: Player() for reader in setup.readers}
        self._reports = Reports(setup.access_point, core, self._lamps, setup.prefix)

    def handle(self, now: Now, event: Event) -> None:
        """Take one event about this door."""
        if type(event) in HANDLERS:
            HANDLERS[type(event)](self, now, event)
        else:
            self._reports.handle(now, event)

    def pass_time(self, now: Now) -> None:
        """Do what is due at this moment."""
        opening = self._unexplained
        if opening is not None and now.mono >= self._judged_at(opening):
            self._forced(now, opening)
        if self._opened_at is not None and not self._held_said and now.mono >= self._opened_at + self.setup.held_after:
            self._held_said = True
            self._row(now, Kind.DOOR_HELD)
        if why := self._kept.ended_by(now):
            self._row(now, Kind.RELOCKED, detail=why)
        unlocked = self._unlocked(now)
        if unlocked:
            self._expected_until = max(self._expected_until, now.mono)
        self._core.drive(f"{self.setup.prefix}strike", unlocked)
        for reader, lamp in self._lamps.items():
            lamp.stand(self._standing(reader), now.mono)
            for name, active in zip(("green", "red", "buzzer"), lamp.levels(now.mono), strict=True):
                self._core.drive(f"{reader}.{name}", active)

    def deadline(self, now: Now) -> float | None:
        """Monotonic seconds at which something is due next."""
        due = [self.due(now), *(lamp.next_change(now.mono) for lamp in self._lamps.values())]
        return min((moment for moment in due if moment is not None), default=None)

    def due(self, now: Now) -> float | None:
        """The same without the lamps."""
        due: list[float | None] = [] if self._unexplained is None else [self._judged_at(self._unexplained)]
        if now.mono < self._released_until:
            due.append(self._released_until)
        if self._opened_at is not None and not self._held_said:
            due.append(self._opened_at + self.setup.held_after)
        due += [self._kept.until, self._kept.calendar_change(now)]
        return min((moment for moment in due if moment is not None), default=None)

    def show(self, reader: str, signal: Signal, mono: float) -> None:
        """Play a signal once at one of its readers."""
        self._lamps[reader].play(signal, mono)

    # What each event does

    def _card_seen(self, now: Now, event: CardSeen) -> None:
        direction = Direction.OUT if event.reader == self.setup.reader_out else Direction.IN
        tap = self._tap(event, direction)
        decision = self._decide(now, tap, direction, event.at)
        pending = decision.granted and direction is Direction.IN and self.setup.has_contact
        if decision.granted:
            self._release(now)
        self._lamps[event.reader].play(self._signal(decision, event.at), now.mono)
        seq = self._record_tap(now, event, tap, decision, pending)
        self._core.pairs.decided(decision.marks)
        if decision.closed is not None:
            self._record_closing(now, event, decision, decision.closed)
        if pending and decision.member is not None:
            others = [grant for grant in self._waiting(now.mono) if grant.member != decision.member]
            expires, pays = now.mono + self.setup.strike_seconds, self._pays(decision, event.at)
            self._grants = [*others, Grant(seq, decision.member, expires, pays)]
            if self._open:
                self._settle_grants(now, event)

    def _signal(self, decision: Decision, at: Instant) -> Signal:
        """What the lamp says of it; of a grant that pays a unit of a carnet, too, whether little is left; of the last
        gardien who goes, how many are left."""
        held = self._core.held
        if held is not None and Mark.LEFT_INSIDE in decision.marks:
            return people_inside(len(left(held.rules, self._core.state, at, without=decision.member)))
        if decision.closed is not None:
            return CLOSED
        who = decision.member if decision.pays is not None else None
        if who is not None and held is not None and runs_low(held.rules, self._core.state, who, at):
            return CARNET_LOW
        return OF_FAMILY[family(decision.granted, decision.reason)]

    def _tap(self, event: CardSeen, direction: Direction) -> Tap:
        """The tap, and whether it is the second of a pair."""
        tap = LastTap(event.reader, self._core.pseudonym(event.uid), event.mono)
        return Tap(tap.reader, tap.credential, self._core.pairs.at_door(tap, direction))

    def _decide(self, now: Now, tap: Tap, direction: Direction, at: Instant) -> Decision:
        held = self._core.held
        if held is None:
            return decide_without_rules(direction)
        return decide(held.rules, self._core.state, tap, self._core.decided_at(now, at))

    def _record_tap(self, now: Now, event: CardSeen, tap: Tap, decision: Decision, pending: bool) -> int:
        held = self._core.held
        return self._row(
            now,
            Kind.TAP,
            of=event,
            reader=event.reader,
            credential=tap.credential,
            member=decision.member,
            granted=decision.granted,
            reason=decision.reason,
            rules_version=held.version if held else None,
            pending=pending,
            pays=self._pays(decision, event.at),
            adhoc_until=None if decision.adhoc is None else text(decision.adhoc[1]),
            marks=decision.marks,
        )

    def _record_closing(self, now: Now, event: CardSeen, decision: Decision, left: tuple[str, ...]) -> None:
        """The gardien closed the place: whoever was left is out, one row each."""
        self._row(now, Kind.CLOSED, of=event, member=decision.member)
        for who in left:
            self._row(now, Kind.CHECKED_OUT, of=event, member=who, by=decision.member)

    def _pays(self, decision: Decision, at: Instant) -> str | None:
        """What the grant pays for, in the form that every edge of the site reads."""
        held = self._core.held
        if decision.pays is None or held is None or held.rules.speaks > 1:
            return decision.pays
        return text(start_at(held.rules, unit_of(decision.pays), at))

    def _input_changed(self, now: Now, event: InputChanged) -> None:
        INPUTS[event.name.removeprefix(self.setup.prefix)](self, now, event)

    def _contact(self, now: Now, event: InputChanged) -> None:
        if event.active == self._open:
            return
        first, self._open = self._open is None, event.active
        if self._open:
            self._door_opened(now, event, found=first)
        elif not first:
            if self._unexplained is not None:
                self._forced(now, self._unexplained)
            self._opened_at = None
            self._row(now, Kind.DOOR_CLOSED, of=event)

    def _door_opened(self, now: Now, event: InputChanged, *, found: bool) -> None:
        """found: it stood open when this edge started, which is no break-in.

        It opened when the contact first said so, which is told later; a leaf that was free has as long to come loose.
        """
        self._opened_at, self._held_said = event.mono, False
        self._grants = self._waiting(event.mono)
        free = event.mono < self._expected_until + self.setup.debounce or self._pressed or self._unlocked(now)
        if self._grants:
            self._settle_grants(now, event)
        elif found or free or not self.setup.has_rex:
            self._row(now, Kind.DOOR_OPENED, of=event)
        else:
            self._unexplained = event

    def _waiting(self, mono: float) -> list[Grant]:
        """The grants that an opening at this second settles."""
        return [grant for grant in self._grants if mono < grant.expires + self.setup.debounce]

    def _judged_at(self, opening: InputChanged) -> float:
        """Until then the exit button or the fire alarm that explains an opening may still be reported."""
        return opening.mono + EXPLAINED_WITHIN + self.setup.debounce

    def _explained(self, now: Now, event: InputChanged) -> None:
        """The button or the alarm came after the contact, as wires and their debouncing would have it."""
        opening = self._unexplained
        if opening is not None and event.mono <= opening.mono + EXPLAINED_WITHIN:
            self._unexplained = None
            self._row(now, Kind.DOOR_OPENED, of=opening)

    def _forced(self, now: Now, opening: InputChanged) -> None:
        self._unexplained = None
        self._row(now, Kind.DOOR_FORCED, of=opening)
        self._lamps[self.setup.reader_in].play(DOOR_FORCED, now.mono)

    def _settle_grants(self, now: Now, opened: Event) -> None:
        for grant in self._grants:
            settled = {"member": grant.member, "settles": grant.seq or None, "pays": grant.pays}
            self._row(now, Kind.DOOR_OPENED, of=opened, **settled)
        self._grants.clear()

    def _rex(self, now: Now, event: InputChanged) -> None:
        """The button itself switches the lock's supply; software only learns that the opening is no break-in."""
        self._pressed = event.active
        self._expected_until = max(self._expected_until, event.mono + self.setup.strike_seconds * event.active)
        if event.active:
            self._row(now, Kind.REX, of=event)
            self._explained(now, event)

    def _fire_alarm(self, now: Now, event: InputChanged) -> None:
        """The fire panel's contact unlocks by wire; the strike follows it while the alarm lasts."""
        if event.active != self._fire:
            self._fire = event.active
            self._row(now, Kind.FIRE if self._fire else Kind.FIRE_ENDED, of=event)
            if self._fire:
                self._explained(now, event)

    def refuses(self, now: Now, event: Ordered) -> str | None:
        """Why an order is not carried out here and now, in English; None when it is.

        To lock ends what an order keeps unlocked, even while something else does: it does not open again afterwards.
        """
        if event.order is Order.UNLOCK and self._core.state.lockdown:
            return "lockdown: no door is kept unlocked; lift it first"
        if event.order is Order.RELOCK and (self._fire or self._kept.by_event(now)):
            if self._kept.until is not None:
                self._kept.end()
                self._row(now, Kind.RELOCKED, detail="relock")
            return f"{'the fire alarm' if self._fire else 'a public event'} keeps it unlocked, no order does"
        return None

    def _ordered(self, now: Now, event: Ordered) -> None:
        """Open for whoever stands there, in a lockdown too: nobody is in or out by that. Or show a reader."""
        if event.order in (Order.OPEN, Order.UNLOCK):
            self._lamps[self.setup.reader_in].play(OF_FAMILY[Family.GRANTED], now.mono)
        if event.order is Order.OPEN:
            self._release(now)
        elif event.order is Order.UNLOCK and event.hold is not None:
            self._kept.begin(now, event.hold.mono)
        elif event.order is Order.RELOCK:
            self._kept.end()
            self._released_until = min(self._released_until, now.mono)
        elif event.order is Order.SOUND and event.place is not None:
            self._lamps[event.place].play(SOUND, now.mono)

    # Helpers

    def _unlocked(self, now: Now) -> bool:
        kept = self._kept.until is not None or now.mono < self._released_until
        return kept or self._fire or self._kept.by_event(now)

    def _standing(self, reader: str) -> Signal | None:
        if reader in self._reports.faulty:
            return READER_FAULT
        if self._opened_at is not None and self._held_said:
            return DOOR_HELD
        if reader == self._core.enrols_at:
            return LAY_HERE
        return NO_RULES if self._core.held is None else None

    def _release(self, now: Now) -> None:
        self._released_until = now.mono + self.setup.strike_seconds
        self._expected_until = max(self._expected_until, self._released_until)
        self._core.drive(f"{self.setup.prefix}strike", True)

    def _row(self, now: Now, kind: Kind, **fields: Any) -> int:
        return self._core.row(now, kind, access_point=self.place, **fields)


HANDLERS: dict[type[Event], Callable[[DoorController, Now, Any], None]] = {
    CardSeen: DoorController._card_seen,
    InputChanged: DoorController._input_changed,
    Ordered: DoorController._ordered,
}
"""What may move the strike, or says who comes and goes; all else is only recorded and shown (edge/reports.py)."""

INPUTS: dict[str, Callable[[DoorController, Now, InputChanged], None]] = {
    "contact": DoorController._contact,
    "rex": DoorController._rex,
    "fire": DoorController._fire_alarm,
}
