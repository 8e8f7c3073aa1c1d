"""Who are the members, and whom must somebody look after? From what is in force, and what was paid by carnets."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

from sqlalchemy import func
from sqlalchemy.sql.functions import aggregate_strings
from sqlmodel import Session, col, select

from policy.bundle import Bundle, Credential, Member, Role
from policy.bundle import Pass as Carnet
from policy.passes import Low, is_valid, low_of, rests, unit_needed
from policy.ruleset import Unit
from policy.state import SiteState
from policy.terms import Instant
from policy.units import DATE, name_at
from server.models import Edge, PaidUnit
from server.queries.differing import differing
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
_HEX = re.compile("[0-9A-F]+")
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
    """place: the name, as it is searched and sorted, and the id."""

    member: Member
    place: tuple[str, str]
    badges: tuple[Credential, ...]
    carnets: tuple[Carnet, ...]

    @property
    def read(self) -> str:
        """The name, as it is searched and sorted."""
        return self.place[0]


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
"""Members who are asked for by their ids; of more, everybody is."""


class Directory:
    """All members of a bundle, A to Z. before: a bundle and its own: whoever is the same in both is not made anew."""

    def __init__(self, bundle: Bundle, before: "tuple[Bundle, Directory] | None" = None) -> None:
        touched = _touched(before[0], bundle) if before is not None else None
        people = list(_people(bundle, touched))
        if before is not None and touched is not None:
            people += [one for who, one in before[1].people.items() if who not in touched]
        people.sort(key=attrgetter("place"))
        self.people: dict[str, Person] = {one.place[1]: one for one in people}
        self._bundle = bundle
        self._watched: tuple[object, Watch] | None = None

    @cached_property
    def tiers(self) -> Counter[str]:
        """How many members have each tier."""
        return Counter(one.tier for one in self._bundle.members)

    @cached_property
    def roles(self) -> Counter[str]:
        return Counter(str(role) for one in self._bundle.members for role in one.roles)

    @cached_property
    def gardiens(self) -> tuple[Member, ...]:
        """Who has that role, A to Z."""
        return tuple(one.member for one in self.people.values() if Role.GARDIEN in one.member.roles)

    @cached_property
    def _ends(self) -> dict[str, list[tuple[str, Person]]]:
        """Numbers and holders of badges, by the end of the number."""
        ends: dict[str, list[tuple[str, Person]]] = {}
        for one in self.people.values():
            for uid in (badge.uid.upper() for badge in one.badges):
                ends.setdefault(uid[-BADGE_END:], []).append((uid, one))
        return ends

    def find(self, asked: str) -> list[Person]:
        """Those whose name has each of the words in it, A to Z, then those who have a badge that ends so."""
        named = list(self.people.values())
        for word in folded(asked).split():
            named = [one for one in named if word in one.place[0]]
        end = asked.translate(_NOT_HEX).upper()
        ends = self._ends.get(end[-BADGE_END:], ()) if _HEX.fullmatch(end) else ()
        holders = [one for uid, one in ends if uid.endswith(end)]
        return named + [one for one in dict.fromkeys(holders) if one not in named]

    def watch(self, session: Session, current: "Current", at: Instant) -> Watch:
        """Whom somebody must look after; reckoned anew when a carnet paid, and on each day."""
        today = day_of(current, at)
        since = (today - LATE).isoformat()
        paid = session.exec(select(func.count()).select_from(PaidUnit).where(col(PaidUnit.unit) >= since)).one()
        if self._watched is None or self._watched[0] != (today, paid):
            left = carnets(session, current, self.people.values(), at)
            told = _concerns(current, self.people, left, today)
            first = [one for who, one in self.people.items() if told[who]]
            rest = [one for who, one in self.people.items() if not told[who]]
            self._watched = (today, paid), Watch(left, {who: why for who, why in told.items() if why}, first, rest)
        return self._watched[1]


def _touched(before: Bundle, now: Bundle) -> set[str] | None:
    """The members who, or whose badges or carnets, are not the same in both; None where all must be looked at."""
    members = differing(before.members, now.members)
    badges, carnets_ = differing(before.credentials, now.credentials), differing(before.passes, now.passes)
    if members is None or badges is None or carnets_ is None:
        return None
    return {one.id for one in members} | {one.member for one in badges} | {one.member for one in carnets_}


def _people(bundle: Bundle, which: set[str] | None) -> Iterator[Person]:
    """which: these members alone; None for all."""
    badges: dict[str, list[Credential]] = {}
    carnets: dict[str, list[Carnet]] = {}
    for badge in bundle.credentials:
        if which is None or badge.member in which:
            badges.setdefault(badge.member, []).append(badge)
    for carnet in bundle.passes:
        if which is None or carnet.member in which:
            carnets.setdefault(carnet.member, []).append(carnet)
    for one in bundle.members:
        if which is None or one.id in which:
            place = (folded(one.name), one.id)
            yield Person(one, place, tuple(badges.get(one.id, ())), tuple(carnets.get(one.id, ())))


def folded(name: str) -> str:
    """As people type it who look for somebody: without accents and case."""
    return alphabetical(name).translate(_LIGATURES)


def day_of(current: "Current", at: Instant) -> date:
    """The date of the site day."""
    return date.fromisoformat(name_at(current.rules, Unit.DAY, at))


def carnets(session: Session, current: "Current", people: Iterable[Person], at: Instant) -> dict[str, Left]:
    """Of each of them whose tier needs a carnet what is left, as the door reckons it."""
    today, paid = day_of(current, at), dict[str, str]()
    now = {unit: name_at(current.rules, unit, at) for unit in Unit}
    wanted = {
        one.member.id: (one, now[needed])
        for one in people
        if (needed := unit_needed(current.rules, one.member.id)) is not None
    }
    if wanted:
        paid = paid_units(session, tuple(wanted) if len(wanted) <= FEW else None)
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


def paid_units(session: Session, members: Sequence[str] | None = None) -> dict[str, str]:
    """The days and half-days that each ever paid, between spaces. members: only theirs."""
    asked = select(PaidUnit.member, aggregate_strings(col(PaidUnit.unit), " ")).group_by(col(PaidUnit.member))
    if members is not None:
        asked = asked.where(col(PaidUnit.member).in_(members))
    return {row[0]: row[1] for row in session.connection().execute(asked)}


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


def _concerns(
    current: "Current", people: Mapping[str, Person], left: Mapping[str, Left], today: date
) -> Mapping[str, tuple[Concern, ...]]:
    """Of everybody; who is the same as before has the same."""
    known = current.memory.get("concerns", {})
    told: dict[str, tuple[object, tuple[Concern, ...]]] = {}
    for who, one in people.items():
        ground, held = (one, left.get(who), today), known.get(who)
        told[who] = held if held is not None and held[0] == ground else (ground, concerns(*ground))
    current.memory["concerns"] = told
    return {who: why for who, (_, why) in told.items()}


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
