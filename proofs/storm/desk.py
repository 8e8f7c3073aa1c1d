"""What does the desk write down, and take back? Arrivals and leavings that no badge made, by the server's own changes.

Some are of evenings that the bank of hours has settled long ago. What is to come of each is kept here, apart from the
server's tables: the truth of who is inside, and what the recount of the bank goes by.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from sqlmodel import Session

from policy.terms import HOUR, MINUTE, Instant
from proofs.recount import Moved
from proofs.storm.hours import day_start, instant_of, local_time, site_day
from proofs.storm.office import Office
from proofs.storm.record import Move
from proofs.storm.watch import Watch
from server.audit import Decided
from server.changes.corrections import JOURNAL, has_left, was_there, withdraw
from server.changes.outcomes import Wrong
from server.publish.rules import SERVER
from server.queries.accounts import Caller
from server.roles import STAFF

if TYPE_CHECKING:
    from proofs.storm.site import Site

TEAM = Caller("storm", "storm", STAFF)
BACK = 6
"""Days after which nobody asks any more for an evening to be written down."""
CHANCES = (("evening", 0.4), ("arrival", 0.1), ("leaving", 0.3), ("back", 0.15))
"""How likely on a day: an evening of somebody who forgot the badge, an arrival, a leaving, one that is taken back."""


@dataclass(frozen=True, slots=True)
class Written:
    """One correction. seq: of its first row."""

    seq: int
    received: Instant
    member: str
    moves: tuple[Move, ...]


class Desk:
    """standing: what was written down and not taken back, while the bank may go by it."""

    def __init__(self, office: Office, watch: Watch) -> None:
        self._office, self._watch = office, watch
        self._rows = 0
        self.standing: list[Written] = []

    def open(self, site: "Site", luck: Random, today: date) -> None:
        """Enter what is written down today."""
        for what, chance in CHANCES:
            if luck.random() < chance:
                at = instant_of(f"{today}T09:00") + luck.randrange(13 * 60) * MINUTE
                site.agenda.at_instant(at, partial(getattr(self, what), luck))

    def heard(self, since: Instant, until: Instant) -> list[Moved]:
        """What the bank is to know by then of the days since. Older corrections are forgotten."""
        self.standing = [one for one in self.standing if any(move.at >= since for move in one.moves)]
        told = (one for one in self.standing if one.received < until)
        return [Moved(one.member, move.at, move.inside) for one in told for move in one.moves if move.at >= since]

    def evening(self, luck: Random) -> None:
        """A gardien forgot the badge on one of the last evenings: they came about then, and stayed about so long."""
        now = self._watch.now()
        first = (site_day(local_time(now)) - timedelta(BACK)).isoformat()
        over = [s for s in self._office.bundle.shifts if s.start >= first and instant_of(s.end) <= now - HOUR]
        if over:
            shift = luck.choice(over)
            came = instant_of(shift.start) + luck.randrange(-20, 60) * MINUTE
            left = min(now, came + luck.randrange(60, 260) * MINUTE)
            self._write(shift.gardien, came, left)
            settled = site_day(local_time(came)) < site_day(local_time(now))
            self._watch.counts["corrections of settled nights"] += settled

    def arrival(self, luck: Random) -> None:
        """Somebody came in behind another, and is still there."""
        now = self._watch.now()
        member = luck.choice(self._office.bundle.members).id
        self._write(member, max(day_start(now), now - luck.randrange(1, 120) * MINUTE), None)

    def leaving(self, luck: Random) -> None:
        """Somebody forgot to badge out."""
        now = self._watch.now()
        inside = sorted(who for who, moves in self._watch.moves.items() if moves and moves[-1].inside)
        if inside:
            who, at = luck.choice(inside), now - luck.randrange(0, 90) * MINUTE
            act = partial(self._left, who, at)
            self._done(act, who, [(at, False)])

    def back(self, luck: Random) -> None:
        """The team takes one back: it moved nobody."""
        if not self.standing:
            return
        wrong = luck.choice(self.standing)

        def act(session: Session, decided: Decided) -> object:
            return withdraw(session, TEAM, decided, wrong.member, wrong.seq)

        if self._office.decide(act, self._office.told_of_moves) is None:
            return
        self._rows += 1
        self.standing.remove(wrong)
        moves = self._watch.moves[wrong.member]
        self._watch.moves[wrong.member] = [one for one in moves if all(one is not move for move in wrong.moves)]
        self._watch.counts["corrections taken back"] += 1

    def _write(self, who: str, came: Instant, left: Instant | None) -> None:
        today = day_start(self._watch.now())

        def act(session: Session, decided: Decided) -> object:
            return was_there(session, TEAM, decided, who, came, left, today)

        self._done(act, who, [(came, True)] if left is None else [(came, True), (left, False)])

    def _left(self, who: str, at: Instant, session: Session, decided: Decided) -> object:
        return has_left(session, TEAM, decided, who, at, day_start(decided.at))

    def _done(self, act: Callable[[Session, Decided], object], who: str, said: list[tuple[Instant, bool]]) -> None:
        """Everything that must follow where it is done: not where the server is away, full, or has other rows yet."""
        done = self._office.decide(act, self._office.told_of_moves)
        if done is None or isinstance(done, Wrong):
            return
        moves = tuple(
            Move(at, inside, SERVER, JOURNAL, self._rows + place, 0, doubtful=False)
            for place, (at, inside) in enumerate(said, 1)
        )
        self.standing.append(Written(self._rows + 1, self._watch.now(), who, moves))
        self._rows += len(moves)
        for move in moves:
            self._watch.moved(who, move)
        self._watch.counts["corrections by the desk"] += 1
