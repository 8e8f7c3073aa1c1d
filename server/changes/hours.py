"""What does the desk decide about the team's hours, closures and exceptional openings? Each function makes a plan."""

from datetime import date

from msgspec.structs import replace

from policy.bundle import Bundle, Closure, Opening, Week
from server.changes.outcomes import Meanwhile, Wrong
from server.changes.planned import Plan, Planned


def week(seen: Week, wanted: Week) -> Plan:
    """The hours of each weekday. seen, here and below: as whoever decides has seen it."""

    def plan(bundle: Bundle) -> Planned | Wrong | Meanwhile:
        if bundle.site.staff_hours not in (seen, wanted):
            return Meanwhile()
        places = tuple((f"site.staff_hours.{day}[", day) for day in wanted)
        return Planned(replace(bundle, site=replace(bundle.site, staff_hours=wanted)), places)

    return plan


def closure(seen: Closure | None, wanted: Closure | None, today: date) -> Plan:
    """A new one, another one, or none in its place."""

    def plan(bundle: Bundle) -> Planned | Wrong | Meanwhile:
        known = bundle.site.closures
        if seen is not None and seen not in known:
            return Meanwhile()
        kept = tuple(one for one in known if one != seen)
        if wanted is None:
            return Planned(replace(bundle, site=replace(bundle.site, closures=kept)))
        if wanted.last < today:
            return Wrong(("last",))
        if any((one.first, one.last) == (wanted.first, wanted.last) for one in kept):
            return Wrong(("first", "last"))
        there = f"site.closures[{len(kept)}]."
        places = ((f"{there}from", "first"), (f"{there}to", "last"), (f"{there}why", "why"))
        return Planned(replace(bundle, site=replace(bundle.site, closures=(*kept, wanted))), places)

    return plan


def opening(seen: Opening | None, wanted: Opening | None, today: date) -> Plan:
    """A new one, another one, or none in its place. One date has one of them."""

    def plan(bundle: Bundle) -> Planned | Wrong | Meanwhile:
        known = bundle.site.openings
        if seen is not None and seen not in known:
            return Meanwhile()
        kept = tuple(one for one in known if one != seen)
        if wanted is None:
            return Planned(replace(bundle, site=replace(bundle.site, openings=kept)))
        if wanted.date < today:
            return Wrong(("date",))
        there = f"site.openings[{len(kept)}]."
        places = ((f"{there}date", "date"), (f"{there}hours", "hours"))
        return Planned(replace(bundle, site=replace(bundle.site, openings=(*kept, wanted))), places)

    return plan
