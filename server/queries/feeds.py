"""Whose is the secret address that a calendar program asks for, and what does it tell?"""

from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session, col, select

from server.models import CalendarFeed, Member
from server.passwords import hash_token


class What(StrEnum):
    MY_SHIFTS = "my_shifts"
    ALL_SHIFTS = "all_shifts"
    """Without names."""
    MY_BOOKINGS = "my_bookings"
    MACHINES = "machines"
    """When each is taken, without names."""
    MACHINE = "machine"
    """When one of them is."""


@dataclass(frozen=True, slots=True)
class Feed:
    """machine: of What.MACHINE."""

    member: str
    what: What
    machine: str = ""


def stored(what: What, machine: str = "") -> str:
    """As the table names what an address tells."""
    return f"{what}:{machine}" if what is What.MACHINE else what.value


def feed(session: Session, token: str) -> Feed | None:
    """None for an address that is none, or not any more, as that of somebody who is no member any more."""
    row = CalendarFeed
    asked = select(row).join(Member, col(Member.id) == row.member)
    asked = asked.where(row.token_hash == hash_token(token), col(row.ended).is_(None), col(Member.ended).is_(None))
    found = session.exec(asked).first()
    if found is None:
        return None
    what, _, machine = found.what.partition(":")
    return Feed(found.member, What(what), machine)


def feeds_of(session: Session, member: str) -> frozenset[str]:
    """Of what the member has an address, as `stored` has it."""
    row = CalendarFeed
    found = session.exec(select(row.what).where(row.member == member, col(row.ended).is_(None)))
    return frozenset(found)
