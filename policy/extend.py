"""Until when may a session go on that runs? The order `extend` works it out afresh, as at a start.

Whoever gives the order asks `refused` first: may the holder have this machine now at all? The edge that carries it out
asks `extended`: is it free to go on?
"""

from msgspec.structs import replace

from policy import machine
from policy.badge import LINES as BADGE_LINES
from policy.case import NO_MEMBER, NO_TIER, NOBODY, Case, Table
from policy.reasons import Reason
from policy.ruleset import Credential, RuleSet
from policy.sessions import Session, later
from policy.state import SiteState
from policy.terms import Instant

HOLDER: Table = (
    *BADGE_LINES,
    *(line for line in machine.LINES if line.number in ("10", "11", "12", "14", "15")),
)
"""What must be so of the holder for the order to be given."""
FREE: Table = tuple(line for line in machine.LINES if line.number in ("8", "13", "16", "17"))
"""What must be so of the machine for it to be carried out."""


def refused(rules: RuleSet, state: SiteState, session: Session, at: Instant) -> Reason | None:
    """Why the holder would not be let near the machine now; None when they would. Any good badge of theirs counts."""
    badges = [badge for badge in rules.credentials.values() if badge.member == session.member] or [NOBODY]
    reasons = [_first(HOLDER, _case(rules, state, session, at, badge)) for badge in badges]
    return None if None in reasons else reasons[0]


def extended(rules: RuleSet, state: SiteState, session: Session, at: Instant) -> Session | Reason:
    """The session with `until` as it would be of one that begins now, if that is later; or why it may not go on."""
    case = _case(rules, state, session, at, Credential(session.member))
    why = _first(FREE, case)
    return why or replace(session, until=later(session.until, machine.until(case, begins=False)))


def may_go_on(rules: RuleSet, state: SiteState, session: Session, at: Instant) -> bool:
    """Whether the order would change anything, as far as machines and bookings tell."""
    if session.machine not in rules.machines:
        return False
    found = extended(rules, state, session, at)
    return not isinstance(found, Reason) and found != session


def _first(table: Table, case: Case) -> Reason | None:
    """The reason of the first line that refuses."""
    decisions = (line.applies(case) for line in table)
    return next((decision.reason for decision in decisions if decision is not None and not decision.granted), None)


def _case(rules: RuleSet, state: SiteState, session: Session, at: Instant, badge: Credential) -> Case:
    """The holder at the machine, of the kind that it was when the session began, whose quota is the one that counts."""
    now = rules.machines[session.machine]
    if now.kind != session.kind:
        rules = replace(rules, machines=dict(rules.machines) | {session.machine: replace(now, kind=session.kind)})
    member = rules.members.get(session.member, NO_MEMBER)
    tier = rules.tiers.get(member.tier, NO_TIER)
    return Case(rules, state, at, session.machine, session.member, badge, member, tier)
