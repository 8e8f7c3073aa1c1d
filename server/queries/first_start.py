"""What does a new site still lack, and which doors and machines do its edges tell of?"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session, col, select

from policy.bundle import Bundle
from server.models import Edge


class Step(StrEnum):
    """In the order in which they are best taken."""

    FACTS = "facts"
    HOURS = "hours"
    PLACES = "places"
    TIERS = "tiers"
    PEOPLE = "people"


NEEDED = (Step.FACTS, Step.PLACES, Step.TIERS)
"""Without these nobody is ever let in; hours and people may come later."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A door or machine that an edge looks after and the site has not. reader, out: those that it tells of, or would
    have. machine: whether it looks like one."""

    id: str
    reader: str
    out: str
    machine: bool


def taken(bundle: Bundle) -> frozenset[Step]:
    """The steps that are behind."""
    site = bundle.site
    done = {
        Step.FACTS: site.name != site.id,
        Step.HOURS: bool(site.staff_hours),
        Step.PLACES: bool(bundle.access_points or bundle.machines),
        Step.TIERS: bool(bundle.tiers),
        Step.PEOPLE: bool(bundle.members),
    }
    return frozenset(step for step, is_done in done.items() if is_done)


def unfinished(bundle: Bundle) -> bool:
    """Whether something is lacking without which nobody is let in."""
    return not taken(bundle).issuperset(NEEDED)


def offered(session: Session, bundle: Bundle) -> Iterator[Offered]:
    """By edge, as server.toml lists its places."""
    known = {door.id for door in bundle.access_points} | {machine.id for machine in bundle.machines}
    for edge in session.exec(select(Edge).order_by(col(Edge.id))):
        for place in edge.access_points:
            if place not in known:
                yield _offered(place, list(edge.readers))


def _offered(place: str, told: list[str]) -> Offered:
    """`loquet edge init` calls readers by their door; one that calls them otherwise tells of them itself."""
    own = [reader for reader in told if reader == place or reader.startswith(f"{place}-")] or told
    outside = next((reader for reader in own if not reader.endswith("-out")), f"{place}-in")
    inside = next((reader for reader in own if reader.endswith("-out")), "" if own else f"{place}-out")
    return Offered(place, outside, inside, place in own)
