"""What do the invented gardiens and those who count on them mean to do after the team has gone?

On a Tuesday everything happens: the gardien is late and somebody came in vain, another takes over, the last one closes
while somebody still packs up, and a third opens without a shift, by two taps.
"""

from dataclasses import replace
from datetime import date, datetime

from policy.bundle import Bundle, Member, Role, Shift
from simulator.demo.cast import IN, OUT, Cast

EVENTFUL = 1
"""The weekday of the demo's first evening, a Tuesday."""


def shifts(bundle: Bundle, on: date) -> list[Shift]:
    """The shifts that start on the date, in order: single ones, and evenings of the rota that somebody has taken."""
    patterns = {pattern.id: pattern for pattern in bundle.rota}
    taken = [
        Shift(f"{one.rota}/{on}", one.gardien, f"{on}T{patterns[one.rota].start}", f"{on}T{patterns[one.rota].end}")
        for one in bundle.rota_changes
        if one.date == on and isinstance(one.gardien, str)
    ]
    return sorted((*taken, *(s for s in bundle.shifts if s.start.startswith(on.isoformat()))), key=lambda s: s.start)


def _minutes(shift: Shift) -> tuple[float, float]:
    """Start and end in minutes of the day; a demo shift ends on the day on which it starts."""
    first, last = (datetime.fromisoformat(moment) for moment in (shift.start, shift.end))
    return first.hour * 60 + first.minute, last.hour * 60 + last.minute


def hold(cast: Cast) -> None:
    """The gardiens of the day come just before their shift (or just after its start) and go at its end.

    On an eventful evening the first is late, and the last one's leaving is told by `close`.
    """
    told = shifts(cast.bundle, cast.day)
    for shift in told:
        member = _member(cast, shift.gardien)
        start, end = _minutes(shift)
        early = -10.0 if start > 18 * 60 else cast.chance.choice((-20, 3))
        if _eventful(cast) and shift is told[0]:
            early = 17.0
        cast.comes(member, (start + early, start + early + 6), "own_shift")
        if not (_eventful(cast) and shift is told[-1]):
            cast.leaves(member, (end + 2, end + 8))


def evening(cast: Cast) -> None:
    """Members come while the place is held, and go before the gardien does."""
    held = [_minutes(shift) for shift in shifts(cast.bundle, cast.day)]
    if not held:
        return
    start, end = held[0][0], held[-1][1]
    if _eventful(cast):
        start += 12
    for member in cast.call("nomade", cast.chance.randint(3, 6)):
        came = cast.comes(member, (start + 12, end - 30), "gardien_present")
        cast.leaves(member, (came + 12, end - 2))


def eventful(cast: Cast) -> None:
    """Somebody stands before a locked door; the last gardien closes; a third opens the place for friends."""
    told = shifts(cast.bundle, cast.day)
    if not (told and _eventful(cast)):
        return
    start, end = _minutes(told[0])[0], _minutes(told[-1])[1]
    for member in cast.call("nomade", 1):
        cast.taps(member, IN, (start + 4, start + 12), "outside_hours", pushes=False)
        came = cast.comes(member, (start + 26, start + 40), "gardien_present")
        cast.leaves(member, (came + 12, end - 2))
    for member in cast.call("nomade", 1):
        cast.comes(member, (end - 70, end - 40), "gardien_present")
        cast.leaves(member, (end + 12, end + 18))
    _closes(cast, _member(cast, told[-1].gardien), end)
    _opens(cast, {shift.gardien for shift in told}, end)


def _closes(cast: Cast, gardien: Member, end: float) -> None:
    """Sees on the lamp that somebody is left, calls that the place closes, and badges again."""
    cast.taps(gardien, OUT, (end + 2, end + 8), "egress", busy=40, pushes=False)
    cast.again("egress", after=10)


def _opens(cast: Cast, busy: set[str], end: float) -> None:
    """A gardien without a shift today holds the place for an hour, for two others."""
    free = [one for one in cast.bundle.members if Role.GARDIEN in one.roles and one.tier == "nomade"]
    gardien = next(one for one in free if one.id not in busy)
    cast.taps(gardien, IN, (end + 32, end + 38), "outside_hours", busy=30, pushes=False)
    cast.again("own_shift", after=3)
    for member in cast.call("nomade", 2):
        came = cast.comes(member, (end + 42, end + 65), "gardien_present")
        cast.leaves(member, (came + 5, end + 85))
    cast.leaves(gardien, (end + 90, end + 100))


def too_late(cast: Cast) -> None:
    """Somebody comes after the gardien left."""
    end = max((_minutes(shift)[1] for shift in shifts(cast.bundle, cast.day)), default=11 * 60)
    for member in cast.call("nomade", 2):
        cast.taps(member, IN, (end + 20, end + (28 if _eventful(cast) else 75)), "outside_hours", pushes=False)


def closed_out(cast: Cast) -> None:
    """Whom a closing takes off the list: all who are on it and may be there with a gardien only."""
    tiers = {member.id: member.tier for member in cast.bundle.members}
    told = sorted(cast.intents, key=lambda intent: intent.at)
    for closing in [intent for intent in told if intent.second and not intent.inward]:
        inside: dict[str, bool] = {}
        for intent in told:
            if intent.at < closing.at and intent.passes and intent.reader is not None and intent.who is not None:
                inside[intent.who] = intent.inward
        left = tuple(sorted(w for w, there in inside.items() if there and tiers[w] not in ("equipe", "resident")))
        left = tuple(who for who in left if who != closing.who)
        cast.intents[cast.intents.index(closing)] = replace(closing, closes=left)


def _eventful(cast: Cast) -> bool:
    return cast.day.weekday() == EVENTFUL


def _member(cast: Cast, who: str) -> Member:
    return next(member for member in cast.bundle.members if member.id == who)
