"""Who is inside, for whoever counts heads outside? With how each is known, and who may be there all the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from policy.instants import of
from policy.terms import DAY, Instant
from server.database.types import moment
from server.models import Edge, JournalRow, Presence, Visitor
from server.queries import history
from server.queries.current import Current
from server.queries.groups import visitors
from server.queries.names import alphabetical, by_surname
from server.queries.now import SILENT
from wire.row import Kind, Order


@dataclass(frozen=True, slots=True)
class Inside:
    """A member. name: whole, the last word first. sign: their last tap anywhere, where that is later than they came."""

    member: str
    name: str
    came: Instant
    sign: Instant | None


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Who left in the last 24 h without a tap of their own. noted: somebody wrote down that they left, or closed the
    place, at `at`; else the end of the site day checked them out, who came at `at`."""

    member: str
    name: str
    at: Instant
    noted: bool


@dataclass(frozen=True, slots=True)
class Unlocked:
    """A door that stood unlocked by order on this site day: whoever came in then is not counted."""

    door: str
    since: Instant
    until: Instant


@dataclass(frozen=True, slots=True)
class Roll:
    """silent: the doors that are not heard, and since when (None: never)."""

    at: Instant
    members: tuple[Inside, ...]
    visitors: tuple[Visitor, ...]
    doubtful: tuple[Doubtful, ...]
    unlocked: tuple[Unlocked, ...]
    silent: tuple[tuple[str, Instant | None], ...]

    @property
    def people(self) -> int:
        return len(self.members) + sum(group.people for group in self.visitors)


def roll(session: Session, current: Current, at: Instant) -> Roll:
    """Of this instant, by surname."""
    day_start = current.rules.day_start(at)
    presence = history.moves_since(session, day_start)
    people = presence.inside(day_start)
    signs, former = _signs(session, people, day_start), history.names(session, people)
    inside = [
        Inside(who, _name(current, who, former.get(who)), came, signs[who] if signs.get(who, 0) > came else None)
        for who in presence.inside(day_start)
        for came in [presence.moves[who].at]
    ]
    return Roll(
        at=at,
        members=tuple(sorted(inside, key=lambda one: (alphabetical(one.name), one.member))),
        visitors=tuple(visitors(session, day_start)),
        doubtful=tuple(sorted(_doubtful(session, current, day_start, at), key=lambda one: alphabetical(one.name))),
        unlocked=tuple(_unlocked(session, current, day_start)),
        silent=tuple(_silent(session, current, at)),
    )


def _name(current: Current, who: str, former: str | None = None) -> str:
    """former: what somebody was called who is no member any more."""
    known = current.people.people.get(who)
    return by_surname(known.member.name if known is not None else former or who)


def _signs(session: Session, members: Iterable[str], day_start: Instant) -> dict[str, Instant]:
    """The last tap of each of these members."""
    row = JournalRow
    asked = (
        select(row.member, func.max(row.at))
        .where(history.one_by_one(Kind.TAP), col(row.at) >= moment(day_start), col(row.member).in_(list(members)))
        .group_by(col(row.member))
    )
    return {who: of(at) for who, at in session.exec(asked) if who is not None}


def _doubtful(session: Session, current: Current, day_start: Instant, at: Instant) -> Iterator[Doubtful]:
    recent = moment(at - DAY)
    stayed = select(Presence).where(
        col(Presence.inside), col(Presence.at) >= recent, col(Presence.at) < moment(day_start)
    )
    for known in session.exec(stayed):
        yield Doubtful(known.member, _name(current, known.member), of(known.at), noted=False)
    row = JournalRow
    noted = (
        select(row.member, row.moved_at)
        .join(Presence, (col(Presence.member) == col(row.member)) & (col(Presence.at) == col(row.moved_at)))
        .where(
            col(row.kind).in_((history.CORRECTED, Kind.CHECKED_OUT)),
            col(row.moved_at) >= recent,
            col(Presence.inside).is_(False),
        )
        .distinct()
    )
    for who, left in session.exec(noted):
        if who is not None and left is not None:
            yield Doubtful(who, _name(current, who), of(left), noted=True)


def _unlocked(session: Session, current: Current, day_start: Instant) -> Iterator[Unlocked]:
    row = JournalRow
    asked = select(row.access_point, row.at, row.until).where(
        col(row.kind) == Kind.COMMAND,
        col(row.at) >= moment(day_start),
        col(row.order) == Order.UNLOCK,
        col(row.granted).is_(True),
    )
    for door, since, until in session.exec(asked.order_by(col(row.at))):
        if door is not None and until is not None:
            yield Unlocked(current.called.place(door), of(since), of(until))


def _silent(session: Session, current: Current, at: Instant) -> Iterator[tuple[str, Instant | None]]:
    doors = {point.id for point in current.bundle.access_points}
    for edge in session.exec(select(Edge).order_by(col(Edge.id))):
        heard = of(edge.last_seen) if edge.last_seen else None
        if edge.online and heard is not None and heard >= at - SILENT:
            continue
        for place in edge.access_points:
            if place in doors:
                yield current.called.place(place), heard
