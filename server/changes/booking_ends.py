"""Who is done before their booking is over? It ends when its holder ends their session by their own badge.

What comes late waits until its edge has nothing more to tell: the next of its messages may say that they are back.

What is left is free at once, for whoever walks up, too: the edges are told the rules without it. A session that ends
otherwise (a power cut, the emergency stop, nobody there any more) takes nothing from its holder at the machine.
"""

from sqlmodel import Session, col, select

from policy.bookings import left_early
from policy.facts import Ran, apply
from policy.instants import of
from policy.reasons import Reason
from policy.ruleset import Booking as Reserved
from policy.state import SiteState
from policy.terms import MINUTE, Instant
from server.audit import Decided
from server.changes.bookings import end_at, ground_of
from server.database.types import moment
from server.models import Edge, JournalRow
from server.queries.bookings import Slot, slots
from server.queries.site_state import uses_of

LATE: Instant = 2 * MINUTE
"""What arrives longer after it happened is of an edge that was cut off, and may have more to tell."""


def given_back(session: Session, at: Instant) -> list[tuple[Slot, Instant]]:
    """The bookings of this moment whose holder has ended their session, and the minute at which each is to end: the one
    in which they were done, but not before the booking's own first is over."""
    ended = ((one, _ended(session, one, at)) for one in slots(session, at, at + 1))
    found = [(one, max(one.start + MINUTE, done - done % MINUTE)) for one, done in ended if done is not None]
    return [(one, end) for one, end in found if end < one.end]


def end_given_back(session: Session, decided: Decided) -> int:
    """How many ended."""
    done = given_back(session, decided.at)
    if done:
        ground = ground_of(session, decided, by_rules=True)
        for slot, end in done:
            end_at(ground, slot, end)
    return len(done)


def _ended(session: Session, slot: Slot, at: Instant) -> Instant | None:
    row, state = JournalRow, SiteState(not_after=at)
    asked = select(row).where(
        row.member == slot.member,
        col(row.at) >= moment(slot.start),
        col(row.at) <= moment(at),
        row.access_point == slot.machine,
        row.reason == Reason.SESSION_ENDED,
    )
    last = session.exec(asked.order_by(col(row.at).desc()).limit(1)).first()
    if last is None or not _is_all_told(session, last):
        return None
    for use in uses_of(session, slot.machine, slot.member, slot.start):
        apply(state, Ran(use))
    over = left_early(state, slot.machine, Reserved(slot.member, slot.start, slot.end), at)
    return of(last.at) if over and _was_the_last(state, slot, of(last.at)) else None


def _is_all_told(session: Session, last: JournalRow) -> bool:
    """Whether nothing older than its arrival is still to come from the row's edge."""
    if of(last.received) - of(last.at) <= LATE:
        return True
    edge = session.get(Edge, last.edge)
    return edge is None or (edge.last_seen is not None and edge.last_seen > last.received and not edge.unacknowledged)


def _was_the_last(state: SiteState, slot: Slot, at: Instant) -> bool:
    """Whether no session of theirs ended later, by something else: then they may be about to come back."""
    theirs = (one for one in state.sessions.of_machine(slot.machine) if one.member == slot.member)
    return all(one.start <= at for one in theirs)
