"""What is left on somebody's carnet?"""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from policy.passes import left, unit_now
from policy.state import SiteState
from policy.terms import Instant
from server.models import PaidUnit
from server.queries.current import Current


def units_left(session: Session, current: Current, members: Iterable[str], at: Instant) -> dict[str, int]:
    """Of each of the members whose tier needs a carnet, the days or half-days left on those valid at the instant."""
    wanted = [who for who in set(members) if who in current.rules.members and unit_now(current.rules, who, at)]
    state = SiteState()
    for paid in session.exec(select(PaidUnit).where(col(PaidUnit.member).in_(wanted))):
        state.units[paid.member].add(paid.unit)
    return {who: left(current.rules, state, who, at) for who in wanted}
