"""When do events and invitations run, and where?"""

from collections.abc import Callable, Iterable
from datetime import tzinfo
from typing import NamedTuple, TypeAlias

from msgspec import UNSET

from policy.bundle import Bundle, Event, Invitation
from policy.calendar import resolve
from policy.ruleset import Places
from policy.spans import before, spans
from policy.terms import Instant

Window: TypeAlias = tuple[Instant, Instant, tuple[str, ...]]


class Reach(NamedTuple):
    """From when to when the rules know the calendar, [since, until)."""

    since: Instant
    until: Instant


def of_events(bundle: Bundle, zone: tzinfo, reach: Reach, only: Callable[[Event], bool] = lambda _: True) -> Places:
    """When an event runs."""
    windows = (_window(event, bundle, zone) for event in bundle.events if only(event))
    return _places((window for window in windows if window[1] > reach.since), reach)


def of_invitations(bundle: Bundle, zone: tzinfo, reach: Reach) -> dict[str, Places]:
    """When each member is invited."""
    windows: dict[str, list[Window]] = {}
    for invitation in bundle.invitations:
        window = _window(invitation, bundle, zone)
        if window[1] > reach.since:
            windows.setdefault(invitation.member, []).append(window)
    return {member: _places(found, reach) for member, found in windows.items()}


def _window(thing: Event | Invitation, bundle: Bundle, zone: tzinfo) -> Window:
    everywhere = tuple(point.id for point in bundle.access_points)
    where = everywhere if thing.access_points is UNSET else thing.access_points
    return resolve(thing.start, zone), resolve(thing.end, zone, last=True), where


def _places(windows: Iterable[Window], reach: Reach) -> Places:
    found = list(windows)
    at: dict[str, list[tuple[Instant, Instant]]] = {}
    for start, end, where in found:
        for place in where:
            at.setdefault(place, []).append((start, end))
    return Places(
        anywhere=before(spans((start, end) for start, end, _ in found), reach.until),
        at={place: before(spans(times), reach.until) for place, times in sorted(at.items())},
    )
