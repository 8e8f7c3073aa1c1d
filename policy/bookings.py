"""Whose is the machine now, and who comes next?"""

from bisect import bisect_right
from collections.abc import Iterable

from policy.ruleset import Booking, RuleSet
from policy.state import SiteState
from policy.terms import MINUTE, Instant

RELEASE_AFTER = 15 * MINUTE


def released(state: SiteState, machine: str, booking: Booking, at: Instant) -> bool:
    """Whether the booking lapsed: its holder neither ran the machine nor found it busy in the first 15 minutes."""
    deadline = booking.start + RELEASE_AFTER
    if at < deadline:
        return False
    came = any(
        session.member == booking.member and session.overlaps(booking.start, deadline)
        for session in state.sessions.of_machine(machine)
    )
    tried = any(
        member == booking.member and booking.start <= moment < deadline
        for member, moment in state.busy.get(machine, ())
    )
    return not came and not tried


def left_early(state: SiteState, machine: str, booking: Booking, at: Instant) -> bool:
    """Whether its holder has used the machine in it and ended before its end: what is left may be booked by others.

    Until somebody does, the machine keeps it for the holder, who may come back.
    """
    theirs = [
        session
        for session in state.sessions.of_machine(machine)
        if session.member == booking.member and session.overlaps(booking.start, at + 1)
    ]
    return booking.start <= at < booking.end and bool(theirs) and not any(session.runs(at) for session in theirs)


def covering(rules: RuleSet, machine: str, at: Instant) -> Iterable[Booking]:
    """The bookings of the machine that cover the instant: one, since they may not overlap."""
    held = rules.bookings.get(machine, ())
    following = bisect_right(held, at, key=_start)
    return [booking for booking in held[max(0, following - 1) : following] if at < booking.end]


def next_of_others(rules: RuleSet, machine: str, member: str, at: Instant) -> Instant | None:
    """When the next booking of somebody else starts; None when there is none."""
    held = rules.bookings.get(machine, ())
    following = range(bisect_right(held, at, key=_start), len(held))
    return next((held[place].start for place in following if held[place].member != member), None)


def _start(booking: Booking) -> Instant:
    return booking.start
