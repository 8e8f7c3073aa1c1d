"""Who has booked the machine, and who may go on? By the server's own changes, each held against what is known here.

What was booked, and holds, is kept apart from the server's tables: each night they must say the same.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from policy.booking_terms import Against, Rule
from policy.bundle import BookingTerms
from policy.instants import of, text
from policy.reasons import Reason
from policy.terms import DAY, MINUTE, Instant
from proofs.storm.casting import MACHINE
from proofs.storm.claims import known_to_all
from proofs.storm.comers import STEP, come, people
from proofs.storm.hours import instant_of
from proofs.storm.office import Office, Said
from proofs.storm.reading import read_press
from proofs.storm.sittings import turns_told
from proofs.storm.turns import Booked
from proofs.storm.watch import Watch
from server.audit import Decided
from server.changes.booking_ends import end_given_back
from server.changes.bookings import Booked as Made
from server.changes.bookings import Cancelled, Taken, Wanted, book, cancel
from server.errors import OrderRefusedError
from server.models import JournalRow
from server.publish.bundle import held
from server.publish.orders import Given
from server.queries.site_state import state_at

if TYPE_CHECKING:
    from proofs.storm.site import Site

Wish = tuple[str, Instant, Instant]
WISHES = (0, 0, 1, 1, 2, 3)
"""Bookings of a morning, for today or tomorrow; each number as likely."""
LENGTH = (2, 8)
"""Steps of a booking."""
MOST = BookingTerms().open
LOOKS = (10, 600, 3600)
"""Seconds after a session's end in which the server looks whose booking ends with it: it may hear of it late."""


