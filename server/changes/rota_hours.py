"""Who begins an evening later, or ends it earlier? That date's hours are others, and no other date's.

All that goes by a shift goes by its hours as they are then: the door, how sure the evening is, who is late, and what
the bank of hours counts.
"""

from datetime import date

from msgspec.structs import replace
from sqlmodel import Session

from policy.bundle import RotaChange
from policy.terms import MINUTE, Instant
from server.audit import Decided
from server.changes.bundle import put
from server.changes.rota import Ground, Turned, ground
from server.errors import ChangeRefusedError, Refused
from server.queries.rota import Turn, single, turn_of


def start_later(session: Session, decided: Decided, key: str, member: str, to: Instant) -> Turned:
    """Raises ChangeRefusedError for an hour that is past, on another date, or not within the evening."""
    here = ground(session, decided)
    turn, to = here.own(key, member), to - to % MINUTE
    if not max(turn.start, decided.at - MINUTE) < to < turn.end or _date(here, to) != _date(here, turn.start):
        raise ChangeRefusedError(Refused.TURN_HOURS)
    return _moved(here, turn, to, turn.end)


def end_earlier(session: Session, decided: Decided, key: str, member: str, to: Instant) -> Turned:
    """Raises ChangeRefusedError for an hour that is past, or not within the evening."""
    here = ground(session, decided)
    turn, to = here.own(key, member), to - to % MINUTE
    if not max(turn.start, decided.at - MINUTE) < to < turn.end:
        raise ChangeRefusedError(Refused.TURN_HOURS)
    return _moved(here, turn, turn.start, to)


def _moved(here: Ground, turn: Turn, start: Instant, end: Instant) -> Turned:
    set_hours(here, turn, start, end)
    now = turn_of(ground(here.session, here.decided).bundle, turn.key)
    assert now is not None  # noqa: S101 - it has just been stored
    return Turned(turn, now)


def set_hours(here: Ground, turn: Turn, start: Instant, end: Instant) -> None:
    """Where an hour is as before it stays what the pattern says."""
    first, last = here.calendar.local(start), here.calendar.local(end)
    if which := single(turn.key):
        [shift] = [one for one in here.bundle.shifts if one.id == which]
        if start != turn.start:
            shift = replace(shift, start=first.isoformat(timespec="minutes"))
        if end != turn.end:
            shift = replace(shift, end=last.isoformat(timespec="minutes"))
        put(here.session, [shift], here.decided)
        return
    known = next(
        (one for one in here.bundle.rota_changes if (one.rota, one.date) == (turn.pattern, turn.day)),
        RotaChange(turn.pattern, turn.day),
    )
    if start != turn.start:
        known = replace(known, start=f"{first:%H:%M}")
    if end != turn.end:
        known = replace(known, end=f"{last:%H:%M}")
    put(here.session, [known], here.decided)


def _date(here: Ground, at: Instant) -> date:
    return here.calendar.local(at).date()
