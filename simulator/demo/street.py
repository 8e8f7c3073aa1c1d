"""Who stands at the door, and what do they do there? People carry out their intents with hands, eyes and patience.

They know nothing of decisions: they lay badges, look at the lamp, hear the strike and push the door. No thread and no
clock of its own: `due` says when `step` is wanted, so the demo walks through a day in paced time and a test jumps.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from policy.terms import Instant
from simulator.demo.cast import Intent
from simulator.door import Door

PATIENCE = 4_000
"""For so long (ms) does somebody hold a badge to a reader that says nothing, in real time."""
TRIES = 3
AGAIN = 2_500
"""After so many ms the badge is laid on again."""
TOO_LATE = 4_000
"""ms after the answer from which on nobody pushes: at 60 times real time a busy machine gets to it when the strike has
fallen back already, and what was an entry would be a break-in."""
ONCE_MORE = {True: 1_000, False: 9_000}
"""After so many ms a badge that was taken away is laid on for its second tap, by whether it goes in: at once, or once
the lamp has said how many are left."""
LOOK = 50
"""ms from a green light to being sure that it is not amber."""
NEXT = 200
"""ms after which whoever finds a badge on the reader looks again: two at once read as none."""


class Hands(Protocol):
    """What people can do to readers."""

    def lay(self, reader: str, uid: bytes) -> None: ...

    def take(self, reader: str, uid: bytes) -> None: ...


@dataclass(slots=True, eq=False)
class Visit:
    """One intent being carried out. answered: the lamp or the strike said something at this try, at `answer`.

    then: the second tap of the same badge, which follows the answer and not the clock.
    """

    intent: Intent
    then: Intent | None = None
    tries: int = 0
    answered: bool = False
    answer: Instant = 0
    lying: bool = False


@dataclass(slots=True)
class Street:
    """Everybody at one door. inside: who is really inside; whoever never came in does not leave either.

    patience: for so many ms of the site's time does somebody hold a badge to a reader that says nothing.
    """

    hands: Hands
    door: Door
    inside: set[str] = field(default_factory=set)
    passed: Callable[[str, bool, Instant], object] = lambda who, inward, at: None
    patience: Callable[[], int] = lambda: PATIENCE
    _plans: list[tuple[Instant, int, Callable[[Instant], None]]] = field(default_factory=list)
    _order: int = 0
    _waiting: dict[str, Visit] = field(default_factory=dict)
    _latest: dict[str, Visit] = field(default_factory=dict)
    _lit: set[str] = field(default_factory=set)

    def send(self, intents: Iterable[Intent]) -> None:
        """Have these people come, each at their instant, in order of time."""
        last: Visit | None = None
        for intent in intents:
            if intent.second and last is not None:
                last.then = intent
                continue
            last = Visit(intent)
            self.plan(intent.at, self._beginning(last))

    def tap(self, reader: str, uid: bytes, at: Instant) -> None:
        """Somebody whom no story sends lays a badge on, once, and takes it away when it is answered."""
        self._lay(Visit(Intent(at, None, reader, (uid,), pushes=False), tries=TRIES - 1), at)

    def due(self) -> Instant | None:
        """When somebody does something next, if nothing happens before."""
        door = self.door.due()
        first = self._plans[0][0] if self._plans else None
        return min((moment for moment in (door, first) if moment is not None), default=None)

    def step(self, at: Instant) -> None:
        """Let everybody do what is due."""
        self.door.tick(at)
        while self._plans and self._plans[0][0] <= at:
            heapq.heappop(self._plans)[2](at)

    def notice(self, output: str, active: bool, at: Instant) -> None:
        """An output of the edge moved: `strike`, or `<reader>.green`, `.red`, `.buzzer`.

        Whoever wants to go through hears the strike, for whomever it falls; others look at their own reader's lamp.
        """
        if output == "strike":
            self.door.released = active
            if active:
                for waiting in [visit for visit in self._waiting.values() if visit.intent.pushes]:
                    self._granted(waiting, at)
            return
        self._lit = self._lit | {output} if active else self._lit - {output}
        reader, _, light = output.rpartition(".")
        visit = self._waiting.get(reader)
        if visit is None or not active:
            return
        if light == "red":
            self._refused(visit, at)
        elif light == "green":
            self.plan(at + LOOK, lambda now: self._look(visit, now))

    def dark(self) -> None:
        """The edge lost its power: its outputs are as if it had switched them off."""
        self.door.released = False
        self._lit = set()

    def plan(self, at: Instant, act: Callable[[Instant], None]) -> None:
        """Have something happen at an instant; it is handed the instant at which it does."""
        self._order += 1
        heapq.heappush(self._plans, (at, self._order, act))

    def _beginning(self, visit: Visit) -> Callable[[Instant], None]:
        if visit.intent.reader is None:
            return lambda at: self._by_handle(visit.intent, at)
        return lambda at: self._comes(visit, at)

    def _by_handle(self, intent: Intent, at: Instant) -> None:
        if self._absent(intent):
            return
        self.door.leave(at, intent.open_for)
        self._went(intent, at)

    def _comes(self, visit: Visit, at: Instant) -> None:
        if not self._absent(visit.intent):
            self._lay(visit, at)

    def _lay(self, visit: Visit, at: Instant) -> None:
        intent = visit.intent
        if intent.reader is None:
            return
        before = self._latest.get(intent.reader)
        if before is not None and before.lying:
            self.plan(at + NEXT, lambda now: self._comes(visit, now))
            return
        visit.tries, visit.answered, visit.lying = visit.tries + 1, False, True
        self._waiting[intent.reader] = self._latest[intent.reader] = visit
        this = visit.tries
        self.plan(at + self.patience(), lambda now: self._give_up(visit, this, now))
        for uid in intent.uids:
            self.hands.lay(intent.reader, uid)

    def _absent(self, intent: Intent) -> bool:
        """Whether somebody should leave who never came in (the door was broken then)."""
        return not intent.inward and intent.who not in self.inside

    def _look(self, visit: Visit, at: Instant) -> None:
        if f"{visit.intent.reader}.red" not in self._lit:
            self._granted(visit, at)

    def _granted(self, visit: Visit, at: Instant) -> None:
        if self._answer(visit, at) and visit.intent.pushes:
            self.plan(at + round(visit.intent.reach * 1000), lambda now: self._push(visit, now))

    def _refused(self, visit: Visit, at: Instant) -> None:
        """Whose second tap came too late for a pair lays the badge on again."""
        if self._answer(visit, at) and visit.intent.second and visit.tries < TRIES:
            self.plan(
                at + round(visit.intent.lies * 1000) + ONCE_MORE[visit.intent.inward],
                lambda now: self._comes(visit, now),
            )

    def _answer(self, visit: Visit, at: Instant) -> bool:
        """Take the badge away a little after the answer. Whether it is the first to this try."""
        if visit.answered:
            return False
        visit.answered, visit.answer = True, at
        self._waiting = {reader: other for reader, other in self._waiting.items() if other is not visit}
        taken = at + round(visit.intent.lies * 1000)
        self.plan(taken, lambda now: self._take(visit))
        then = visit.then
        if then is not None:
            self.plan(taken + ONCE_MORE[then.inward], lambda now: self._comes(Visit(then), now))
        return True

    def _take(self, visit: Visit) -> None:
        if visit.lying and visit.intent.reader is not None:
            visit.lying = False
            for uid in visit.intent.uids:
                self.hands.take(visit.intent.reader, uid)

    def _give_up(self, visit: Visit, tried: int, at: Instant) -> None:
        """The reader says nothing: take the badge away and try again, or go."""
        if visit.answered or visit.tries != tried:
            return
        self._waiting = {reader: other for reader, other in self._waiting.items() if other is not visit}
        self._take(visit)
        self._again(visit, at)

    def _again(self, visit: Visit, at: Instant) -> None:
        if visit.intent.once:
            return
        if visit.tries < TRIES:
            self.plan(at + AGAIN, lambda now: self._comes(visit, now))
        elif not visit.intent.inward:
            self._by_handle(visit.intent, at)

    def _push(self, visit: Visit, at: Instant) -> None:
        if at - visit.answer < TOO_LATE and self.door.push(at, visit.intent.open_for):
            self._went(visit.intent, at)
        else:
            self._take(visit)
            self._again(visit, at)

    def _went(self, intent: Intent, at: Instant) -> None:
        if intent.who is None:
            return
        self.inside = self.inside | {intent.who} if intent.inward else self.inside - {intent.who}
        self.passed(intent.who, intent.inward, at)
