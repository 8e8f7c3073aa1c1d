"""Do rota, kinds and the site's terms of booking hold together?"""

from collections.abc import Iterator

from policy.bundle import BookingTerms, Bundle, Kind
from policy.errors import Problem


def contradictions(bundle: Bundle) -> Iterator[Problem]:
    """Every thing that is wrong between two places."""
    yield from _terms(bundle)
    yield from _circles({kind.id: (index, kind) for index, kind in enumerate(bundle.kinds)})
    for index, pattern in enumerate(bundle.rota):
        if pattern.every > 1 and pattern.since is None:
            why = "with it the first week must be known: give since, a date in that week"
            yield Problem(f"rota[{index}].every", pattern.every, why, pattern.id)
        if pattern.since and pattern.until and pattern.until < pattern.since:
            yield Problem(f"rota[{index}].until", pattern.until, f"is before its since, {pattern.since}", pattern.id)
    yield from _empty_slots(bundle)


def _terms(bundle: Bundle) -> Iterator[Problem]:
    said: list[tuple[str, BookingTerms | None, str | None]] = [("site", bundle.site.booking, None)]
    said += [(f"machines[{index}]", one.booking, one.id) for index, one in enumerate(bundle.machines)]
    for place, terms, of in said:
        if terms is None:
            continue
        if terms.shortest > terms.longest:
            why = f"is more than longest, {terms.longest}: correct one"
            yield Problem(f"{place}.booking.shortest", terms.shortest, why, of)
        if terms.longest < terms.step:
            why = f"is less than step, {terms.step}, and nothing could be booked: correct one"
            yield Problem(f"{place}.booking.longest", terms.longest, why, of)


def _empty_slots(bundle: Bundle) -> Iterator[Problem]:
    """A change that leaves a slot whose start is its end: of a pattern this means a day and a night."""
    patterns = {pattern.id: pattern for pattern in bundle.rota}
    for index, change in enumerate(bundle.rota_changes):
        pattern = patterns.get(change.rota)
        if change.start is None and change.end is None:
            continue
        start = change.start or (pattern.start if pattern else None)
        end = change.end or (pattern.end if pattern else None)
        if start == end:
            key, given = ("end", change.end) if change.end is not None else ("start", change.start)
            why = "the slot's start and end are one: correct one of them, or write cancelled"
            yield Problem(f"rota_changes[{index}].{key}", given, why, f"{change.rota}/{change.date}")


def _circles(kinds: dict[str, tuple[int, Kind]]) -> Iterator[Problem]:
    """Each circle of requirements once, at the first of its kinds."""
    done: set[str] = set()
    for start in kinds:
        if circle := _circle(kinds, start, done):
            index, kind = kinds[circle[0]]
            way = " -> ".join((*circle, circle[0]))
            why = f"goes round in a circle, {way}, in which nobody can be certified first: leave one out"
            yield Problem(f"kinds[{index}].requires", kind.requires, why, kind.id)


def _circle(kinds: dict[str, tuple[int, Kind]], start: str, done: set[str]) -> list[str]:
    """A circle that is reached from the start through kinds that are not done; what was looked at is done."""
    way: list[str] = []
    left = [iter((start,))]
    while left:
        name = next(left[-1], None)
        if name is None:
            left.pop()
            if way:
                done.add(way.pop())
        elif name in way:
            circle = way[way.index(name) :]
            done.update(way)
            return circle
        elif name in kinds and name not in done:
            way.append(name)
            left.append(iter(kinds[name][1].requires))
    return []