class Bookings:
    """standing: what holds, by the names that the server gave, and what is over while the rules tell of it."""

    def __init__(self, office: Office, watch: Watch) -> None:
        self._office, self._watch = office, watch
        self.standing: dict[str, Booked] = {}

    def open(self, site: "Site", luck: Random, today: date) -> None:
        """Enter what is booked this morning."""
        wishes = [_wish(luck, people(site), today) for _ in range(luck.choice(WISHES))]
        if wishes:
            at = instant_of(f"{today}T08:00") + luck.randrange(120) * MINUTE
            site.agenda.at_instant(at, partial(self.press, site, luck, wishes))

    # Presses

    def press(self, site: "Site", luck: Random, wishes: Sequence[Wish]) -> None:
        """Each wish is booked where it can be."""

        def act(session: Session, decided: Decided) -> list[Made | Taken | Against]:
            return [book(session, decided, Wanted((MACHINE,), *wish)) for wish in wishes]

        for wish, said in zip(wishes, self._decided(act) or (), strict=False):
            self._judge(wish, said)
            if isinstance(said, Made):
                come(site, luck, said.slot.id, Booked(*wish))

    def give_up(self, which: str) -> None:
        """Its holder cancels it."""
        mine = self.standing.get(which)
        if mine is None:
            return

        def act(session: Session, decided: Decided) -> Cancelled | Against:
            return cancel(session, decided, which, member=mine.member)

        said = self._decided(act)
        if isinstance(said, Cancelled):
            del self.standing[which]
            self._watch.counts["bookings cancelled"] += 1
        elif isinstance(said, Against) and mine.end > self._watch.now():
            self._watch.broken("server", f"{mine} is not cancelled: {said}")

    def done(self, site: "Site", who: str) -> None:
        """Their own badge ended their session."""
        at = self._watch.now()
        for which, one in self.standing.items():
            if one.member == who and one.start <= at < one.end:
                for seconds in LOOKS:
                    site.agenda.after(seconds, partial(self.ends_early, which))

    def ends_early(self, which: str) -> None:
        """The server looks."""
        mine = self.standing.get(which)

        def act(session: Session, decided: Decided) -> int | None:
            return end_given_back(session, decided) or None

        if mine is None or mine.end <= self._watch.now():
            return
        if self._decided(act) is not None:
            self._ended(which, mine)

    def go_on(self, who: str) -> None:
        """They press that their session goes on: the order leaves where they may be near the machine."""
        exchange = self._office.exchange
        if exchange is None:
            return
        with self._office.database.reading() as session:
            known = known_to_all(state_at(session, self._watch.now()), self._watch.now())
        bundle = exchange.publisher.current.bundle
        runs = known.turns.running(known.at) == who
        member = next(one for one in bundle.members if one.id == who)
        why = read_press(bundle, member, known) if runs else None
        try:
            said = self._office.let_go_on(who)
        except OrderRefusedError:
            self._watch.counts["extensions: nobody to ask"] += 1
            return
        sent = isinstance(said, Given)
        if sent != (runs and why is None) or (isinstance(said, Reason) and said != why):
            self._watch.broken("server", f"{who} wants to go on: {said}, should be {why if runs else 'no session'}")
        self._watch.counts[f"extensions: {'asked' if sent else 'refused' if runs else 'of nothing'}"] += 1

    def _decided(self, act: Callable[[Session, Decided], Said]) -> Said | None:
        return self._office.decide(act, self._office.published)

    # What must be so of them

    def night(self) -> None:
        """What the server has is what was booked; no two overlap."""
        with self._office.database.reading() as session:
            told = held(session, "bookings")
        found = {one.id: Booked(one.member, instant_of(one.start), instant_of(one.end)) for one in told}
        old = self._watch.now() - 3 * DAY  # the weekly rota may have taken them along
        self.standing = {which: one for which, one in self.standing.items() if which in found or one.end >= old}
        if found != self.standing:
            wrong = sorted(set(found.items()) ^ set(self.standing.items()))[:3]
            self._watch.broken("server", f"booked otherwise than was pressed: {wrong}")
        for one, other in pairwise(sorted(found.values(), key=lambda one: one.start)):
            if other.start < one.end:
                self._watch.broken("server", f"{one} and {other} have the machine at one time")

    def _judge(self, wish: Wish, said: Made | Taken | Against) -> None:
        """Whoever is told that they have it is the only one; whoever is told that it is taken finds somebody there."""
        who, start, end = wish
        met = {which: one for which, one in self.standing.items() if one.start < end and start < one.end}
        self._watch.counts[f"bookings: {type(said).__name__.lower()}"] += 1
        if isinstance(said, Against):
            self._judge_rule(who, said)
        elif isinstance(said, Taken):
            if not met and not (said.in_use and self._watch.sittings.now is not None):
                self._watch.broken("server", f"{wish} is taken, it says, and by nobody: {said}")
        else:
            for which, one in met.items():
                if one.member == who or not self._makes_way(one):
                    self._watch.broken("server", f"{wish} is booked, and so is {one}")
                del self.standing[which]
                self._watch.counts["bookings that made way"] += 1
            self.standing[said.slot.id] = Booked(*wish)

    def _judge_rule(self, who: str, said: Against) -> None:
        ahead = sum(one.member == who and one.end > self._watch.now() for one in self.standing.values())
        member = next(one for one in self._office.bundle.members if one.id == who)
        reasons = {Rule.OPEN: ahead >= MOST, Rule.MEMBER: member.status != "active"}
        if not reasons.get(said.rule, False):
            self._watch.broken("server", f"{who} may not book: {said}, with {ahead} bookings ahead")

    def _makes_way(self, one: Booked) -> bool:
        """Nobody came for it, or its holder is done: by what the server has heard of the machine."""
        at = self._watch.now()
        with self._office.database.reading() as session:
            turns = turns_told(session)
        uses = (use for use in turns.uses if use.member == one.member and use.over != use.start)
        mine = [use for use in uses if use.start <= at and (use.over is None or use.over > one.start)]
        done = bool(mine) and all(use.over is not None and use.over <= at for use in mine)
        return one.start <= at < one.end and (done or turns.is_released(one, at))

    def _ended(self, which: str, one: Booked) -> None:
        """It ends in the minute in which its holder was done by their own badge, and not before its first is over."""
        end = next(instant_of(told.end) for told in self._office.bundle.bookings if told.id == which)
        with self._office.database.reading() as session:
            row = JournalRow
            by_badge = select(row.at).where(row.member == one.member, row.reason == "session_ended")
            last = session.exec(by_badge.order_by(col(row.at).desc()).limit(1)).first()
        right = None if last is None else max(one.start + MINUTE, of(last) // MINUTE * MINUTE)
        if end != right:
            said = None if right is None else text(right)
            self._watch.broken("server", f"{one} ends at {text(end)} now; its holder was done at {said}")
        self.standing[which] = one._replace(end=end)
        self._watch.counts["bookings given back"] += 1


def _wish(luck: Random, able: Sequence[str], today: date) -> Wish:
    start = instant_of(f"{today}T10:00") + luck.choice((0, 0, DAY)) + luck.randrange(40) * STEP
    return luck.choice(able), start, start + luck.randint(*LENGTH) * STEP
