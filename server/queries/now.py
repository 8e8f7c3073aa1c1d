"""How is the place at this moment? One picture, from which the page and the API are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile

from msgspec.structs import replace as replace_part
from sqlmodel import Session, col, func, select

from policy.degrees import Answer, Known, degree
from policy.instants import instant, of
from policy.opening import Opening, opening, relays
from policy.presence import Presence
from policy.spans import Spans, covers, end_of, last_end, next_start, pairs, spans
from policy.state import SiteState, holders
from policy.terms import MINUTE, Instant
from server.models import DoorState, Edge, Position, Visitor
from server.queries import history
from server.queries.closing import Closed, closed_since
from server.queries.current import Current
from server.queries.groups import visitors
from server.queries.rota import offered
from server.queries.site_state import lockdown_lifted_at, locked_down_since
from server.troubles import Trouble, Troubles

SILENT: Instant = 2 * MINUTE
"""A door that says nothing for longer than this is not spoken for any more: an edge tells how it is twice a minute."""
FEW = 3
"""Fewer people than this are not told to everybody: one person alone at night is nobody's business."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A gardien's shift, without lead and grace, from where the team's hours end; end: of the last one that follows
    without a gap. takes_over: the team is there until then."""

    gardien: str
    start: Instant
    end: Instant
    takes_over: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """at: the moment. inside: member ids. guests: visitors and groups without badges of their own, inside beside them.

    next_staffed, watch: when the team comes, and a gardien beside its hours, after what is open now and its relays.
    """

    at: Instant
    day_start: Instant
    opening: Opening
    presence: Presence
    inside: tuple[str, ...]
    capacity: int | None
    known: Known
    next_staffed: Instant | None
    watch: Watch | None
    lockdown: datetime | None = None
    """Since when the site is locked down; None when it is not."""
    fires: tuple[tuple[str, Instant], ...] = ()
    """The doors whose fire contact is open, and since when."""
    heard: Instant | None = None
    """The last word of a door that has gone silent, the oldest of several; None while all of them speak."""

    guests: tuple[Visitor, ...] = ()
    unlifted: datetime | None = None
    """Since when a lockdown is lifted of which a door that is cut off has not heard: whether it opens nobody knows."""
    closed: Closed | None = None
    """The gardien's closing, while it stands and the place is not open: what is left of their shift opens nothing."""

    @property
    def sureness(self) -> Answer:
        """How sure it is that the place is open at this moment."""
        return degree(self.known, self.at)

    @property
    def told(self) -> int | None:
        """How many are inside, None when they are too few to be told to everybody."""
        return few(self.people)

    @property
    def people(self) -> int:
        """How many are inside, with those who have no badge of their own."""
        return len(self.inside) + sum(one.people for one in self.guests)


def few(people: int) -> int | None:
    """The number itself, None below FEW."""
    return people if people >= FEW else None


def picture(session: Session, current: Current, at: Instant) -> Picture:
    """The place at an instant."""
    day_start = current.rules.day_start(at)
    presence, lockdown = history.moves_since(session, day_start), locked_down_since(session)
    shifts = history.adhoc_shifts(session, day_start)
    state = SiteState(presence, not_after=at, lockdown=lockdown is not None, adhoc=shifts)
    unlifted, cut_off = _unlifted(session, current, at)
    heard = min(filter(None, (_silent_since(session, current, at), cut_off)), default=None)
    doubtful = offered(session, current.bundle, at)
    now = _without(opening(current.rules, current.shifts, state, at), doubtful)
    closed = None if now.open else closed_since(session, current, day_start, at)
    return Picture(
        at=at,
        day_start=day_start,
        opening=now,
        presence=presence,
        inside=tuple(sorted(presence.inside(day_start))),
        capacity=current.bundle.site.capacity,
        known=Known(current.rules, current.shifts, state, at, heard is None, doubtful),
        next_staffed=None if now.endless else next_start(current.rules.staffed, _covered(now, at)),
        watch=_watch(current, now, at, closed),
        lockdown=lockdown,
        fires=_fires(session, current),
        heard=heard,
        guests=tuple(visitors(session, day_start)),
        unlifted=unlifted,
        closed=closed,
    )


def _without(now: Opening, doubtful: Mapping[str, Spans]) -> Opening:
    """The opening without the relays from the first one on whose gardien offers it to others: that is not probable."""
    sure = takewhile(lambda one: not covers(doubtful.get(one.gardien or "", ()), one.start), now.relays)
    return replace_part(now, relays=tuple(sure))


def holds(session: Session, current: Current, at: Instant, member: str) -> bool:
    """Whether this gardien holds the place: inside, active, on a shift of theirs."""
    day_start = current.rules.day_start(at)
    state = SiteState(history.moves_since(session, day_start), adhoc=history.adhoc_shifts(session, day_start))
    return member in holders(current.rules, state, at)


def _fires(session: Session, current: Current) -> tuple[tuple[str, Instant], ...]:
    """See Picture.fires."""
    doors = {point.id for point in current.bundle.access_points}
    on = session.exec(select(DoorState).where(col(DoorState.fire)).order_by(col(DoorState.access_point)))
    return tuple((door.access_point, of(door.fire_at)) for door in on if door.access_point in doors and door.fire_at)


def _silent_since(session: Session, current: Current, at: Instant) -> Instant | None:
    """See Picture.heard."""
    return min(_silent(session, current, at).values(), default=None)


