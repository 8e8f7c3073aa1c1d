"""Who holds the place and has nobody to follow stays an hour longer: that date ends later, and no other one."""

from dataclasses import replace as replace_turn

from sqlmodel import Session

from policy.terms import DAY, HOUR
from server.audit import Decided
from server.changes.rota import Busy, Turned, ground
from server.changes.rota_hours import set_hours
from server.errors import ChangeRefusedError, Refused
from server.queries.current import Current
from server.queries.now import picture
from server.queries.rota import near, overlapping
from server.queries.rota_ending import ending


def prolong(session: Session, decided: Decided, current: Current, key: str, member: str) -> Turned | Busy:
    """One hour more of the turn that the member holds the place by. Raises ChangeRefusedError where somebody follows,
    it does not end soon, they do not hold the place, or in a lockdown."""
    here = ground(session, decided)
    turn = here.own(key, member)
    if ending(picture(session, current, decided.at), current, here.bundle, member) != turn:
        raise ChangeRefusedError(Refused.TURN_NOT_ENDING)
    longer = replace_turn(turn, end=turn.end + HOUR)
    if longer.end - longer.start >= DAY:
        raise ChangeRefusedError(Refused.TURN_NOT_ENDING)
    if (other := overlapping(near(here.bundle, longer), longer, member)) is not None:
        return Busy(other)
    set_hours(here, turn, turn.start, longer.end)
    return Turned(turn, longer)
