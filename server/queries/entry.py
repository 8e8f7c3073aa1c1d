"""Would a member's badge open the door, now and in the days to come? Asked of `decide`, as the door asks it.

Of the time to come it is known what is planned: the rules, the shifts, and what the carnets have left if nobody enters
before. Whoever has taken a shift is taken to be inside during it, without lead and grace, and nobody else is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from sqlmodel import Session, select

from policy import door
from policy.case import Decision, Tap
from policy.degrees import Known, Stretch, stretches
from policy.opening import Degree
from policy.passes import left
from policy.presence import Move, Presence
from policy.reasons import Reason
from policy.ruleset import Places, RuleSet
from policy.state import SiteState
from policy.terms import Direction, Instant
from server.models import PaidUnit
from server.queries.current import Current

LAST_SAID = (Reason.NOT_ALLOWED_HERE, Reason.CREDENTIAL_BLOCKED)
"""Why one of several badges or doors refuses, where another one refuses for a reason that tells more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the door would say. places: the doors that open. tap: which badge and reader `decision` is about.

    left: the units that the carnet would have left, None where its tier needs none.
    """

    decision: Decision
    tap: Tap
    places: tuple[str, ...]
    left: int | None


@dataclass(frozen=True, slots=True)
class Span:
    """From start to end the door would say the same. degree: how sure it is that it opens, NOBODY where it does not.

    gardiens: on whose coming it hangs, if it does.
    """

    start: Instant
    end: Instant
    granted: bool
    reason: Reason
    degree: Degree
    gardiens: tuple[str, ...] = ()


def units_paid(session: Session, member: str) -> set[str]:
    """The days and half-days that the member ever paid, as the doors told them."""
    return set(session.exec(select(PaidUnit.unit).where(PaidUnit.member == member)))


def badges(current: Current, member: str) -> list[str]:
    """The member's badges, as doors know them."""
    return [current.pseudonym(bytes.fromhex(badge.uid)) for badge in current.people.people[member].badges]


def entry(rules: RuleSet, state: SiteState, badges_: Iterable[str], at: Instant) -> Entry | None:
    """What the doors say to these badges at the instant; None for no badge."""
    said = [
        (door.decide(rules, state, Tap(reader, badge), at), Tap(reader, badge), known.access_point)
        for badge in badges_
        for reader, known in rules.readers.items()
        if known.direction is Direction.IN
    ]
    if not said:
        return None
    decision, tap, _ = min(said, key=lambda one: (not one[0].granted, one[0].reason in LAST_SAID))
    places = tuple(dict.fromkeys(place for one, _, place in said if one.granted))
    return Entry(decision, tap, places, _left(rules, state, decision, at))


def _left(rules: RuleSet, state: SiteState, decision: Decision, at: Instant) -> int | None:
    if decision.member is None or rules.tiers[rules.members[decision.member].tier].unit is None:
        return None
    return left(rules, state, decision.member, at) - (decision.pays is not None)


def ahead(known: Known, member: str, badges_: list[str], start: Instant, end: Instant) -> list[Span]:
    """What the doors will say to these badges from start, now or later, to end: no gap."""
    found: list[Span] = []
    edges = sorted(_edges(known.rules, member, badges_, start, end))
    for stretch in stretches(known, start, end):
        cuts = [stretch.start, *(edge for edge in edges if stretch.start < edge < stretch.end), stretch.end]
        for first, last in pairwise(cuts):
            span = _span(known, stretch, member, badges_, first, last)
            if span is None:
                continue
            if found and replace(span, start=found[-1].start, end=first) == found[-1]:
                span = replace(span, start=found.pop().start)
            found.append(span)
    return found


def planned(known: Known, stretch: Stretch, member: str, at: Instant) -> SiteState:
    """The site as it is planned to be at the instant in the stretch: those are inside whose shifts these are."""
    here = Presence((who, Move(at, inside=True)) for who in stretch.gardiens if who != member)
    state = known.state
    return SiteState(here, not_after=at, lockdown=state.lockdown, units=state.units, adhoc=state.adhoc)


def _span(
    known: Known, stretch: Stretch, member: str, badges_: list[str], first: Instant, last: Instant
) -> Span | None:
    said = entry(known.rules, planned(known, stretch, member, first), badges_, first)
    if said is None or first == last:
        return None
    granted, reason = said.decision.granted, said.decision.reason
    hangs = granted and reason is Reason.GARDIEN_PRESENT
    degree = stretch.degree if hangs else Degree.SURE if granted else Degree.NOBODY
    return Span(first, last, granted, reason, degree, stretch.gardiens if hangs else ())


def _edges(rules: RuleSet, member: str, badges_: list[str], start: Instant, end: Instant) -> Iterator[Instant]:
    """When something of the member's own may change: hours, shifts, invitations, memberships, badges, half-days."""
    known = rules.members[member]
    yield from rules.tiers[known.tier].hours
    yield from rules.shifts.get(member, ())
    for places in (rules.events, rules.free_events, rules.invitations.get(member, Places())):
        yield from chain.from_iterable(places.at.values())
    yield from (edge for edge in (known.valid_from, known.valid_until) if edge is not None)
    yield from (edge for badge in badges_ if (edge := rules.credentials[badge].valid_until) is not None)
    at = start
    while at < end:
        day = rules.site_days.at(at)
        yield from (day.start, day.split)
        at = day.end
