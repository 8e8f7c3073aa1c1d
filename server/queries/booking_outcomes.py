"""What became of the bookings that have begun? Used now, given up, or never come for; asked of all at once."""

from collections.abc import Sequence
from enum import StrEnum

from sqlmodel import Session, col, select

from policy.bookings import left_early, released
from policy.facts import Busy, Ran, apply
from policy.instants import of
from policy.ruleset import Booking as Reserved
from policy.state import SiteState
from policy.terms import Instant
from server.database.types import moment
from server.models import MachineBusy
from server.queries.bookings import Slot
from server.queries.site_state import uses_since


class Outcome(StrEnum):
    RUNS = "runs"
    """Its holder uses the machine."""
    NOBODY = "nobody"
    """Its holder did not come in time: what was left of it was anybody's."""
    LEFT = "left"
    """Its holder ended before its end: what was left of it was anybody's."""


def outcomes(session: Session, found: Sequence[Slot], at: Instant) -> dict[str, Outcome]:
    """By the booking's id. Not of one that is still to come or kept, nor of one that was used to its end."""
    begun = [one for one in found if one.start <= at]
    if not begun:
        return {}
    state, since = SiteState(not_after=at), min(one.start for one in begun)
    for use in uses_since(session, since):
        apply(state, Ran(use))
    row = MachineBusy
    for place, member, when in session.exec(
        select(row.machine, row.member, row.at).where(col(row.at) >= moment(since))
    ):
        apply(state, Busy(place, member, of(when)))
    known = {one.id: _outcome(state, one, at) for one in begun}
    return {which: outcome for which, outcome in known.items() if outcome is not None}


def kept(session: Session, machine: str, found: Sequence[Reserved], at: Instant) -> list[Reserved]:
    """Those that are still their holder's: without what others may have by now."""
    known = outcomes(session, [Slot(one.start, one.end, machine, one.member, f"{one.start}") for one in found], at)
    return [one for one in found if known.get(f"{one.start}") not in (Outcome.NOBODY, Outcome.LEFT)]


def _outcome(state: SiteState, slot: Slot, at: Instant) -> Outcome | None:
    theirs = [use for use in state.sessions.of_machine(slot.machine) if use.member == slot.member]
    theirs = [use for use in theirs if use.overlaps(slot.start, slot.end)]
    booking = Reserved(slot.member, slot.start, slot.end)
    if any(use.runs(at) for use in theirs):
        return Outcome.RUNS
    if left_early(state, slot.machine, booking, min(at, slot.end - 1)):
        return Outcome.LEFT
    return Outcome.NOBODY if not theirs and released(state, slot.machine, booking, at) else None
