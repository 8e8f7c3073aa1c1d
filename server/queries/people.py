"""Who are the members, and whom must somebody look after? From what is in force, and what was paid by carnets."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import func
from sqlalchemy.sql.functions import aggregate_strings
from sqlmodel import Session, col, select

from policy.bundle import Bundle, Credential, Member
from policy.bundle import Pass as Carnet
from policy.passes import Low, is_valid, low_of, rests, unit_now
from policy.ruleset import Unit
from policy.state import SiteState
from policy.terms import Instant
from policy.units import DATE, name_at
from server.models import Edge, PaidUnit, Pass
from server.queries.names import alphabetical

if TYPE_CHECKING:
    from server.queries.current import Current

SOON = timedelta(days=7)
"""How long before its last day a membership is one to look after."""
LOW = 1
"""Units left on a carnet that is nearly used up."""
LATE = timedelta(days=3)
"""Days paid that are told later than that are seen in the list on the next day, and on the member's page at once."""
BADGE_END = 4
"""Digits of a badge by which people know it."""
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "’": "'"})
_NOT_HEX = str.maketrans("", "", " :-.·…")


class Worry(StrEnum):
    """What about a member wants somebody. The first ones keep them out."""

    SUSPENDED = "suspended"
    NOT_BEGUN = "not_begun"
    OVER = "over"
    NO_BADGE = "no_badge"
    BADGE_BLOCKED = "badge_blocked"
    NO_CARNET = "no_carnet"
    CARNET_USED_UP = "carnet_used_up"
    OVER_SOON = "over_soon"
    CARNET_ENDS = "carnet_ends"
    CARNET_LOW = "carnet_low"
    TWO_BADGES = "two_badges"


KEEPS_OUT = frozenset(list(Worry)[: list(Worry).index(Worry.OVER_SOON)])


@dataclass(frozen=True, slots=True)
class Concern:
    """day: first, last, or of the last unit paid. number: of badges. status: of the badge that is blocked."""

    what: Worry
    day: date | None = None
    number: int = 0
    status: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """Units left on the carnets that are valid, of how many, until which last day; last: the newest unit paid.

    low: what of it runs out soon, and is followed by no other carnet.
    """

    units: int
    total: int
    until: date | None
    last: str | None
    low: Low


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """read: the name, as it is searched and sorted."""

    member: Member
    read: str
    badges: tuple[Credential, ...]
    carnets: tuple[Carnet, ...]


@dataclass(frozen=True, slots=True)
class Watch:
    """Of each member who has one what is left on their carnet, and of whom somebody must look after why.

    first, rest: those of them, and all others, A to Z.
    """

    carnets: Mapping[str, Left]
    concerns: Mapping[str, tuple[Concern, ...]]
    first: Sequence[Person]
    rest: Sequence[Person]


FEW = 1000
"""Members whose days paid are asked for by their ids; of more, those of everybody with a carnet."""


class Directory:
    """All members of a bundle, A to Z."""

    def __init__(self, bundle: Bundle) -> None:
        badges: dict[str, list[Credential]] = {}
        carnets: dict[str, list[Carnet]] = {}
        for badge in bundle.credentials:
            badges.setdefault(badge.member, []).append(badge)
        for carnet in bundle.passes:
            carnets.setdefault(carnet.member, []).append(carnet)
        people = [
            Person(one, folded(one.name), tuple(badges.get(one.id, ())), tuple(carnets.get(one.id, ())))
            for one in bundle.members
        ]
        self.people = {one.member.id: one for one in sorted(people, key=lambda one: (one.read, one.member.id))}
        self._read = [(one.read, one) for one in self.people.values()]
        self._ends: dict[str, list[tuple[str, Person]]] = {}
        for one in self.people.values():
            for uid in (badge.uid.upper() for badge in one.badges):
                self._ends.setdefault(uid[-BADGE_END:], []).append((uid, one))
        self.tiers = Counter(one.tier for one in bundle.members)
        self.roles = Counter(str(role) for one in bundle.members for role in one.roles)
        self._watched: tuple[object, Watch] | None = None

    def find(self, asked: str) -> list[Person]:
        """Those whose name has each of the words in it, A to Z, then those who have a badge that ends so."""
        found = self._read
        for word in folded(asked).split():
            found = [(read, one) for read, one in found if word in read]
        named = [one for _, one in found]
        end = asked.translate(_NOT_HEX).upper()
        holders = [one for uid, one in self._ends.get(end[-BADGE_END:], ()) if uid.endswith(end)]
        return named + [one for one in dict.fromkeys(holders) if one not in named]

    def watch(self, session: Session, current: "Current", at: Instant) -> Watch:
        """Whom somebody must look after; reckoned anew when a carnet paid, and on each day."""
        today = day_of(current, at)
        since = (today - LATE).isoformat()
        paid = session.exec(select(func.count()).select_from(PaidUnit).where(col(PaidUnit.unit) >= since)).one()
        if self._watched is None or self._watched[0] != (today, paid):
            left = carnets(session, current, self.people.values(), at)
            told = {who: concerns(one, left.get(who), today) for who, one in self.people.items()}
            first = [one for who, one in self.people.items() if told[who]]
            rest = [one for who, one in self.people.items() if not told[who]]
            self._watched = (today, paid), Watch(left, {who: why for who, why in told.items() if why}, first, rest)
        return self._watched[1]


