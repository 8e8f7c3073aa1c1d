"""What is asked at the demo by its first day? The first gardien for a swap, and a place in a training for machines."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from policy.bundle import Bundle, Role
from policy.terms import HOUR, Instant
from server.audit import Decided
from server.changes.rota_swaps import Swap, propose
from server.changes.training_sessions import plan, put_down
from server.queries.rota import turns
from server.queries.training_sessions import Planned
from simulator.demo.bench_badges import carnet_holder, next_shift
from simulator.demo.fablab import expired

DAYS = timedelta(days=13)
MILLING = Planned("fraiseuse", "fraiseuse", 0, 0, 3, None, "À l’atelier, chaussures fermées.")
PRINTING = Planned("impression", "impression 3D", 0, 0, 6, None, "Apportez un fichier STL, si vous en avez un.")
TRAININGS = ((MILLING, 2, time(18)), (PRINTING, 7, time(12, 30)))
"""Each with the number of the day and the hour at which it begins."""
LASTS = 2 * HOUR


def make(session: Session, bundle: Bundle, start: date, now: Instant) -> None:
    """An evening of somebody else's against the last one of those two weeks that the first gardien has."""
    first = next_shift(bundle, start.isoformat()).gardien
    coming = [one for one in turns(bundle, start + timedelta(days=1), start + DAYS) if one.gardien is not None]
    theirs = next(one for one in reversed(coming) if one.gardien == first)
    for mine in coming:
        if mine.gardien is not None and mine.gardien != first:
            outcome = propose(session, Decided("demo", now), mine.key, mine.gardien, theirs.key)
            if isinstance(outcome, Swap):
                return


def trainings(session: Session, bundle: Bundle, start: date, now: Instant) -> None:
    """The fab manager trains for the mill, one more wants to come than can; for the printers there is room."""
    manager = next(member.id for member in bundle.members if Role.FAB_MANAGER in member.roles)
    decided = Decided("fablab", now)
    for training, ahead, hour in TRAININGS:
        day = datetime.combine(start + timedelta(days=ahead), hour, ZoneInfo(bundle.site.timezone))
        begins = round(day.timestamp() * 1000)
        plan(session, decided, replace(training, start=begins, end=begins + LASTS, trainer=manager))
    for number, member in enumerate(_untrained(bundle)):
        if number <= MILLING.places:
            put_down(session, decided, MILLING.id, member)


def _untrained(bundle: Bundle) -> Iterator[str]:
    """For the mill: who was and is no more, who can log in, then others."""
    first = (expired(bundle).id, carnet_holder(bundle).id)
    yield from first
    trained = {one.member for one in bundle.certifications if one.kind == MILLING.kind}
    for member in bundle.members:
        if member.tier == "resident" and member.status == "active" and member.id not in {*first, *trained}:
            yield member.id