def _unlifted(session: Session, current: Current, at: Instant) -> tuple[datetime | None, Instant | None]:
    """See Picture.unlifted; and the last word of the door."""
    lifted, doors = lockdown_lifted_at(session), {point.id for point in current.bundle.access_points}
    if lifted is None:
        return None, None
    cut_off = [
        word
        for place, (edge, word) in last_words(session).items()
        if place in doors and 0 < word < of(lifted) and (not edge.online or word < at - SILENT)
    ]
    return (lifted, min(cut_off)) if cut_off else (None, None)


def silent_doors(session: Session, current: Current, at: Instant) -> list[str]:
    """The access points that say nothing any more, by id."""
    return sorted(_silent(session, current, at))


def _silent(session: Session, current: Current, at: Instant) -> dict[str, Instant]:
    """The last word of each door that has gone silent.

    A door that never spoke is one that is being built: nobody goes by it yet.
    """
    doors = {point.id for point in current.bundle.access_points}
    words = {place: word for place, (_, word) in last_words(session).items() if place in doors}
    return {place: word for place, word in words.items() if 0 < word < at - SILENT}


def last_words(session: Session) -> dict[str, tuple[Edge, Instant]]:
    """The edge of each door and machine, and when it last said anything; 0 for never."""
    told = {edge: of(last) for edge, last in session.exec(_LAST_ROWS)}
    return {
        place: (edge, max(told.get(edge.id, 0), of(edge.last_seen) if edge.last_seen else 0))
        for edge in session.exec(select(Edge))
        for place in edge.access_points
    }


def _covered(now: Opening, at: Instant) -> Instant:
    """Until when nothing more needs to be said: the end of what is open now and of those who take over."""
    return max(at, now.end or at)


def _watch(current: Current, now: Opening, at: Instant, closed: Closed | None) -> Watch | None:
    """The first shift that adds something: to what is open now and its relays, to the team's hours, to a closing."""
    if now.endless:
        return None
    covered, away = _covered(now, at), {member.id for member in current.bundle.members if member.status != "active"}
    coming = [
        Watch(gardien, begins, end, _takes_over(current, begins, at))
        for gardien, shifts in current.shifts.items()
        if gardien not in away
        for start, end in pairs(shifts)
        if end > covered and (begins := end_of(current.rules.staffed, start) or start) < end
        if closed is None or begins > closed.at
    ]
    first = min(coming, key=lambda watch: (watch.start, watch.gardien), default=None)
    if first is None:
        return None
    last = max((relay.end for relay in relays(current.rules, current.shifts, first.end)), default=first.end)
    return replace(first, end=last)


def _takes_over(current: Current, begins: Instant, at: Instant) -> bool:
    """Whether a shift follows hours of the team that are still to come, within the grace that chains allow."""
    left = last_end(current.rules.staffed, begins)
    return left is not None and left > at and begins <= left + current.rules.shift_grace


def adhoc_of(seen: Picture, gardien: str) -> Spans:
    """The shifts that a gardien made by two taps."""
    return spans(seen.known.state.adhoc.get(gardien, ()))


def shift_end(current: Current, gardien: str, at: Instant) -> Instant | None:
    """The end of the gardien's shift that covers the instant, or in whose lead it is; None once it is long past."""
    spans = current.shifts.get(gardien, ())
    start = next_start(spans, at)
    if start is None or at < start - current.rules.shift_lead:
        return end_of(spans, at)
    return end_of(spans, at) or end_of(spans, start)


_LAST_ROWS = select(Position.edge, func.max(Position.updated)).group_by(col(Position.edge))
"""When each edge last delivered rows."""


@dataclass(frozen=True, slots=True)
class EdgeLine:
    """An edge as it last spoke of itself. places: what it looks after. trouble: what we refused from it.

    newest: the version of the rules that it should hold.
    twins: two machines speak as it. unlocked: its doors that are kept so by order, and until when.
    """

    id: str
    places: tuple[str, ...]
    online: bool | None
    since: datetime | None
    last_seen: datetime | None
    rules_version: int | None
    newest: int
    clock: str | None
    faults: Mapping[str, str]
    unacknowledged: int
    journal_fault: str | None
    doors: tuple[DoorState, ...]
    trouble: Trouble | None
    twins: bool
    unlocked: Mapping[str, Instant]

    @property
    def behind(self) -> bool:
        return self.rules_version != self.newest


def _kept_unlocked(edge: Edge, now: Instant) -> dict[str, Instant]:
    """The doors that are kept unlocked by order, and until when: each edge locks in time, whether we hear it or not."""
    kept = {place: instant(until) for place, until in (edge.unlocked or {}).items()}
    return {place: until for place, until in kept.items() if until > now}


def edge_lines(session: Session, newest: int, troubles: Troubles, now: Instant) -> list[EdgeLine]:
    """Every edge, by id. newest: the version of the rules that was published last."""
    doors = {door.access_point: door for door in session.exec(select(DoorState))}
    return [
        EdgeLine(
            id=edge.id,
            places=tuple(edge.access_points),
            online=edge.online,
            since=edge.since,
            last_seen=edge.last_seen,
            rules_version=edge.rules_version,
            newest=newest,
            clock=edge.clock,
            faults={reader: why for reader, why in edge.readers.items() if why},
            unacknowledged=edge.unacknowledged,
            journal_fault=edge.journal_fault,
            doors=tuple(doors[place] for place in edge.access_points if place in doors),
            trouble=troubles.of_edge(edge.id),
            twins=troubles.twins(edge.id, now),
            unlocked=_kept_unlocked(edge, now),
        )
        for edge in session.exec(select(Edge).order_by(col(Edge.id)))
    ]
