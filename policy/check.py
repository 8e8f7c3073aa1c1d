"""Does a bundle hold together? Keys, references, readers, ends after starts, bookings that do not overlap.

The rota and kinds: policy/check_rota.py.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from datetime import UTC, date, tzinfo
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from msgspec import UNSET

from policy import check_rota
from policy.bundle import Bundle
from policy.calendar import moment, resolve
from policy.errors import Problem, shown
from policy.forms import TIMED
from policy.letters import looks_like, odd

REFERENCES = (
    ("members", "tier", "tiers"),
    ("credentials", "member", "members"),
    ("passes", "member", "members"),
    ("shifts", "gardien", "members"),
    ("invitations", "member", "members"),
    ("certifications", "member", "members"),
    ("bookings", "machine", "machines"),
    ("bookings", "member", "members"),
    ("rota", "gardien", "members"),
    ("rota_changes", "rota", "rota"),
    ("rota_changes", "gardien", "members"),
    ("credits", "member", "members"),
)
"""(collection, key, the collection whose id it names)."""

PLAIN = len("2026-11-24T18:00")

KEYS: dict[str, Callable[[Any], Any]] = {
    "access_points": lambda part: part.id,
    "tiers": lambda part: part.id,
    "members": lambda part: part.id,
    "credentials": lambda part: part.uid.lower(),
    "passes": lambda part: part.id,
    "shifts": lambda part: part.id,
    "events": lambda part: part.id,
    "invitations": lambda part: part.id,
    "machines": lambda part: part.id,
    "certifications": lambda part: (part.member, part.kind),
    "quotas": lambda part: part.kind,
    "bookings": lambda part: part.id,
    "kinds": lambda part: part.id,
    "rota": lambda part: part.id,
    "rota_changes": lambda part: (part.rota, part.date),
    "credits": lambda part: part.id,
}
"""What an object is known by in its collection."""


def contradictions(
    bundle: Bundle, zone: tzinfo | None = None, unsure: Collection[str] = frozenset()
) -> Iterator[Problem]:
    """Every thing that is wrong between two places. What is badly written by itself (policy/forms.py) is passed over.

    zone: without it a local time is not compared with one that has an offset. unsure: collections that may hold more
    ids than they show.
    """
    yield from _duplicates(bundle)
    yield from _dangling(bundle, unsure)
    yield from _readers_used_twice(bundle)
    yield from _names_of_two_things(bundle)
    yield from _no_way_out(bundle)
    yield from _too_much_used(bundle)
    yield from _ends_before_starts(bundle, zone)
    yield from _overlapping_bookings(bundle, zone)
    yield from check_rota.contradictions(bundle)


def _name(part: Any) -> str:
    """What people call the object by."""
    return str(next(getattr(part, key) for key in ("id", "uid", "kind", "rota") if hasattr(part, key)))


def _duplicates(bundle: Bundle) -> Iterator[Problem]:
    for collection, key_of in KEYS.items():
        first: dict[Any, int] = {}
        for index, part in enumerate(getattr(bundle, collection)):
            before = first.setdefault(key_of(part), index)
            if before != index:
                why = f"{collection}[{before}] is the same one already: keep one of them"
                yield Problem(f"{collection}[{index}]", _name(part), why)
    opened: dict[date, int] = {}
    for index, opening in enumerate(bundle.site.openings):
        before = opened.setdefault(opening.date, index)
        if before != index:
            why = f"site.openings[{before}] is of that date already: put all its hours into one"
            yield Problem(f"site.openings[{index}].date", opening.date, why)


def _dangling(bundle: Bundle, unsure: Collection[str]) -> Iterator[Problem]:
    """Each name that nothing has, at the first place that gives it."""
    known = {target: [part.id for part in getattr(bundle, target)] for *_, target in REFERENCES}
    known["access_points"] = [point.id for point in bundle.access_points]
    missing: dict[tuple[str, str], list[tuple[str, str]]] = {}
    ids = {target: set(names) for target, names in known.items()}
    for spot, named, target, of in _named(bundle):
        if named not in ids[target] and target not in unsure:
            missing.setdefault((target, named), []).append((spot, of))
    for (target, named), places in missing.items():
        spot, of = places[0]
        more = f"; it is named {len(places) - 1} times more, last in {places[-1][0]}" if len(places) > 1 else ""
        why = f"nothing in {target} has this id{_near(named, target, known[target])}: correct it here or add it there"
        yield Problem(spot, named, why + more, of)


def _named(bundle: Bundle) -> Iterator[tuple[str, str, str, str]]:
    """(key, the id that is named there, the collection that should have it, of)."""
    for collection, key, target in REFERENCES:
        for index, part in enumerate(getattr(bundle, collection)):
            if isinstance(named := getattr(part, key), str):
                yield f"{collection}[{index}].{key}", named, target, _name(part)
    for collection in ("tiers", "events", "invitations"):
        for index, part in enumerate(getattr(bundle, collection)):
            for number, named in enumerate(part.access_points or ()):
                yield f"{collection}[{index}].access_points[{number}]", named, "access_points", part.id


def _near(named: str, target: str, known: list[str]) -> str:
    """The id that was meant, as far as that can be told."""
    for index, other in enumerate(known):
        if looks_like(other) == looks_like(named):
            strange = odd(other)
            return f", {target}[{index}].id looks like it" + (f" but {strange}" if strange else f": {shown(other)}")
    close = get_close_matches(named, known, n=1, cutoff=0.7)
    return f" ({shown(close[0])}?)" if close else ""


def _readers(bundle: Bundle) -> Iterator[tuple[str, str, str]]:
    """(key, reader, of) for each place that names a reader."""
    for index, point in enumerate(bundle.access_points):
        yield f"access_points[{index}].readers.in", point.readers.in_, point.id
        if point.readers.out is not None:
            yield f"access_points[{index}].readers.out", point.readers.out, point.id
    for index, machine in enumerate(bundle.machines):
        yield f"machines[{index}].reader", machine.reader, machine.id


def _readers_used_twice(bundle: Bundle) -> Iterator[Problem]:
    used: dict[str, str] = {}
    for key, reader, of in _readers(bundle):
        before = used.setdefault(reader, key)
        if before != key:
            yield Problem(key, reader, f"{before} is this reader already: each reader hangs in one place", of)


def _names_of_two_things(bundle: Bundle) -> Iterator[Problem]:
    points = {point.id for point in bundle.access_points}
    for index, machine in enumerate(bundle.machines):
        if machine.id in points:
            yield Problem(
                f"machines[{index}].id", machine.id, "an access point has this id already: rename one of them"
            )


def _no_way_out(bundle: Bundle) -> Iterator[Problem]:
    if bundle.site.anti_passback != "hard":
        return
    for index, point in enumerate(bundle.access_points):
        if point.readers.out is None:
            why = "with anti_passback hard each access point needs a reader out: add one, or make anti_passback soft"
            yield Problem(f"access_points[{index}].readers.out", UNSET, why, point.id)


def _too_much_used(bundle: Bundle) -> Iterator[Problem]:
    for index, held in enumerate(bundle.passes):
        if len(held.used) > held.total:
            why = f"{len(held.used)} are paid, and total is {held.total}: correct total, or remove what it did not pay"
            yield Problem(f"passes[{index}].used", held.used, why, held.id)


def _ends_before_starts(bundle: Bundle, zone: tzinfo | None) -> Iterator[Problem]:
    for collection in TIMED:
        for index, part in enumerate(getattr(bundle, collection)):
            if _is_early(part.start, part.end, zone):
                why = f"is not after its start, {part.start}: an end must be"
                yield Problem(f"{collection}[{index}].end", part.end, why, part.id)


def _is_early(start: str, end: str, zone: tzinfo | None) -> bool:
    with suppress(ValueError):  # one of them is no time
        return _ends_too_early(start, end, zone)
    return False


def _ends_too_early(start: str, end: str, zone: tzinfo | None) -> bool:
    """By the clock on the wall and, in the hour that it shows twice, by the instant: an end means the second."""
    if len(start) == len(end) == PLAIN and start < end:  # both local and to the minute, as most are: they sort as text
        return False
    first, last = moment(start), moment(end)
    if (first.tzinfo is None) == (last.tzinfo is None) and first < last:
        return False
    if zone is not None:
        return resolve(end, zone, last=True) <= resolve(start, zone)
    return (first.tzinfo is None) == (last.tzinfo is None)


def _apart(end: str, start: str) -> str:
    """What parts two bookings. Of an hour that comes twice an end is the second, a start the first."""
    before, after = moment(end), moment(start)
    if before.tzinfo is None and after.tzinfo is None and before <= after:
        return "that hour comes twice; write both with their offset, as 2026-10-25T02:30+02:00 for its first time"
    return "move one of them"


def _overlapping_bookings(bundle: Bundle, zone: tzinfo | None) -> Iterator[Problem]:
    booked = []
    for index, booking in enumerate(bundle.bookings):
        with suppress(ValueError):  # one of them is no time
            local = [moment(written).tzinfo is None for written in (booking.start, booking.end)]
            if zone or local[0] == local[1]:
                start, end = resolve(booking.start, zone or UTC), resolve(booking.end, zone or UTC, last=True)
                booked.append((booking.machine, zone is None and local[0], start, end, index))
    for before, after in pairwise(sorted(booked)):
        if before[:2] == after[:2] and after[2] < before[3]:
            one, other = bundle.bookings[before[4]], bundle.bookings[after[4]]
            why = (
                f"is before the end, {one.end}, of booking {one.id} of the same machine: {_apart(one.end, other.start)}"
            )
            yield Problem(f"bookings[{after[4]}].start", other.start, why, other.id)
