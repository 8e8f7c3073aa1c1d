"""When is the place open until the site day ends, and how surely? What changes of it is worth telling.

An evening is the stretches of time that are left of the site day and in which somebody opens, each with its degree;
what passes only because time does is no change.
"""

from collections.abc import Iterable, Sequence

from sqlmodel import Session

from policy.degrees import stretches
from policy.opening import Degree
from policy.terms import Instant
from server.database.types import moment
from server.models import EveningWatch
from server.queries.now import Picture

Evening = tuple[tuple[Instant, Instant, Degree], ...]
"""Start, end and degree of each, none of them NOBODY, in their order."""


def evening(seen: Picture, day_end: Instant) -> Evening:
    """What is left of the site day. A shift whose gardien has closed the place opens nothing more."""
    found: list[tuple[Instant, Instant, Degree]] = []
    for one in stretches(seen.known, seen.at, day_end):
        if one.degree is Degree.NOBODY or one.start >= one.end or (seen.closed is not None and one.start <= seen.at):
            continue
        if found and found[-1][1:] == (one.start, one.degree):
            found[-1] = (found[-1][0], one.end, one.degree)
        else:
            found.append((one.start, one.end, one.degree))
    return tuple(found)


def left(before: Evening, at: Instant) -> Evening:
    """What would be left of it now if nothing had changed."""
    return tuple((max(start, at), end, degree) for start, end, degree in before if end > at)


def stepped_out(before: Evening, now: Evening) -> bool:
    """Whether the gardien who held the place has gone out, or a door is silent, and nothing else is new: as a rule they
    are back in a moment."""
    return (
        bool(before and now)
        and before[0][2] is Degree.SURE
        and now[0][2] is Degree.PROBABLE
        and now[0][0] == before[0][0]
        and now[-1][1] == before[-1][1]
    )


def written(one: Evening) -> list[list[int | str]]:
    """As the database keeps it."""
    return [[start, end, degree.value] for start, end, degree in one]


def read(kept: Sequence[Iterable[int | str]]) -> Evening:
    return tuple((int(start), int(end), Degree(str(degree))) for start, end, degree in kept)


def watches(session: Session, member: str, day_start: Instant) -> bool:
    """Whether the member is to be told of this evening."""
    known = session.get(EveningWatch, member)
    return known is not None and known.day == moment(day_start)
