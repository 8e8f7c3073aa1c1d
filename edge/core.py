"""What do all controllers of one edge share? Rules, state of the site, numbers of rows, trusted time.

Pure like the controllers: what they ask for is collected here and handed out as the actions of a step.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from edge.actions import Action, Alive, BadgeLaid, Drive, Record, SensedChanged
from edge.events import Event, FactsHeard, JournalTrouble, LinkChanged, RulesConfirmed, RulesSwapped, StateHeard
from edge.held import HeldRules
from edge.knowledge import Knowledge, Receipt
from policy.errors import brief
from policy.instants import text
from policy.pairs import Pairs, ms_between
from policy.state import SiteState
from policy.terms import SECOND, ClockState, Instant
from wire.facts import facts_of
from wire.row import DETAIL, Kind, Row


@dataclass(frozen=True, slots=True)
class Memory:
    """What the edge found on its disk when it started.

    boot: a random id of this start. last_seq: 0 for a new journal. last_at: the newest trusted instant in the journal.
    alive_at: the last instant that the edge recorded while a session ran. trouble: why no journal was found that could
    go on, and what was done.
    """

    boot: str
    last_seq: int = 0
    knowledge: Knowledge = field(default_factory=Knowledge)
    held: HeldRules | None = None
    last_at: Instant = 0
    alive_at: Instant | None = None
    trouble: str | None = None


class Now(NamedTuple):
    """Both clocks at the moment of a step. mono: seconds."""

    at: Instant
    mono: float
    clock: ClockState


JUMP: Instant = 2 * SECOND
"""A trusted clock that moves by more against the monotonic one was set."""


class Core:
    """Shared by the controllers of one edge; belongs to the thread that steps them."""

    def __init__(self, memory: Memory, pseudonym: Callable[[bytes], str]) -> None:
        self.held = memory.held
        self.knowledge = memory.knowledge
        self.seq = memory.last_seq
        self.unrecorded = 0
        self.journal_fault: str | None = None
        self.pseudonym = pseudonym
        self.pairs = Pairs()
        self.enrols_at: str | None = None
        """The reader that waits for a badge to enrol."""
        self.jump: Instant = 0
        """By how much the clock was set at this step, ms; 0 when it was not."""
        self._boot = memory.boot
        self._found = memory.last_seq
        self._trusted = (memory.last_at, 0.0)
        self._journal_full = False
        self._begun = False
        self._levels: dict[str, bool] = {}
        self._actions: list[Action] = []
        self._confirmed()

    @property
    def state(self) -> SiteState:
        """The site as this edge knows it."""
        return self.knowledge.state

    def begin(self, now: Now) -> None:
        """Note the time of a step."""
        trusted, before = now.clock is not ClockState.UNKNOWN, self.state.clock_trusted
        if not self._begun:
            self._trusted = (self._trusted[0], now.mono)
        self.state.clock_trusted, self.jump = trusted, 0
        if trusted:
            was = self._went_on(now)
            self._trusted = (now.at, now.mono)
            if self._begun and (not before or abs(now.at - was) > JUMP):
                self._clock_was_set(now, was)
        self._begun = True

    def decided_at(self, now: Now, at: Instant) -> Instant:
        """The instant by which a tap is decided: the last trusted one while the clock is not."""
        return at if now.clock is not ClockState.UNKNOWN else self._trusted[0]

    def believed(self, now: Now, at: Instant) -> Instant:
        """When it happened: while the clock is not trusted, the last trusted instant and what has passed since."""
        return at if now.clock is not ClockState.UNKNOWN else self._went_on(now)

    def _went_on(self, now: Now) -> Instant:
        """What the clock would say had it gone on from when it was last trusted."""
        trusted_at, mono = self._trusted
        return trusted_at + ms_between(mono, now.mono)

    def mono_of(self, now: Now, at: Instant) -> float:
        """The monotonic second of an instant, as far as this edge can know it."""
        return now.mono + (at - self.decided_at(now, now.at)) / 1000

    def drive(self, output: str, active: bool) -> None:
        """Put an output to a level, if it is not there already."""
        if self._levels.get(output) is not active:
            self._levels[output] = active
            self._actions.append(Drive(output, active))

    def alive(self, now: Now) -> None:
        """Note that the edge has power."""
        self._actions.append(Alive(self.believed(now, now.at)))

    def tell_laid(self, laid: BadgeLaid) -> None:
        """Say what was laid where a badge is awaited."""
        self._actions.append(laid)

    def tell_sensed(self, changed: SensedChanged) -> None:
        """Say what is wired beside a machine's relay."""
        self._actions.append(changed)

    def row(self, now: Now, kind: Kind, *, of: Event | None = None, **fields: Any) -> int:
        """Record a row, take its facts into the state, and give its seq; 0 when the journal takes no more.

        of: what it tells of, which both clocks of the row date; None for what happens now.
        """
        happened, mono = (now.at, now.mono) if of is None else (of.at, of.mono)
        if fields.get("detail") is not None:
            fields["detail"] = brief(fields["detail"], DETAIL)
        seq = 0 if self._journal_full else self.seq + 1
        row = Row(seq, text(happened), round(mono * 1000), self._boot, now.clock, kind, **fields)
        doubt = now.mono if now.clock is ClockState.UNKNOWN else None
        self.knowledge.add_own(seq or self.seq + 1, facts_of(row, self.believed(now, happened)), doubt)
        if self._journal_full:
            self.unrecorded += 1
            return 0
        self.seq = seq
        self._actions.append(Record(row))
        return seq

    def _clock_was_set(self, now: Now, was: Instant) -> None:
        """Correct times that an untrusted or wrong clock gave, and record it: the server corrects its rows alike."""
        self.jump = now.at - was
        if abs(self.jump) > JUMP:
            self.knowledge.clock_jumped(self.jump, self._found)
        self.knowledge.clock_is_back(now.at, now.mono)
        self.row(now, Kind.CLOCK_SET, detail=f"from {text(was)} to {text(now.at)}")

    def drain_actions(self) -> list[Action]:
        """The actions collected since the last call."""
        actions, self._actions = self._actions, []
        return actions

    # What the world outside says to the whole edge

    def rules_swapped(self, _: Now, event: RulesSwapped) -> None:
        self.held = event.held
        self.knowledge.keep_only(event.held.rules.edges)
        self._confirmed()

    def rules_confirmed(self, _: Now, event: RulesConfirmed) -> None:
        if self.held is not None:
            self.held = replace(self.held, not_after=event.not_after)
            self._confirmed()

    def facts_heard(self, now: Now, event: FactsHeard) -> None:
        doubt = None if event.trusted else event.mono
        receipt = Receipt(event.at if event.trusted else self.believed(now, now.at), doubt)
        for row in event.rows:
            self.knowledge.add_heard(event.edge, event.journal, row, receipt)

    def state_heard(self, _: Now, event: StateHeard) -> None:
        self.knowledge.replace_snapshot(event.version, event.snapshot, event.own)

    def link_changed(self, _: Now, event: LinkChanged) -> None:
        self.state.link_up = event.up

    def journal_trouble(self, _: Now, event: JournalTrouble) -> None:
        self.journal_fault = event.why
        self._journal_full = event.full

    def _confirmed(self) -> None:
        self.state.not_after = 0 if self.held is None else self.held.not_after
