"""May this badge use this machine now? The table of docs/rules.md: the first line that applies decides."""

from policy import bookings, quota
from policy.badge import LINES as BADGE_LINES
from policy.case import Case, Decision, Line, Table, Tap, case_of, first_of, has_tier_ground
from policy.reasons import Reason
from policy.ruleset import Machine, RuleSet
from policy.sessions import Session
from policy.spans import covers, end_of
from policy.state import SiteState, on_shift
from policy.terms import Instant


def running(case: Case) -> Session | None:
    return case.state.sessions.running(case.place, case.at)


def machine(case: Case) -> Machine:
    return case.rules.machines[case.place]


def session_ended(case: Case) -> Decision | None:
    """Line 1: stopping one's own session is never refused."""
    session = running(case)
    return case.grant(Reason.SESSION_ENDED) if case.who and session and session.member == case.who else None


def rules_stale(case: Case) -> Decision | None:
    """After line 6: rules confirmed too long ago."""
    return case.deny(Reason.RULES_STALE) if case.at > case.state.not_after else None


def clock_untrusted(case: Case) -> Decision | None:
    """After staleness."""
    return None if case.state.clock_trusted else case.deny(Reason.CLOCK_UNTRUSTED)


def machine_reset(case: Case) -> Decision | None:
    """Line 7: after an emergency stop, once it is raised, staff or a fab manager puts the machine back in service."""
    may = case.member.staff or case.member.fab_manager
    raised = case.place in case.state.stopped and case.place not in case.state.pressed
    return case.grant(Reason.MACHINE_RESET) if may and raised else None


def machine_locked_out(case: Case) -> Decision | None:
    """Line 8: power now would start the machine when the stop is raised."""
    out = case.place in case.state.stopped | case.state.pressed or machine(case).locked_out
    return case.deny(Reason.MACHINE_LOCKED_OUT) if out else None


def machine_busy(case: Case) -> Decision | None:
    """Line 9: another member's session runs."""
    return case.deny(Reason.MACHINE_BUSY) if running(case) else None


def not_certified(case: Case) -> Decision | None:
    """Line 10: never certified for this kind of machine."""
    known = case.rules.certifications.get(case.who, {})
    return None if machine(case).kind in known else case.deny(Reason.NOT_CERTIFIED)


def certification_expired(case: Case) -> Decision | None:
    """Line 11."""
    until = case.rules.certifications[case.who][machine(case).kind]
    return case.deny(Reason.CERTIFICATION_EXPIRED) if until is not None and case.at >= until else None


def not_inside(case: Case) -> Decision | None:
    """Line 12."""
    return None if case.is_inside else case.deny(Reason.NOT_INSIDE)


def outside_machine_hours(case: Case) -> Decision | None:
    """Line 13: none of the machine's hours covers the instant."""
    hours = machine(case).hours
    return None if hours is None or covers(hours, case.at) else case.deny(Reason.OUTSIDE_MACHINE_HOURS)


def outside_hours(case: Case) -> Decision | None:
    """Line 14: nothing lets the member be here now."""
    if case.member.staff or has_tier_ground(case):
        return None
    shift = case.member.gardien and on_shift(case.rules, case.state, case.who, case.at)
    invitations = case.rules.invitations.get(case.who)
    invited = invitations is not None and covers(invitations.anywhere, case.at)
    welcome = shift or invited or covers(case.rules.events.anywhere, case.at)
    return None if welcome else case.deny(Reason.OUTSIDE_HOURS)


def companion_required(case: Case) -> Decision | None:
    """Line 15: fewer members are inside than the machine wants."""
    return case.deny(Reason.COMPANION_REQUIRED) if len(case.inside) < machine(case).min_people else None


def booked_by_other(case: Case) -> Decision | None:
    """Line 16: another member's booking covers the instant and is not released."""
    for booking in bookings.covering(case.rules, case.place, case.at):
        if booking.member != case.who and not bookings.released(case.state, case.place, booking, case.at):
            return case.deny(Reason.BOOKED_BY_OTHER)
    return None


def quota_exhausted(case: Case) -> Decision | None:
    """Line 17: the quota for this kind is used up in this period; staff have none."""
    if case.member.staff:
        return None
    rest = quota.left(case.rules, case.state, case.who, machine(case).kind, case.at)
    return case.deny(Reason.QUOTA_EXHAUSTED) if rest == 0 else None


def granted(case: Case) -> Decision | None:
    """Line 18: on one's own booking, or as one walks up."""
    own = any(booking.member == case.who for booking in bookings.covering(case.rules, case.place, case.at))
    return case.grant(Reason.BOOKING if own else Reason.WALK_UP, until(case))


def until(case: Case, *, begins: bool = True) -> Instant | None:
    """When a session that begins now, or goes on (begins false), should end; None for no end."""
    hours, kind = machine(case).hours, machine(case).kind
    ends = [
        None if case.member.staff else quota.used_up(case.rules, case.state, case.who, kind, case.at, begins=begins),
        bookings.next_of_others(case.rules, case.place, case.who, case.at),
        None if hours is None else end_of(hours, case.at),
    ]
    return min((end for end in ends if end is not None), default=None)


LINES: Table = (
    Line("1", session_ended),
    *BADGE_LINES,
    Line("6a", rules_stale),
    Line("6b", clock_untrusted),
    Line("7", machine_reset),
    Line("8", machine_locked_out),
    Line("9", machine_busy),
    Line("10", not_certified),
    Line("11", certification_expired),
    Line("12", not_inside),
    Line("13", outside_machine_hours),
    Line("14", outside_hours),
    Line("15", companion_required),
    Line("16", booked_by_other),
    Line("17", quota_exhausted),
    Line("18", granted),
)


def unattended(rules: RuleSet, state: SiteState, session: Session, at: Instant) -> bool:
    """Whether an attended machine runs without its holder, or without the people that it wants."""
    machine = rules.machines.get(session.machine)
    if machine is None or not machine.attended:
        return False
    inside = state.presence.inside(rules.day_start(at))
    return session.member not in inside or len(inside) < machine.min_people


def decide(rules: RuleSet, state: SiteState, tap: Tap, at: Instant) -> Decision:
    """Decide one tap at a machine.

    at: the instant of the tap; while the clock is not trusted, the last trusted instant. Raises KeyError for a reader
    that the rules do not know.
    """
    return first_of(LINES, case_of(rules, state, tap, rules.readers[tap.reader], at))
