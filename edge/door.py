"""What does a door do? One step: events in, actions and the next deadline out. No thread, no clock, no disk, no pin.

A door acts, then records: the strike moves before the row is written. The controller alone knows who is inside, which
grants wait for the door to open, and when the strike must fall back.

    shut, locked --granted tap--> strike released --door opens--> somebody is in --shuts--> shut, locked
                                         |
                                         +--strike time is over--> shut, locked: the grant lapses

Not decided here yet: lockdown, commands, facts from other edges (docs/flow.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from edge.actions import Action, Drive, Record
from edge.events import (
    CardGone,
    CardsCollided,
    CardSeen,
    Event,
    InputChanged,
    JournalTrouble,
    ReaderFault,
    ReaderRecovered,
    RulesConfirmed,
    RulesSwapped,
)
from edge.patterns import DOOR_FORCED, DOOR_HELD, NO_RULES, OF_FAMILY, READER_FAULT, TWO_CARDS, Player, Signal
from policy.door import Decision, SiteState, Tap, decide, decide_without_rules
from policy.instants import text
from policy.presence import Move, later
from policy.reasons import family
from policy.ruleset import RuleSet
from policy.terms import ClockState, Direction, Instant
from wire.row import Kind, Row


@dataclass(frozen=True, slots=True)
class DoorSetup:
    """What hangs at this door.

    strike_seconds: how long a grant releases the strike. held_after: seconds for which the door may stand open.
    """

    access_point: str
    reader_in: str
    reader_out: str | None = None
    strike_seconds: float = 5.0
    held_after: float = 60.0
    has_contact: bool = True
    has_rex: bool = True

    @property
    def readers(self) -> tuple[str, ...]:
        return (self.reader_in,) if self.reader_out is None else (self.reader_in, self.reader_out)


@dataclass(frozen=True, slots=True)
class HeldRules:
    """The rules in force, and until when the server confirmed them."""

    version: int
    not_after: Instant
    rules: RuleSet


@dataclass(frozen=True, slots=True)
class Memory:
    """What the edge found on its disk when it started.

    boot: a random id of this start. last_seq: 0 for a new journal. last_at: the newest trusted instant in the journal.
    """

    boot: str
    last_seq: int = 0
    moves: dict[str, Move] = field(default_factory=dict)
    held: HeldRules | None = None
    last_at: Instant = 0


class Now(NamedTuple):
    """Both clocks at the moment of a step. mono: seconds."""

    at: Instant
    mono: float
    clock: ClockState


class Step(NamedTuple):
    """actions: to be carried out in this order. deadline: monotonic seconds of the next step without an event."""

    actions: list[Action]
    deadline: float | None


@dataclass(frozen=True, slots=True)
class Grant:
    """A granted `in` tap that waits for the door to open until `expires` (monotonic seconds)."""

    seq: int
    member: str
    expires: float


class DoorController:
    """One door leaf. `step` is its only way in; everything it knows is in its own fields."""

    def __init__(self, setup: DoorSetup, memory: Memory, pseudonym: Callable[[bytes], str]) -> None:
        self.setup = setup
        self.held = memory.held
        self.moves = dict(memory.moves)
        self.seq = memory.last_seq
        self.unrecorded = 0
        self._boot = memory.boot
        self._pseudonym = pseudonym
        self._trusted = (memory.last_at, 0.0)
        self._journal_full = False
        self._open: bool | None = None
        self._opened_at: float | None = None
        self._held_said = False
        self._released_until = 0.0
        self._expected_until = 0.0
        self._grants: list[Grant] = []
        self._levels: dict[str, bool] = {}
        self._faulty: set[str] = set()
        self._fire = False
        self._lamps = {reader: Player() for reader in setup.readers}
        self._actions: list[Action] = []

    def start(self, now: Now) -> Step:
        """The first step: outputs to their start levels, and a row that says so."""
        self._row(now, Kind.STARTED)
        return self.step(now, ())

    def step(self, now: Now, events: Sequence[Event]) -> Step:
        """Take what happened, in order, and say what to do."""
        if now.clock is not ClockState.UNKNOWN:
            self._trusted = (now.at, now.mono)
        for event in events:
            HANDLERS[type(event)](self, now, event)
        self._let_time_pass(now)
        self._settle_outputs(now)
        actions, self._actions = self._actions, []
        return Step(actions, self._deadline(now))

    # What each event does

    def _card_seen(self, now: Now, event: CardSeen) -> None:
        tap = Tap(event.reader, self._pseudonym(event.uid))
        direction = Direction.OUT if event.reader == self.setup.reader_out else Direction.IN
        decision = self._decide(now, tap, direction, event.at)
        waits = direction is Direction.IN and self.setup.has_contact
        if decision.granted:
            self._release(now)
        self._lamps[event.reader].play(OF_FAMILY[family(decision.granted, decision.reason)], now.mono)
        seq = self._row(
            now,
            Kind.TAP,
            at=event.at,
            reader=event.reader,
            credential=tap.credential,
            member=decision.member,
            granted=decision.granted,
            reason=decision.reason,
            rules_version=self.held.version if self.held else None,
            pending=decision.granted and waits,
        )
        if decision.granted and decision.member is not None:
            self._passes(now, decision.member, direction, seq, event.at)

    def _decide(self, now: Now, tap: Tap, direction: Direction, at: Instant) -> Decision:
        if self.held is None:
            return decide_without_rules(direction)
        trusted = now.clock is not ClockState.UNKNOWN
        state = SiteState(self.moves, self.held.not_after, trusted)
        return decide(self.held.rules, state, tap, at if trusted else self._trusted[0])

    def _passes(self, now: Now, member: str, direction: Direction, seq: int, at: Instant) -> None:
        """Let a grant take effect: out at once, in when the door opens, at once where no contact says so."""
        if direction is Direction.OUT or not self.setup.has_contact:
            self._move(now, member, at, inside=direction is Direction.IN)
            return
        others = [grant for grant in self._grants if grant.member != member]
        self._grants = [*others, Grant(seq, member, now.mono + self.setup.strike_seconds)]
        if self._open:
            self._settle_grants(now, now.at)

    def _cards_collided(self, now: Now, event: CardsCollided) -> None:
        self._lamps[event.reader].play(TWO_CARDS, now.mono)
        self._row(now, Kind.CARDS_COLLIDED, at=event.at, reader=event.reader)

    def _card_gone(self, now: Now, event: CardGone) -> None:
        """Nothing to do: a badge left lying was one tap."""

    def _reader_fault(self, now: Now, event: ReaderFault) -> None:
        self._faulty.add(event.reader)
        self._row(now, Kind.READER_FAULT, at=event.at, reader=event.reader, detail=event.why)

    def _reader_recovered(self, now: Now, event: ReaderRecovered) -> None:
        self._faulty.discard(event.reader)
        self._row(now, Kind.READER_RECOVERED, at=event.at, reader=event.reader)

    def _input_changed(self, now: Now, event: InputChanged) -> None:
        INPUTS[event.name](self, now, event)

    def _contact(self, now: Now, event: InputChanged) -> None:
        if event.active == self._open:
            return
        first, self._open = self._open is None, event.active
        if self._open:
            self._door_opened(now, event, found=first)
        elif not first:
            self._opened_at = None
            self._row(now, Kind.DOOR_CLOSED, at=event.at)

    def _door_opened(self, now: Now, event: InputChanged, *, found: bool) -> None:
        """found: it stood open when this edge started, which is no break-in."""
        self._opened_at, self._held_said = event.mono, False
        self._grants = [grant for grant in self._grants if event.mono < grant.expires]
        if self._grants:
            self._settle_grants(now, event.at)
        elif found or event.mono < self._expected_until or self._fire or not self.setup.has_rex:
            self._row(now, Kind.DOOR_OPENED, at=event.at)
        else:
            self._row(now, Kind.DOOR_FORCED, at=event.at)
            self._lamps[self.setup.reader_in].play(DOOR_FORCED, now.mono)

    def _settle_grants(self, now: Now, at: Instant) -> None:
        for grant in self._grants:
            self._row(now, Kind.DOOR_OPENED, at=at, member=grant.member, settles=grant.seq or None)
            self._move(now, grant.member, at, inside=True)
        self._grants.clear()

    def _rex(self, now: Now, event: InputChanged) -> None:
        """The button itself switches the lock's supply; software only learns that the opening is no break-in."""
        if event.active:
            self._expected_until = max(self._expected_until, event.mono + self.setup.strike_seconds)
            self._row(now, Kind.REX, at=event.at)

    def _fire_alarm(self, now: Now, event: InputChanged) -> None:
        """The fire panel's contact unlocks by wire; the strike follows it while the alarm lasts."""
        if event.active != self._fire:
            self._fire = event.active
            self._row(now, Kind.FIRE if self._fire else Kind.FIRE_ENDED, at=event.at)

    def _rules_swapped(self, now: Now, event: RulesSwapped) -> None:
        self.held = HeldRules(event.version, event.not_after, event.rules)

    def _rules_confirmed(self, now: Now, event: RulesConfirmed) -> None:
        if self.held is not None:
            self.held = HeldRules(self.held.version, event.not_after, self.held.rules)

    def _journal_trouble(self, now: Now, event: JournalTrouble) -> None:
        self._journal_full = event.full

    # What time does

    def _let_time_pass(self, now: Now) -> None:
        self._grants = [grant for grant in self._grants if now.mono < grant.expires]
        if self._opened_at is not None and not self._held_said and now.mono >= self._opened_at + self.setup.held_after:
            self._held_said = True
            self._row(now, Kind.DOOR_HELD)

    def _settle_outputs(self, now: Now) -> None:
        self._drive("strike", self._fire or now.mono < self._released_until)
        for reader, lamp in self._lamps.items():
            lamp.stand(self._standing(reader), now.mono)
            for name, active in zip(("green", "red", "buzzer"), lamp.levels(now.mono), strict=True):
                self._drive(f"{reader}.{name}", active)

    def _standing(self, reader: str) -> Signal | None:
        if reader in self._faulty:
            return READER_FAULT
        if self._opened_at is not None and self._held_said:
            return DOOR_HELD
        return NO_RULES if self.held is None else None

    def _deadline(self, now: Now) -> float | None:
        due = [lamp.next_change(now.mono) for lamp in self._lamps.values()]
        due += [grant.expires for grant in self._grants]
        if now.mono < self._released_until:
            due.append(self._released_until)
        if self._opened_at is not None and not self._held_said:
            due.append(self._opened_at + self.setup.held_after)
        return min((moment for moment in due if moment is not None), default=None)

    # Small hands

    def _release(self, now: Now) -> None:
        self._released_until = now.mono + self.setup.strike_seconds
        self._expected_until = max(self._expected_until, self._released_until)
        self._drive("strike", True)

    def _drive(self, output: str, active: bool) -> None:
        if self._levels.get(output) is not active:
            self._levels[output] = active
            self._actions.append(Drive(output, active))

    def _move(self, now: Now, member: str, at: Instant, *, inside: bool) -> None:
        """Note a move; while the clock is not trusted, at the last trusted instant and what has passed since."""
        if now.clock is ClockState.UNKNOWN:
            trusted_at, mono = self._trusted
            at = trusted_at + round((now.mono - mono) * 1000)
        self.moves[member] = later(self.moves.get(member), Move(at, inside))

    def _row(self, now: Now, kind: Kind, *, at: Instant | None = None, **fields: Any) -> int:
        """Record a row and give its seq; 0 when the journal takes no more."""
        if self._journal_full:
            self.unrecorded += 1
            return 0
        self.seq += 1
        written = text(now.at if at is None else at)
        place = self.setup.access_point
        row = Row(self.seq, written, round(now.mono * 1000), self._boot, now.clock, kind, place, **fields)
        self._actions.append(Record(row))
        return self.seq


HANDLERS: dict[type[Event], Callable[[DoorController, Now, Any], None]] = {
    CardSeen: DoorController._card_seen,
    CardsCollided: DoorController._cards_collided,
    CardGone: DoorController._card_gone,
    ReaderFault: DoorController._reader_fault,
    ReaderRecovered: DoorController._reader_recovered,
    InputChanged: DoorController._input_changed,
    RulesSwapped: DoorController._rules_swapped,
    RulesConfirmed: DoorController._rules_confirmed,
    JournalTrouble: DoorController._journal_trouble,
}

INPUTS: dict[str, Callable[[DoorController, Now, InputChanged], None]] = {
    "contact": DoorController._contact,
    "rex": DoorController._rex,
    "fire": DoorController._fire_alarm,
}
