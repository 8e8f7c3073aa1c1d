"""How is it said what is left on somebody's carnet? Beside their name, where it matters: at the desk."""

from policy.ruleset import Unit
from server.queries.current import Current
from server.text.translate import ngettext


def said(current: Current, member: str, units: int) -> str:
    """7 demi-journées, in the unit of the member's tier."""
    unit = current.rules.tiers[current.rules.members[member].tier].unit
    if unit is Unit.DAY:
        return ngettext("carnet : reste %(num)s journée", "carnet : reste %(num)s journées", units)
    return ngettext("carnet : reste %(num)s demi-journée", "carnet : reste %(num)s demi-journées", units)
