"""What would other rules have done? The recorded taps of a site, decided again under a changed bundle.

People do what they did: who is refused now does not come in, who is let in now does; a grant whose door stayed shut
lapses again. A badge stands for the member whose it was when it was read; one that was blocked then stays blocked.
Who was refused in a lockdown, or because the edge's rules were stale, is again: no bundle has to do with that.
A machine that was stopped, by its emergency stop or an order of the server, stays so until somebody resets it who may
under the changed bundle.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from policy import door, machine
from policy.bundle import Bundle
from policy.case import Decision, Tap
from policy.compile import compile_rules
from policy.errors import BundleError
from policy.extend import extended
from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, Stopped, apply
from policy.instants import instant, text
from policy.pairs import LastTap, Pairs
from policy.parse import parse
from policy.reasons import Reason
from policy.ruleset import Credential, RuleSet
from policy.sessions import Session
from policy.state import SiteState
from policy.terms import DAY, SECOND, ClockState, Direction, Instant
from server.errors import ServerError
from server.queries.public_holidays import holidays_of
from server.queries.what_if_evenings import Evenings
from wire.row import Kind

Line: TypeAlias = dict[str, Any]

FIRST, LAST = "0001-01-01 00:00:00", "9999-12-31 23:59:59"
"""Before and after whatever is stored."""
RULES_FOR = 14 * DAY
"""For so long the rules that were compiled are good: they know the calendar for more than a fortnight beyond that
(policy/compile.py), which no machine's hours outrun."""

QUERY = """
SELECT taps.at, taps.clock, taps.reader, taps.member, taps.credential, taps.granted, taps.reason, taps.pending,
       later.settles IS NOT NULL AS opened, taps.edge, taps.boot
FROM journal_row AS taps
LEFT JOIN (SELECT DISTINCT edge, journal, settles FROM journal_row
           WHERE kind = 'door_opened' AND at >= :since AND settles IS NOT NULL) AS later
     ON later.edge = taps.edge AND later.journal = taps.journal AND later.settles = taps.seq
WHERE taps.kind = 'tap' AND taps.at >= :since AND taps.at < :until
ORDER BY taps.at, taps.id
"""
TURNS = """
SELECT at, access_point, kind FROM journal_row
WHERE kind IN ('estop', 'machine_reset', 'session_extended', 'command')
      AND (kind <> 'command' OR ("order" = 'lock_out' AND granted))
      AND access_point IS NOT NULL AND at < :until
ORDER BY id
"""
"""In the order of the journal, as wire/facts.py reads them."""


class WhatIfError(ValueError):
    """The database or the bundle cannot be used. The message names the thing, the value and the remedy."""


class Recorded(Struct, frozen=True):
    """A tap as it was recorded. lapsed: granted, and the door stayed shut. boot: the start of its edge."""

    at: Instant
    trusted: bool
    reader: str
    member: str | None
    badge: str
    granted: bool
    reason: Reason
    lapsed: bool
    edge: str
    boot: str


class Turn(Struct, frozen=True):
    """A machine was stopped then or put back in service, or its session was let go on."""

    at: Instant
    machine: str
    kind: Kind


def decide_again(
    database: Path, changed: bytes, where: str, since: Instant | None, until: Instant | None
) -> Iterator[Line]:
    """One line for each decision that differs, with both reasons, and a summary last. Raises WhatIfError."""
    try:
        bundle = parse(changed, where, ZoneInfo)
        site = PastSite(bundle)
        differing: Counter[str] = Counter()
        members: set[str] = set()
        refused: set[str] = set()
        admitted: set[str] = set()
        count, first, last = 0, 0, 0
        before, turns = recorded_turns(database, since, until)
        for turn in before:
            site.turn(turn)
        for tap in recorded(database, since, until):
            while turns and turns[-1].at <= tap.at:
                site.turn(turns.pop())
            count, first, last = count + 1, first or tap.at, tap.at
            decision = site.decide(tap)
            if (decision.granted, decision.reason) == (tap.granted, tap.reason):
                continue
            differing[f"{tap.reason} -> {decision.reason}"] += 1
            members |= {tap.member} if tap.member is not None else set()
            if tap.member is not None and decision.granted is not tap.granted:
                (admitted if decision.granted else refused).add(tap.member)
            yield _difference(tap, decision)
    except BundleError as error:
        raise WhatIfError(str(error)) from None
    except ServerError as error:
        raise WhatIfError(f"{where}: {error}") from None
    changes = dict(sorted(differing.items()))
    told: Line = {"taps": count, "differ": differing.total(), "members": len(members), "changes": changes}
    told |= {"refused": sorted(refused), "admitted": sorted(admitted), "evenings": site.evenings.counted(first, last)}
    yield {"summary": told}


