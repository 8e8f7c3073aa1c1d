"""What do the demo's gardiens ask of each other on its first day? Somebody proposes the first one a swap."""

from datetime import date, timedelta

from sqlmodel import Session

from policy.bundle import Bundle
from policy.terms import Instant
from server.audit import Decided
from server.changes.rota_swaps import Swap, propose
from server.queries.rota import turns
from simulator.demo.bench_badges import next_shift

DAYS = timedelta(days=13)


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
