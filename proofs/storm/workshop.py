"""Who learns the machine, and for how long? People are certified, lapse and are withdrawn, by the server's own changes.

Who is certified until when is kept here, apart from the server's tables: each night they must say the same.
"""

from datetime import date, timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from sqlmodel import Session

from policy.terms import MINUTE
from proofs.storm.casting import MACHINE
from proofs.storm.hours import instant_of, local_time, site_day
from proofs.storm.office import Office
from proofs.storm.watch import Watch
from server.audit import Decided
from server.changes.people import Done
from server.changes.training import Evidence, Shown, certify, withdraw
from server.publish.bundle import held

if TYPE_CHECKING:
    from proofs.storm.site import Site

CHANCES = (("train", 0.35), ("end", 0.08))
"""How likely on a day."""
GOOD_FOR = (2, 60)
"""Days for which somebody is certified: the last one included."""


class Workshop:
    """standing: who is certified for the machine, and until which day; None for no end."""

    def __init__(self, office: Office, watch: Watch) -> None:
        self._office, self._watch = office, watch
        self._members = sorted(member.id for member in office.bundle.members)
        self.standing: dict[str, date | None] = {one.member: one.until for one in office.bundle.certifications}

    def open(self, site: "Site", luck: Random, today: date) -> None:
        """Enter who passes today, and from whom it is withdrawn."""
        for what, chance in CHANCES:
            if luck.random() < chance:
                at = instant_of(f"{today}T09:00") + luck.randrange(11 * 60) * MINUTE
                site.agenda.at_instant(at, partial(getattr(self, what), luck))

    def train(self, luck: Random) -> None:
        """Somebody passes, for the first time or once more."""
        today = site_day(local_time(self._watch.now()))
        self.certify(luck.choice(self._members), today, today + timedelta(luck.randint(*GOOD_FOR)))

    def end(self, luck: Random) -> None:
        """The fab manager withdraws one."""
        self.withdraw(luck.choice(sorted(self.standing)))

    def certify(self, who: str, today: date, last: date) -> None:
        def act(session: Session, decided: Decided) -> object:
            return certify(session, decided, who, Shown(MACHINE, Evidence.EXAM, today, last), today)

        if isinstance(self._office.decide(act, self._office.published), Done):
            self.standing[who] = last
            self._watch.counts["certified for the machine"] += 1

    def withdraw(self, who: str) -> None:
        def act(session: Session, decided: Decided) -> object:
            return withdraw(session, decided, who, MACHINE)

        if isinstance(self._office.decide(act, self._office.published), Done):
            del self.standing[who]
            self._watch.counts["certifications withdrawn"] += 1

    def night(self) -> None:
        """What the server has is what was decided."""
        with self._office.database.reading() as session:
            found = {one.member: one.until for one in held(session, "certifications")}
        if found != self.standing:
            wrong = sorted(set(found.items()) ^ set(self.standing.items()), key=str)
            self._watch.broken("server", f"certified otherwise than was decided: {wrong}")