def recorded(database: Path, since: Instant | None, until: Instant | None) -> Iterator[Recorded]:
    """The taps of a server's database, read-only, in order of time. Raises WhatIfError."""
    bounds = {"since": FIRST if since is None else _stored(since), "until": LAST if until is None else _stored(until)}
    return (recorded_as(instant(f"{row[0]}+00:00"), row[1:]) for row in _read(database, QUERY, bounds))


def recorded_turns(database: Path, since: Instant | None, until: Instant | None) -> tuple[list[Turn], list[Turn]]:
    """What was stopped and reset before `since`, in order; and what was stopped or let go on since, the first one last.

    Resets since then are left out: who did it is decided again. Raises WhatIfError.
    """
    bounds = {"until": LAST if until is None else _stored(until)}
    turns = [Turn(instant(f"{at}+00:00"), machine, Kind(kind)) for at, machine, kind in _read(database, TURNS, bounds)]
    before = [turn for turn in turns if since is not None and turn.at < since]
    later = [turn for turn in turns if turn.kind is not Kind.MACHINE_RESET and (since is None or turn.at >= since)]
    return before, sorted(later, key=lambda turn: turn.at, reverse=True)


def _read(database: Path, query: str, bounds: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    if not database.is_file():
        raise WhatIfError(f"{database}: no such file: give the server's database")
    try:
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            yield from connection.execute(query, bounds)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise WhatIfError(f"{database}: not a database of Loquet that can be read ({error})") from None


def recorded_as(at: Instant, rest: Sequence[Any]) -> Recorded:
    """rest: the columns of QUERY after the first."""
    clock, reader, member, credential, granted, reason, pending, opened, edge, boot = rest
    return Recorded(
        at=at,
        trusted=clock != ClockState.UNKNOWN,
        reader=reader,
        member=member,
        badge=credential or "",
        granted=bool(granted),
        reason=Reason(reason),
        lapsed=bool(pending) and not opened,
        edge=edge,
        boot=boot,
    )


def _stored(at: Instant) -> str:
    """An instant as SQLite keeps it."""
    return datetime.fromisoformat(text(at)).strftime("%Y-%m-%d %H:%M:%S.%f")


def _difference(tap: Recorded, decision: Decision) -> Line:
    return {
        "at": text(tap.at),
        "reader": tap.reader,
        "member": tap.member,
        "was": {"granted": tap.granted, "reason": tap.reason},
        "would_be": {"granted": decision.granted, "reason": decision.reason},
    }


class PastSite:
    """The site under the changed bundle, as it would have been."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._zone = ZoneInfo(bundle.site.timezone)
        self._holidays = holidays_of(bundle.site.holidays, kept=True)
        self.evenings = Evenings(bundle, self._zone, self._holidays)
        self._rules: RuleSet | None = None
        self._made = 0
        """For which instant the rules were compiled."""
        self._state = SiteState()
        self._pairs: defaultdict[tuple[str, str], Pairs] = defaultdict(Pairs)
        """By edge and start of it."""

    def decide(self, tap: Recorded) -> Decision:
        """What the changed rules say of a tap; and what follows from it."""
        rules = self._rules_at(tap.at)
        reader = rules.readers.get(tap.reader)
        if reader is None:
            raise WhatIfError(f"reader {tap.reader!r} was tapped at {text(tap.at)}, but the changed bundle has no such")
        rules = _with_badge(rules, tap)
        self._state.lockdown, self._state.clock_trusted = tap.reason is Reason.LOCKDOWN, tap.trusted
        self._state.not_after = tap.at + (-1 if tap.reason is Reason.RULES_STALE else DAY)
        if reader.direction is None:
            self._pairs[tap.edge, tap.boot].at_machine(_last(tap), again=False)
            decision = machine.decide(rules, self._state, Tap(tap.reader, tap.badge), tap.at)
            self._follow_machine(rules, reader.access_point, tap, decision)
        else:
            decision = door.decide(rules, self._state, self._tap(tap, reader.direction), tap.at)
            self._pairs[tap.edge, tap.boot].decided(decision.marks)
            self._follow_door(tap, decision, reader.direction)
        return decision

    def paid(self, member: str, unit: str) -> None:
        """A day or half-day that was paid before."""
        self._state.units[member].add(unit)

    def turn(self, turn: Turn) -> None:
        """A machine is stopped, and its session ends; or it is put back in service; or its session may go on."""
        running = self._state.sessions.running(turn.machine, turn.at)
        if turn.kind is Kind.SESSION_EXTENDED:
            self._let_go_on(running, turn.at)
            return
        ended: list[Fact] = [] if running is None else [Ran(replace(running, end=turn.at))]
        self._take([Stopped(turn.machine, turn.kind is not Kind.MACHINE_RESET), *ended])

    def _let_go_on(self, running: Session | None, at: Instant) -> None:
        """As long as the changed rules say."""
        rules = self._rules_at(at)
        if running is not None and running.machine in rules.machines:
            found = extended(rules, self._state, running, at)
            self._take([] if isinstance(found, Reason) else [Ran(found)])

    def _rules_at(self, at: Instant) -> RuleSet:
        if self._rules is None or not self._made <= at < self._made + RULES_FOR:
            self._rules = compile_rules(
                self._bundle,
                zone=self._zone,
                holidays=self._holidays,
                pseudonym=lambda uid: uid.hex(),
                edges={},
                at=at,
            )
            self._made = at
        return self._rules

    def _tap(self, tap: Recorded, direction: Direction) -> Tap:
        now, since_start = _last(tap), (tap.edge, tap.boot)
        return Tap(tap.reader, tap.badge, self._pairs[since_start].at_door(now, direction))

    def _follow_door(self, tap: Recorded, decision: Decision, direction: Direction) -> None:
        facts: list[Fact] = []
        if decision.member is not None and decision.granted and not tap.lapsed:
            facts.append(Moved(decision.member, tap.at, direction is Direction.IN))
            self.evenings.moved(decision.member, tap.at, inside=direction is Direction.IN)
            if decision.pays is not None:
                facts.append(Paid(decision.member, decision.pays))
        if decision.member is not None and decision.adhoc is not None:
            facts.append(Opened(decision.member, *decision.adhoc))
        facts += [Moved(who, tap.at, inside=False) for who in decision.closed or ()]
        self._take(facts)

    def _follow_machine(self, rules: RuleSet, place: str, tap: Recorded, decision: Decision) -> None:
        facts: list[Fact] = []
        if decision.reason is Reason.SESSION_ENDED and decision.member is not None:
            running = self._state.sessions.running(place, tap.at)
            if running is not None:
                facts.append(Ran(replace(running, end=tap.at)))
        elif decision.reason is Reason.MACHINE_RESET:
            facts.append(Stopped(place, stopped=False))
        elif decision.granted and decision.member is not None:
            known = rules.machines[place]
            facts.append(Ran(Session(place, known.kind, decision.member, tap.at, decision.until, known.cuts)))
        elif decision.reason is Reason.MACHINE_BUSY and decision.member is not None:
            facts.append(Busy(place, decision.member, tap.at))
        self._take(facts)

    def _take(self, facts: list[Fact]) -> None:
        for fact in facts:
            apply(self._state, fact)


def _last(tap: Recorded) -> LastTap:
    return LastTap(tap.reader, tap.badge, tap.at / SECOND)


def _with_badge(rules: RuleSet, tap: Recorded) -> RuleSet:
    """The rules, with no other badge than the one that was read, as the one of the member whose it was."""
    if tap.member is None or tap.member not in rules.members:
        return replace(rules, credentials={})
    holder = Credential(tap.member, blocked=tap.reason is Reason.CREDENTIAL_BLOCKED)
    return replace(rules, credentials={tap.badge: holder})
