"""What does a machine do? Events in, actions and the next deadline out, as at a door.

A machine's start is on disk before the interlock closes; a stop opens it first.

    off --granted tap, row on disk--> running --tap, until, nobody there, emergency stop, urgent lock-out--> off
    any --emergency stop, lock-out by the server--> stopped --machine_reset--> off

What a session is (kind, warn or cut, until) was fixed when it began; `attended` and the lock-out are today's.

Where a printer stands no time and no absence cuts its power while it prints, pauses or does not say: the session runs
on, warned and counted. A hand does: the holder's own badge, the emergency stop, an urgent lock-out, the service key.
What a current sensor and a key switch say: edge/sensed.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from edge import patterns
from edge.actions import SensedChanged
from edge.core import Core, Now
from edge.devices.power import NO_PLUG, STILL_PRINTS, PlugPower, PrinterPower
from edge.events import CardSeen, Event, InputChanged, Journalled, Ordered, PlugSaid, PrinterSaid
from edge.patterns import OF_FAMILY, Player, Signal
from edge.reports import Reports, of_session
from edge.sensed import NOTHING, Sensed, SensedSetup
from edge.taps import Decided
from policy.case import Decision, Tap
from policy.door import decide_without_rules
from policy.extend import extended
from policy.instants import text
from policy.machine import decide, unattended
from policy.pairs import LastTap, ms_between
from policy.reasons import Reason, family
from policy.ruleset import Machine
from policy.sessions import Session
from policy.state import SiteState
from policy.terms import MINUTE, Instant
from wire.row import Kind, Order

SAME_TAP_MS = 5000
"""A badge laid on again at most so many ms after its own decided tap is the same tap."""
WARN_BEFORE: Instant = 5 * MINUTE
"""A machine that cuts warns so long before it does."""
ALONE_FOR: Instant = 5 * MINUTE
"""An attended machine runs on so long without its holder or company; one on a plug that may not switch it any more."""
STARTS = (Reason.BOOKING, Reason.WALK_UP)


@dataclass(frozen=True, slots=True)
class MachineSetup:
    """What hangs at this machine; its lines are `<machine>.interlock` and `<machine>.estop`. plugged: without relay."""

    machine: str
    reader: str
    has_estop: bool = True
    has_printer: bool = False
    sensed: SensedSetup = NOTHING
    plugged: bool = False


class MachineController:
    """One machine of an edge."""

    def __init__(self, setup: MachineSetup, core: Core) -> None:
        self.setup = setup
        self.place = setup.machine
        self.readers = (setup.reader,)
        self.inputs = {f"{setup.machine}.estop"} if setup.has_estop else set()
        self._sensed = Sensed(setup.machine, setup.sensed)
        self.inputs |= {f"{setup.machine}.printer", f"{setup.machine}.plug"} | self._sensed.inputs
        self._printer = PrinterPower(stands=setup.has_printer)
        self._plug = PlugPower(switches=setup.plugged)
        self._core = core
        if setup.has_estop:
            core.state.pressed.add(setup.machine)  # until it is read
        self._lamp = Player()
        self._reports = Reports(setup.machine, core, {setup.reader: self._lamp}, f"{setup.machine}.")
        self._decided: Decided | None = None
        self._session: Session | None = None
        self._begins: set[Instant] = set()
        self._powered = False
        self._starting: int | None = None
        self._warned = self._no_safety = False
        self._alone_since: Instant | None = None

    def recover(self, now: Now, alive_at: Instant | None) -> None:
        """End sessions that are known to run here and do not, at the last second that this edge recorded.

        A power cut ended them, or their end was lost with a journal and the server still tells of them.
        """
        own = self._session
        for session in list(self._core.state.sessions.of_machine(self.place)):
            if session.end is None and (own is None or (own.member, own.start) != (session.member, session.start)):
                self._record_end(now, session, max(session.start, alive_at or session.start))

    def clock_was_set(self, now: Now, by: Instant) -> None:
        """The clock moved, the session goes on: as long as it would have, and dated as if it had always been right.

        What was told of it before is ended with no length; so no view sees it twice, or in a time that is to come.
        """
        self._sensed.shift(by)
        session = self._session
        if session is None:
            return
        self._record_end(now, session, session.start)
        start = session.start + by
        until = None if session.until is None else session.until + by
        self._begins.add(session.start)
        while start in self._begins:  # there and back again: what is ended with no length would end this one, too
            start += 1
        self._session = replace(session, start=start, until=until)
        if self._alone_since is not None:
            self._alone_since += by
        self._row(now, Kind.SESSION_STARTED, **of_session(self._session))

    def handle(self, now: Now, event: Event) -> None:
        """Take one event about this machine."""
        if type(event) in HANDLERS:
            HANDLERS[type(event)](self, now, event)
        else:
            self._reports.handle(now, event)

    def pass_time(self, now: Now) -> None:
        """Do what is due at this moment."""
        if self._session is not None:
            self._watch(now, self._session)
        self._core.drive(f"{self.place}.interlock", self._powered)
        for kind, what in self._sensed.look(now.mono, powered=self._powered):
            self._row(now, kind, detail=what)
        if (said := self._sensed.news()) is not None:
            self._core.tell_sensed(SensedChanged(self.place, said))
        self._lamp.stand(self._standing(now), now.mono)
        for name, active in zip(("green", "red", "buzzer"), self._lamp.levels(now.mono), strict=True):
            self._core.drive(f"{self.setup.reader}.{name}", active)

    def deadline(self, now: Now) -> float | None:
        """Monotonic seconds at which something is due next."""
        due = [self.due(now), self._lamp.next_change(now.mono)]
        return min((moment for moment in due if moment is not None), default=None)

    def due(self, now: Now) -> float | None:
        """The same without the lamp."""
        at = self._core.believed(now, now.at)
        moments = (moment for moment in self._moments(at) if moment > at)
        dues = [self._sensed.deadline(), *(now.mono + (moment - at) / 1000 for moment in moments)]
        return min((moment for moment in dues if moment is not None), default=None)

    @property
    def session(self) -> Session | None:
        """The session that runs on this machine."""
        return self._session

    def show(self, _: str, signal: Signal, mono: float) -> None:
        """Play a signal once at its reader."""
        self._lamp.play(signal, mono)

    # A session's life

    def _watch(self, now: Now, session: Session) -> None:
        """End the session when it is time; warn before."""
        at, until, machine = self._core.believed(now, now.at), session.until, self._machine()
        self._sensed.watch(at, in_use=self._powered and not self._printer.is_kept(now.mono))
        over = self._over(now, machine, session, at)
        if over is not None:
            self._end(now, session, over)
            return
        self._keep_company(now, machine, session, at)
        if until is not None and not self._warned and at >= (until - WARN_BEFORE if session.cuts else until):
            self._warned = True
            self._row(now, Kind.SESSION_WARNED, **of_session(session))

    def _over(self, now: Now, machine: Machine | None, session: Session, at: Instant) -> Instant | None:
        """When the session ended, if it is over by this instant."""
        if session.until is not None and session.cuts and at >= session.until:
            return session.until
        if machine is not None and machine.urgent:
            return at
        if self._printer.is_kept(now.mono):
            return None
        if self._printer.waited(machine, session, at):
            return at
        gone = None if self._alone_since is None else self._alone_since + ALONE_FOR
        return min((one for one in (gone, self._sensed.ends()) if one is not None and at >= one), default=None)

    def _keep_company(self, now: Now, machine: Machine | None, session: Session, at: Instant) -> None:
        """Note since when it may not go on: without its holder or company, or on a plug that may not switch it."""
        if (no_safety := self._plug.is_no_safety(machine)) and not self._no_safety:
            self._row(now, Kind.SESSION_WARNED, detail=NO_PLUG, **of_session(session))
        self._no_safety, held, state = no_safety, self._core.held, self._core.state
        if not (no_safety or (held is not None and unattended(held.rules, state, session, at))):
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = at

    def _moments(self, at: Instant) -> list[Instant]:
        """The instants at which the session changes by itself."""
        session, held = self._session, self._core.held
        if session is None:
            return []
        moments = [] if session.until is None else [session.until - WARN_BEFORE, session.until]
        if self._alone_since is not None:
            moments.append(self._alone_since + ALONE_FOR)
        moments += self._sensed.moments()
        if held is not None:
            moments.append(held.rules.day_end(at))
        return moments

    def _start(self, now: Now, member: str, decision: Decision, at: Instant) -> None:
        machine = self._machine()
        if machine is None:
            return
        cuts = machine.cuts and not self._printer.stands
        self._session = Session(self.place, machine.kind, member, at, decision.until, cuts)
        self._warned, self._no_safety, self._alone_since, self._begins = False, False, None, set()
        self._starting = self._row(now, Kind.SESSION_STARTED, **of_session(self._session))

    def _end(self, now: Now, session: Session, at: Instant) -> None:
        """Cut the power, then record."""
        self._session = self._starting = self._alone_since = None
        self._sensed.watch(at, in_use=False)
        self._powered = False
        self._core.drive(f"{self.place}.interlock", False)
        self._record_end(now, session, at)

    def _record_end(self, now: Now, session: Session, at: Instant) -> None:
        self._row(now, Kind.SESSION_ENDED, ended=text(at), **of_session(session))

    # What each event does

    def _card_seen(self, now: Now, event: CardSeen) -> None:
        credential = self._core.pseudonym(event.uid)
        at = self._core.decided_at(now, event.at)
        last = self._decided
        again = last is not None and last.credential == credential and ms_between(last.mono, event.mono) <= SAME_TAP_MS
        self._core.pairs.at_machine(LastTap(event.reader, credential, event.mono), again=again)
        if last is not None and again:
            self._show(now, last.decision)
            return
        if self._session is not None:
            self._watch(now, self._session)  # one that is over has lost its power before the next begins
        decision = self._decide(Tap(event.reader, credential), at)
        self._decided = Decided(credential, event.mono, decision)
        if decision.reason is Reason.SESSION_ENDED and self._session is not None:
            self._end(now, self._session, self._core.believed(now, event.at))
        self._show(now, decision)
        self._record_tap(now, event, credential, decision)
        if decision.reason is Reason.MACHINE_RESET:
            self._row(now, Kind.MACHINE_RESET, of=event, member=decision.member)
        elif decision.granted and decision.reason in STARTS and decision.member is not None:
            self._start(now, decision.member, decision, at)

    def _decide(self, tap: Tap, at: Instant) -> Decision:
        held = self._core.held
        if held is None:
            return decide_without_rules(None)
        decision = decide(held.rules, self._known(), tap, at)
        if (self._core.journal_fault is not None or self._keeps_off) and decision.reason in STARTS:
            return Decision(False, Reason.MACHINE_LOCKED_OUT, decision.member)
        return decision

    def _known(self) -> SiteState:
        """The state with the session that runs here: a server that no longer knows its kind leaves it out."""
        if self._session is not None:
            self._core.state.sessions.apply(self._session)
        return self._core.state

    def _show(self, now: Now, decision: Decision) -> None:
        self._lamp.play(OF_FAMILY[family(decision.granted, decision.reason)], now.mono)

    def _record_tap(self, now: Now, event: CardSeen, credential: str, decision: Decision) -> None:
        held = self._core.held
        self._row(
            now,
            Kind.TAP,
            of=event,
            reader=event.reader,
            credential=credential,
            member=decision.member,
            granted=decision.granted,
            reason=decision.reason,
            until=None if decision.until is None else text(decision.until),
            rules_version=held.version if held else None,
        )

    def _journalled(self, now: Now, event: Journalled) -> None:
        """The start of the session is on disk: now the interlock may close."""
        if self._starting is not None and event.seq >= self._starting > 0:
            self._starting = None
            self._powered = True

    def _input_changed(self, now: Now, event: InputChanged) -> None:
        """The emergency stop has cut the power already; this ends the session and keeps the machine off."""
        pressed = self._core.state.pressed
        if self._sensed.changed(event):
            if self._sensed.key_turned and self._session is not None:
                self._end(now, self._session, self._core.believed(now, event.at))
            return
        if not event.active:
            pressed.discard(self.place)
            return
        pressed.add(self.place)
        if self._session is not None:
            self._end(now, self._session, self._core.believed(now, event.at))
        self._core.drive(f"{self.place}.interlock", False)
        self._row(now, Kind.ESTOP, of=event)

    def _plug_said(self, now: Now, event: PlugSaid) -> None:
        """A plug that cannot be trusted ends the session: it is told no more that it is on, and lets go by itself."""
        self._plug.said(event)
        self._sensed.plug_said(event.plug)
        if self._session is not None and self._plug.is_unfit:
            self._end(now, self._session, self._core.believed(now, event.at))

    def refuses(self, now: Now, event: Ordered) -> str | None:
        """Why the machine does not do as it is told, in English; None when it does."""
        if event.order not in (Order.EXTEND, Order.END):
            return None
        at = self._core.believed(now, now.at)
        if self._session is None or not self._session.runs(at):
            return "no session runs on it"
        if event.began not in (None, self._session.start):
            return f"another session runs on it: the one that is meant began at {text(event.began)}"
        if event.order is Order.END:
            return STILL_PRINTS if self._printer.is_kept(now.mono) else None
        if self._core.journal_fault is not None:
            return "the disk of this edge would not know of it: see its journal"
        if self._plug.is_no_safety(self._machine()):
            return NO_PLUG
        found = self._extended(self._session, at)
        return found if isinstance(found, Reason) else None

    def _extended(self, session: Session, at: Instant) -> Session | Reason:
        held = self._core.held
        if held is None or self.place not in held.rules.machines:
            return Reason.RULES_STALE
        return extended(held.rules, self._known(), session, at)

    def _extend(self, now: Now, session: Session) -> None:
        """A later `until` is written down; one that is not changes nothing."""
        found = self._extended(session, self._core.believed(now, now.at))
        if not isinstance(found, Reason) and found != session:
            self._session, self._warned = found, False
            self._row(now, Kind.SESSION_EXTENDED, **of_session(found))

    def _ordered(self, now: Now, event: Ordered) -> None:
        """A lock-out ends the session at once; the row that follows keeps the machine off. Or just end it, let it go
        on, or show the reader."""
        if event.order is Order.LOCK_OUT:
            self._core.drive(f"{self.place}.interlock", False)
            if self._session is not None:
                self._end(now, self._session, self._core.believed(now, now.at))
        elif event.order is Order.END and self._session is not None:
            self._end(now, self._session, self._core.believed(now, now.at))
        elif event.order is Order.EXTEND and self._session is not None:
            self._extend(now, self._session)
        elif event.order is Order.SOUND:
            self._lamp.play(patterns.SOUND, now.mono)

    # Helpers

    @property
    def _keeps_off(self) -> bool:
        """Whether what is wired here lets nobody start it."""
        return self._sensed.keeps_off or self._plug.keeps_off(self._machine())

    def _machine(self) -> Machine | None:
        held = self._core.held
        return None if held is None else held.rules.machines.get(self.place)

    def _standing(self, now: Now) -> Signal | None:
        machine, session = self._machine(), self._session
        if self.setup.reader in self._reports.faulty:
            return patterns.READER_FAULT
        if self._core.enrols_at == self.setup.reader:
            return patterns.LAY_HERE
        if self.place in self._core.state.stopped | self._core.state.pressed:
            return patterns.MACHINE_STOPPED
        if session is not None:
            asked = self._sensed.asked()
            if self._alone_since is not None or (asked is not None and self._core.believed(now, now.at) >= asked):
                return patterns.MACHINE_ENDS_SOON
            warning = patterns.MACHINE_ENDS_SOON if session.cuts else patterns.MACHINE_OVERRUN
            return warning if self._warned else patterns.MACHINE_ON
        if machine is None:
            return patterns.NO_RULES
        return patterns.MACHINE_LOCKED_OUT if machine.locked_out or self._keeps_off else None

    def _row(self, now: Now, kind: Kind, **fields: Any) -> int:
        return self._core.row(now, kind, access_point=self.place, **fields)


HANDLERS: dict[type[Event], Callable[[MachineController, Now, Any], None]] = {
    CardSeen: MachineController._card_seen,
    InputChanged: MachineController._input_changed,
    Journalled: MachineController._journalled,
    Ordered: MachineController._ordered,
    PrinterSaid: lambda machine, _, event: machine._printer.said(event),
    PlugSaid: MachineController._plug_said,
}
"""What has a say in its power; all else is only recorded and shown (edge/reports.py)."""
