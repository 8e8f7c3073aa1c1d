"""What is left on somebody's carnet? Said beside their name, where it matters: at the desk."""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from policy.passes import left, unit_now
from policy.ruleset import Unit
from policy.state import SiteState
from policy.terms import Instant
from server.models import PaidUnit
from server.queries.current import Current
from server.text.translate import ngettext


def units_left(session: Session, current: Current, members: Iterable[str], at: Instant) -> dict[str, int]:
    """Of each of the members whose tier needs a carnet, the days or half-days left on those valid at the instant."""
    wanted = [who for who in set(members) if who in current.rules.members and unit_now(current.rules, who, at)]
    state = SiteState()
    for paid in session.exec(select(PaidUnit).where(col(PaidUnit.member).in_(wanted))):
        state.units[paid.member].add(paid.unit)
    return {who: left(current.rules, state, who, at) for who in wanted}


def said(current: Current, member: str, units: int) -> str:
    """7 demi-journées, in the unit of the member's tier."""
    unit = current.rules.tiers[current.rules.members[member].tier].unit
    if unit is Unit.DAY:
        return ngettext("carnet : reste %(num)s journée", "carnet : reste %(num)s journées", units)
    return ngettext("carnet : reste %(num)s demi-journée", "carnet : reste %(num)s demi-journées", units)
