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


@dataclass(frozen=True, slots=True)
class Feed:
    member: str
    what: What


def feed(session: Session, token: str) -> Feed | None:
    """None for an address that is none, or not any more, as that of somebody who is no member any more."""
    row = CalendarFeed
    asked = select(row).join(Member, col(Member.id) == row.member)
    asked = asked.where(row.token_hash == hash_token(token), col(row.ended).is_(None), col(Member.ended).is_(None))
    found = session.exec(asked).first()
    return None if found is None else Feed(found.member, What(found.what))


def feeds_of(session: Session, member: str) -> frozenset[What]:
    """Of what the member has an address."""
    row = CalendarFeed
    found = session.exec(select(row.what).where(row.member == member, col(row.ended).is_(None)))
    return frozenset(What(one) for one in found)
