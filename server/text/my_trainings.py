"""What does a member read about their trainings, and what can they do? Each with the next session that helps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from policy.bundle import Kind
from server.queries.names import Called
from server.queries.training import Trained
from server.queries.training_sessions import Planned, next_of
from server.text.training import line
from server.text.training_sessions import Offer, offer
from server.text.translate import gettext


@dataclass(frozen=True, slots=True)
class Mine:
    """One training, held or not. mark, colour: how it stands. lines: what else there is to say. offers: the sessions
    that the member is down for or waits for, else the next one that helps."""

    name: str
    mark: str
    colour: str
    lines: tuple[str, ...]
    offers: tuple[Offer, ...]


def mine(
    held: Sequence[Trained],
    kinds: Mapping[str, Kind],
    sessions: Sequence[Planned],
    called: Called,
    member: str,
    today: date,
) -> list[Mine]:
    """Those that are held, then those for which there is a session to come."""
    lines = [line(one, called.kind(one.held.kind), kinds.get(one.held.kind), today) for one in held]
    found = []
    for one in lines:
        said = tuple(filter(None, (one.evidence, one.advice)))
        found.append(Mine(one.name, one.mark, one.colour, said, _offers(sessions, one.kind, called, member, one.wants)))
    others = [kind for kind in kinds if kind not in {one.kind for one in lines}]
    ahead = [offers for kind in others if (offers := _offers(sessions, kind, called, member, wants=True))]
    return found + [Mine(offers[0].kind, gettext("pas encore"), "", (), offers) for offers in ahead]


def _offers(sessions: Sequence[Planned], kind: str, called: Called, member: str, wants: bool) -> tuple[Offer, ...]:
    """See Mine.offers. wants: whether a session would help."""
    down = tuple(offer(one, called, member) for one in sessions if one.kind == kind and one.rank(member) is not None)
    next_one = offered(sessions, kind, called, member) if wants and not down else None
    return (next_one,) if next_one is not None else down


def offered(sessions: Sequence[Planned], kind: str, called: Called, member: str) -> Offer | None:
    """The session of a kind that helps this member most; None while none is planned."""
    found = next_of(sessions, kind, member)
    return None if found is None else offer(found, called, member)