def folded(name: str) -> str:
    """As people type it who look for somebody: without accents and case."""
    return alphabetical(name).translate(_LIGATURES)


def day_of(current: "Current", at: Instant) -> date:
    """The date of the site day."""
    return date.fromisoformat(name_at(current.rules, Unit.DAY, at))


def carnets(session: Session, current: "Current", people: Iterable[Person], at: Instant) -> dict[str, Left]:
    """Of each of them whose tier needs a carnet what is left, as the door reckons it."""
    today, paid = day_of(current, at), dict[str, str]()
    wanted = {
        one.member.id: (one, unit) for one in people if (unit := unit_now(current.rules, one.member.id, at)) is not None
    }
    asked = select(PaidUnit.member, aggregate_strings(col(PaidUnit.unit), " ")).group_by(col(PaidUnit.member))
    if len(wanted) <= FEW:
        asked = asked.where(col(PaidUnit.member).in_(wanted))
    else:
        asked = asked.where(col(PaidUnit.member).in_(select(Pass.member).where(col(Pass.ended).is_(None))))
    if wanted:
        paid = {row[0]: row[1] for row in session.connection().execute(asked)}
    known, found = current.memory.setdefault("left", {}), dict[str, Left]()
    for member, (one, unit) in wanted.items():
        ground = (one.carnets, paid.get(member, ""), today, unit, current.rules.speaks)
        held = known.get(member)
        if held is None or held[0] != ground:
            state = SiteState()
            state.units[member].update(ground[1].split())
            held = known[member] = ground, _left(current, state, one, today)
        found[member] = held[1]
    return found


def _left(current: "Current", state: SiteState, one: Person, today: date) -> Left:
    valid = [held for held in one.carnets if _valid(held.valid_from, held.valid_until, today)]
    ends = [held.valid_until for held in valid]
    until = max((end for end in ends if end), default=None) if all(ends) else None
    told = [*state.units.get(one.member.id, ()), *(unit for held in one.carnets for unit in held.used)]
    last = max((unit for unit in told if unit[:DATE] <= today.isoformat()), default=None)
    passes = list(rests(current.rules, state, one.member.id))
    units = sum(units for held, units in passes if is_valid(held, today.isoformat()))
    return Left(units, sum(held.total for held in valid), until, last, low_of(passes, today))


def _valid(first: date | None, last: date | None, today: date) -> bool:
    return (first is None or first <= today) and (last is None or today <= last)


def concerns(one: Person, left: Left | None, today: date) -> tuple[Concern, ...]:
    """What about a member wants somebody, what keeps them out first."""
    return (*_of_member(one.member, today), *_of_badges(one.badges, today), *_of_carnet(left))


def _of_member(member: Member, today: date) -> Iterator[Concern]:
    if member.status == "suspended":
        yield Concern(Worry.SUSPENDED)
    if member.valid_from is not None and member.valid_from > today:
        yield Concern(Worry.NOT_BEGUN, member.valid_from)
    if member.valid_until is not None and member.valid_until < today + SOON:
        yield Concern(Worry.OVER if member.valid_until < today else Worry.OVER_SOON, member.valid_until)


def _of_badges(badges: tuple[Credential, ...], today: date) -> Iterator[Concern]:
    good = [badge for badge in badges if badge.status == "active" and _valid(None, badge.valid_until, today)]
    if not badges:
        yield Concern(Worry.NO_BADGE)
    elif not good:
        last = badges[-1]
        yield Concern(Worry.BADGE_BLOCKED, last.valid_until, status=last.status)
    elif len(lasting := [badge for badge in good if badge.valid_until != today]) > 1:
        yield Concern(Worry.TWO_BADGES, number=len(lasting))


def _of_carnet(left: Left | None) -> Iterator[Concern]:
    if left is None:
        return
    if not left.total:
        yield Concern(Worry.NO_CARNET)
    elif not left.units:
        yield Concern(Worry.CARNET_USED_UP, date.fromisoformat(left.last[:DATE]) if left.last else None)
    elif left.low.until is not None:
        yield Concern(Worry.CARNET_ENDS, left.low.until)
    elif left.low.units == LOW:
        yield Concern(Worry.CARNET_LOW)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Doors that hold the rules of a version, of how many, and those that do not yet."""

    doors: int
    of: int
    waiting: tuple[str, ...]


def confirmed(session: Session, current: "Current", version: int) -> Confirmed:
    """Which doors have said that they go by these rules."""
    doors = {point.id for point in current.bundle.access_points}
    asked = session.exec(select(Edge.access_points, Edge.rules_version).order_by(col(Edge.id))).all()
    known = [(place, held or 0) for places, held in asked for place in places if place in doors]
    waiting = tuple(place for place, held in known if held < version)
    return Confirmed(len(known) - len(waiting), len(known), waiting)
