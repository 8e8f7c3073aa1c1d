"""A small fablab at the server for tests: a CNC mill with hours, two printers, and people who may use them."""

from typing import Any

from msgspec.structs import replace

from policy.bundle import BookingTerms, Certification, Kind, Machine, Member
from policy.terms import DAY, HOUR, Instant
from server.audit import Decided
from server.changes.bookings import Booked, Taken, Wanted, book, cancel, move
from server.changes.bundle import put, set_site
from server.database.engine import Database
from server.publish.bundle import site_said
from server.queries.bookings import Slot
from tests.support_server import DECIDED, WORKDAYS
from tests.support_site import at

NOW = at(19, 12)
"""A Tuesday in November."""
CNC = Machine("cnc", "cnc", "cnc-tap", hours=dict.fromkeys(WORKDAYS, (("09:00", "21:00"),)), name="Fraiseuse CNC")
PRINTERS = tuple(Machine(f"printer-{n}", "printer", f"printer-{n}-tap", name=f"Imprimante {n}") for n in (1, 2))
TERMS = BookingTerms(longest=240, ahead_days=30, open=3)


def furnish(database: Database, terms: BookingTerms | None = TERMS, machines: tuple[Machine, ...] = ()) -> None:
    """Into a database with the small bundle."""
    kinds = (Kind("cnc", name="Fraisage"), Kind("printer", name="Impression 3D"))
    trained = tuple(Certification(who, kind.id) for who in ("brigitte", "remy", "alice") for kind in kinds)
    with database.transaction() as session:
        site = site_said(session)
        assert site is not None
        set_site(session, replace(site, booking=terms), DECIDED)
        put(session, [*(machines or (CNC, *PRINTERS)), *kinds, *trained], DECIDED)


def join(database: Database, *names: str) -> None:
    """More members, residents."""
    with database.transaction() as session:
        put(session, [Member(name, name.title(), "resident") for name in names], DECIDED)


def tomorrow(hour: int, minute: int = 0, days: int = 1) -> Instant:
    return at(hour, minute) + days * DAY


class Desk:
    """Books at a site's clock. now: to be set."""

    def __init__(self, database: Database, now: Instant = NOW) -> None:
        self.database, self.now = database, now

    def book(self, start: Instant, end: Instant | None = None, who: str = "remy", what: str = "cnc", **how: Any) -> Any:
        wanted = Wanted(tuple(what.split("+")), who, start, start + 2 * HOUR if end is None else end)
        with self.database.transaction() as session:
            return book(session, Decided("tests", self.now), wanted, **how)

    def has(self, *where: Any, **how: Any) -> Slot:
        booked = self.book(*where, **how)
        assert isinstance(booked, Booked)
        return booked.slot

    def next_of(self, *where: Any, **how: Any) -> tuple[bool, str, Instant] | None:
        """What whoever comes too late is told: by somebody else?, where and from when it is free next."""
        taken = self.book(*where, **how)
        assert isinstance(taken, Taken)
        return None if taken.next_free is None else (taken.held_by_other, *taken.next_free[:2])

    def move(self, which: str, start: Instant, end: Instant, **how: Any) -> Any:
        with self.database.transaction() as session:
            return move(session, Decided("tests", self.now), which, start, end, **how)

    def cancel(self, which: str, **how: Any) -> Any:
        with self.database.transaction() as session:
            return cancel(session, Decided("tests", self.now), which, **how)
