"""How do gardiens come by minutes that no evening brought? By credits and gifts of two names, some of them removed.

One proposes, another vouches: until then nothing counts. What each is to bring is kept here, apart from the server.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from sqlmodel import Session

from policy.terms import MINUTE, Instant
from proofs.storm.casting import KEPT
from proofs.storm.hours import instant_of, local_time, site_day
from proofs.storm.office import Office
from proofs.storm.watch import Watch
from server.audit import Decided
from server.changes import credits as changes
from server.changes.outcomes import Wrong

if TYPE_CHECKING:
    from proofs.storm.site import Site

CREDIT, REMOVAL = 0.25, 0.06
"""How likely on a day."""


class Given(NamedTuple):
    """counts: from when on."""

    member: str
    minutes: int
    counts: Instant


class Credits:
    """standing: what counts, or is to, by the name of each credit. changed: told when that is another one."""

    def __init__(self, office: Office, watch: Watch, changed: Callable[[Instant], None]) -> None:
        self._office, self._watch, self._changed = office, watch, changed
        self._gardiens = [member.id for member in office.bundle.members if "gardien" in member.roles]
        self._vouchers = [*self._gardiens, *(one.id for one in office.bundle.members if "staff" in one.roles)]
        self._number = 0
        self.standing: dict[str, Given] = {}

    def open(self, site: "Site", luck: Random, today: date) -> None:
        """Enter what is proposed, vouched for and removed today."""
        for act, chance in ((self.give, CREDIT), (self.remove, REMOVAL)):
            if luck.random() < chance:
                at = instant_of(f"{today}T09:00") + luck.randrange(11 * 60) * MINUTE
                site.agenda.at_instant(at, partial(act, luck))

    def counting(self, at: Instant) -> dict[str, tuple[str, int]]:
        """Whose credits count by then, and how many minutes they bring."""
        return {name: (one.member, one.minutes) for name, one in self.standing.items() if one.counts <= at}

    def give(self, luck: Random) -> None:
        """Somebody proposes; they cannot vouch for it themselves; another does, or nobody."""
        now = self._watch.now()
        day = site_day(local_time(now)) + timedelta(luck.randrange(-3, 4))
        member, by, voucher, giver = luck.sample(self._gardiens, 1)[0], *luck.sample(self._vouchers, 2), ""
        minutes = luck.choice((-90, 30, 120, 250))
        if minutes == 120:
            giver = luck.choice([one for one in self._gardiens if one != member])
        self._number += 1
        token, names = f"{self._number}", {f"k-{self._number}": (member, minutes)}
        if giver:
            names[f"k-{token}-"] = giver, -minutes
        wanted = changes.Wanted(member, minutes, day, giver)

        def propose(session: Session, decided: Decided) -> object:
            return changes.propose(session, decided, by, wanted, token)

        done = self._office.decide(propose, self._office.published)
        if done is None or isinstance(done, Wrong):
            return
        for who in (by, voucher):
            if not self._vouched(who, f"k-{token}"):
                continue
            if who in {by, *(whose for whose, _ in names.values())}:
                self._watch.broken("server", f"{who} vouched for the credit k-{token}, which is theirs")
            counts = max(now, instant_of(f"{day}T04:00"))
            self.standing |= {name: Given(whose, brings, counts) for name, (whose, brings) in names.items()}
            self._watch.counts["credits by two names"] += 1
            self._changed(now)

    def remove(self, luck: Random) -> None:
        """The team removes one, and its gift: it is countered where it was booked."""
        if not self.standing:
            return
        which = luck.choice(sorted(self.standing))

        def act(session: Session, decided: Decided) -> object:
            return changes.remove(session, decided, None, which, KEPT, team=True)

        if self._office.decide(act, self._office.published) is not None:
            pair = which.rstrip("-")
            self.standing = {name: one for name, one in self.standing.items() if name.rstrip("-") != pair}
            self._watch.counts["credits removed"] += 1
            self._changed(self._watch.now())

    def _vouched(self, who: str, which: str) -> bool:
        def act(session: Session, decided: Decided) -> object:
            return changes.attest(session, decided, who, which, KEPT)

        return self._office.decide(act, self._office.published) is not None
