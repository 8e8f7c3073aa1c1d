"""How sure is it that the place is open then? Four degrees, asked now of an instant that is now or later.

Sure: staff hours, and what a gardien who is inside holds from now on without a gap, while the doors are heard.
Probable: a shift that somebody has taken. Uncertain: one that its gardien offers to others or has given back, and one
that began a quarter of an hour ago, and whose gardien has not been inside. Nobody: everything else, and in a lockdown
whatever else.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from policy.opening import Degree, may_hold, opening
from policy.ruleset import RuleSet
from policy.spans import Spans, covers, pairs, spans
from policy.state import SiteState, is_staffed, on_shift
from policy.terms import DAY, MINUTE, Instant

LATE: Instant = 15 * MINUTE
"""So long after its start a shift is in doubt whose gardien has not been inside."""
ORDER = tuple(Degree)
"""The surest first."""
OFFERS_FROM = 5
"""The form of the rules (policy/ruleset.py, SPEAKS) from which on they know which shifts are offered."""


class By(StrEnum):
    """What opens the place."""

    STAFFED = "staffed"
    GARDIEN = "gardien"
    EVENT = "event"
    """It lets every active member in, whoever is there."""


class Stretch(Struct, frozen=True):
    """The degree from start to end. by: what opens, None for nobody. gardiens: who is there or due, sorted."""

    start: Instant
    end: Instant
    degree: Degree
    by: By | None
    gardiens: tuple[str, ...] = ()


class Answer(Struct, frozen=True):
    """until: the end of what follows without a break in the same degree or a better one; None where that is nobody's.

    ask_again: the first instant at which the answer may be another although nothing happens.
    """

    degree: Degree
    until: Instant | None
    ask_again: Instant


class Known(Struct, frozen=True):
    """What is asked of. shifts: without lead and grace (policy/compile.py, shift_table). at: now.

    heard: whether the doors have been heard lately. offered: of the shifts those that their gardiens offer to others or
    have given back, and that nobody has taken yet.
    """

    rules: RuleSet
    shifts: Mapping[str, Spans]
    state: SiteState
    at: Instant
    heard: bool = True
    offered: Mapping[str, Spans] = {}


def degree(known: Known, at: Instant) -> Answer:
    """How sure it is that the place is open at the instant, now or later."""
    following = stretches(known, at, at + DAY)
    first = following[0]
    until = first.end
    for stretch in following[1:]:
        if stretch.start > until or ORDER.index(stretch.degree) > ORDER.index(first.degree):
            break
        until = stretch.end
    return Answer(first.degree, None if first.degree is Degree.NOBODY else until, _ask_again(known, at))


def stretches(known: Known, start: Instant, end: Instant) -> list[Stretch]:
    """The time from start, now or later, to end: no gap, and each stretch is another than the one before it.

    Now itself is one, of no length, where the place is held for what is left of a grace.
    """
    now = opening(known.rules, known.shifts, known.state, known.at)
    held = 0 if not now.open else end if now.endless else now.until or 0
    planned = {who: spans(times) for who, times in _planned(known) if may_hold(known.rules, who)}
    edges = {
        at
        for times in (known.rules.staffed, *_events(known.rules), *planned.values(), *known.offered.values())
        for at in times
    }
    cuts = sorted({start, end, *(at for at in (*edges, held) if start < at < end)})
    found: list[Stretch] = []
    if now.open and held <= known.at == start:
        found.append(Stretch(start, start, *_judged(known, planned, start, held=True)))
    for first, last in pairwise(cuts):
        stretch = Stretch(first, last, *_judged(known, planned, first, held=first < held))
        if found and found[-1] == replace(stretch, start=found[-1].start, end=first):
            stretch = replace(stretch, start=found.pop().start)
        found.append(stretch)
    return found


def _planned(known: Known) -> Iterator[tuple[str, list[tuple[Instant, Instant]]]]:
    for who in sorted({*known.shifts, *known.state.adhoc}):
        yield who, [*pairs(known.shifts.get(who, ())), *known.state.adhoc.get(who, ())]


def _events(rules: RuleSet) -> list[Spans]:
    return list(rules.events.at.values())


def _judged(
    known: Known, planned: Mapping[str, Spans], at: Instant, *, held: bool
) -> tuple[Degree, By | None, tuple[str, ...]]:
    """held: whether somebody who is inside holds the place from now until then, or the team is there."""
    if known.state.lockdown:
        return Degree.NOBODY, None, ()
    best = Degree.SURE if known.heard else Degree.PROBABLE
    due = [who for who, times in planned.items() if covers(times, at)]
    trusted = [who for who in due if not _in_doubt(known, planned[who], who, at)]
    here = [who for who in _inside(known) if on_shift(known.rules, known.state, who, at)] if held else []
    gardiens = tuple(sorted({*here, *trusted}))
    if is_staffed(known.rules, at):
        return best, By.STAFFED, gardiens
    if gardiens:
        return best if held else Degree.PROBABLE, By.GARDIEN, gardiens
    if any(covers(times, at) for times in _events(known.rules)):
        return best, By.EVENT, ()
    return (Degree.UNCERTAIN, By.GARDIEN, tuple(due)) if due else (Degree.NOBODY, None, ())


def _inside(known: Known) -> list[str]:
    """The gardiens who are inside now."""
    here = known.state.presence.inside(known.rules.day_start(known.at))
    return [who for who in here if may_hold(known.rules, who)]


def _in_doubt(known: Known, times: Spans, who: str, at: Instant) -> bool:
    """Whether the shift that holds the instant is offered, or should have its gardien inside by now and has not."""
    if covers(known.offered.get(who, ()), at):
        return True
    start = max(first for first in times[::2] if first <= at)
    return known.at >= start + LATE and not seen_since(known, who, start - known.rules.shift_lead)


def seen_since(known: Known, who: str, since: Instant) -> bool:
    """Whether somebody has been inside since: they are, or moved later."""
    move, presence = known.state.presence.moves.get(who), known.state.presence
    return presence.holds(who, known.rules.day_start(known.at)) or (move is not None and move.at >= since)


def _ask_again(known: Known, at: Instant) -> Instant:
    """The next edge of hours, shifts, leads, graces and doubts, or the end of the site day, when all are checked out;
    a day at most; of a later instant that one at last."""
    rules = known.rules
    edges = {edge for times in (rules.staffed, *_events(rules), *known.offered.values()) for edge in times}
    edges.add(rules.day_end(known.at))
    for _, times in _planned(known):
        for start, end in times:
            edges |= {start - rules.shift_lead, start, start + LATE, end, end + rules.shift_grace}
    last = at if at > known.at else known.at + DAY
    return min({last, *(edge for edge in edges if edge > known.at)})
