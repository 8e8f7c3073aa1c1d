"""What happened here? Questions to the journal rows and to the presence that was derived from them.

Every question goes through an index: a day's answer costs the same after one day and after ten years.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, exists, literal, literal_column
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, or_, select

from policy.instants import BELIEVED, of
from policy.presence import Move, Presence
from policy.reasons import Reason
from policy.terms import MINUTE, Instant
from server import models
from server.database.types import moment
from server.models import JournalRow, Member
from server.queries.day_moves import DayMoves, HourCount, Step
from server.queries.groups import stays
from wire.row import Kind

LAST_ID = 2**63 - 1
"""The largest that a row can have."""
CORRECTED = "corrected"
"""The kind of a row of the server's own: a move that somebody wrote down, and no badge made."""
CONTESTED, ANSWERED, WITHDRAWN = "contested", "answered", "withdrawn"
"""Rows of the server's own, too: a member says that a correction is wrong, the team answers, or takes the correction
back, which moves nobody any more; `settles` names which."""
FEW = 500
"""Members that are asked for one by one; above that all are read."""
SETTLED_WITHIN = 50
"""Rows after a tap among which its door_opened row stands: the strike is released for seconds."""
SETTLING = MINUTE
"""Time after a grant in which its door_opened row may still be on its way."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One tap. name: None when the badge is nobody's or its member is gone. lapsed: granted, but no door opened.

    direction: empty at a machine. about: the instant that the reason speaks of, if it does and it is known: the end of
    a session or booking, the start of one that ended. paid: of a carnet with nothing left, the last day or half-day
    that it paid.
    """

    id: int
    edge: str
    journal: str
    seq: int
    at: Instant
    reader: str
    direction: str
    credential: str | None
    member: str | None
    name: str | None
    granted: bool
    reason: Reason
    lapsed: bool = False
    about: Instant | None = None
    paid: str | None = None


@dataclass(frozen=True, slots=True)
class Collision:
    """Several cards at once on a reader: none was read."""

    at: Instant
    reader: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A member came in.

    left: when they went out next, by badge; None when they did not. inside: whether this was their last move.
    """

    at: Instant
    member: str
    name: str | None
    tier: str | None
    left: Instant | None
    inside: bool


def moves_since(session: Session, start: Instant) -> Presence:
    """The last move of each member of the site who moved from start on; of those too who were one until after it.

    Whose membership ends while they are inside is still inside: they are counted, and called over.
    """
    last = models.Presence
    theirs = or_(col(Member.ended).is_(None), col(Member.ended) >= moment(start))
    known = exists().where(col(Member.id) == last.member, theirs)  # a list of all members would be made first
    rows = session.exec(select(last.member, last.at, last.inside).where(col(last.at) >= moment(start), known))
    return Presence((member, Move(of(at), inside)) for member, at, inside in rows)


def adhoc_shifts(session: Session, start: Instant) -> dict[str, set[tuple[Instant, Instant]]]:
    """The shifts made by two taps that end after start, by gardien."""
    found: dict[str, set[tuple[Instant, Instant]]] = {}
    for made in session.exec(select(models.AdhocShift).where(col(models.AdhocShift.end) > moment(start))):
        found.setdefault(made.gardien, set()).add((of(made.start), of(made.end)))
    return found


def names(session: Session, members: Iterable[str]) -> dict[str, str]:
    """The names of members, by id."""
    rows = session.exec(select(Member.id, Member.name).where(col(Member.id).in_(list(members))))
    return {member: name for member, name in rows}  # noqa: C416 - a row is no tuple to the type checker


def last_passages(session: Session, limit: int, now: Instant) -> list[Passage]:
    """The newest taps, newest first."""
    return _taps(session, limit, now)


def passages_of(session: Session, member: str, limit: int, now: Instant) -> list[Passage]:
    """The member's newest taps, newest first."""
    return _taps(session, limit, now, col(JournalRow.member) == member)


def passage(session: Session, which: int, now: Instant) -> Passage | None:
    """The tap with this id; None where there is none, or none any more."""
    found = _taps(session, 1, now, col(JournalRow.id) == literal(which, BigInteger))
    return found[0] if found else None


def _taps(session: Session, limit: int, now: Instant, *where: ColumnElement[bool]) -> list[Passage]:
    later = aliased(JournalRow)
    settled = exists().where(
        col(later.edge) == col(JournalRow.edge),
        col(later.journal) == col(JournalRow.journal),
        col(later.seq) > col(JournalRow.seq),
        col(later.seq) <= col(JournalRow.seq) + SETTLED_WITHIN,
        col(later.settles) == col(JournalRow.seq),
    )
    rows = session.exec(
        select(JournalRow, Member.name, settled)
        .join(Member, col(Member.id) == col(JournalRow.member), isouter=True)
        .where(col(JournalRow.kind) == Kind.TAP, *where)
        .order_by(col(JournalRow.at).desc(), col(JournalRow.id).desc())
        .limit(limit)
    )
    return [
        _passage(
            row,
            name,
            lapsed=row.pending and not opened and now - of(row.at) > SETTLING,
            about=_about(session, row),
            paid=_paid(session, row),
        )
        for row, name, opened in rows
    ]


def passages_after(session: Session, after: int, limit: int) -> list[Passage]:
    """The taps that were stored after the one with this id, in order of storage."""
    rows = session.exec(
        select(JournalRow, Member.name)
        .join(Member, col(Member.id) == col(JournalRow.member), isouter=True)
        .where(col(JournalRow.id) > literal(after, BigInteger), one_by_one(Kind.TAP))
        .order_by(col(JournalRow.id))
        .limit(limit)
    )
    return [_passage(row, name) for row, name in rows]


def one_by_one(kind: Kind) -> ColumnElement[bool]:
    """Rows of a kind, picked among those that another condition or order finds: not by the index on kind."""
    return literal_column("journal_row.kind || ''") == kind


def _about(session: Session, row: JournalRow) -> Instant | None:
    """See Passage.about."""
    reason = Reason(str(row.reason))
    if reason is Reason.BOOKING:
        return _end_of_booking(session, row)
    if row.until is not None:
        return _believed(row.until)
    if reason not in (Reason.MACHINE_BUSY, Reason.SESSION_ENDED):
        return None
    use = models.MachineSession
    started = col(use.started)
    query = select(use).where(use.machine == row.access_point, started <= row.at).order_by(started.desc()).limit(1)
    last = session.exec(query).first()
    if last is None:
        return None
    return _believed(last.started if reason is Reason.SESSION_ENDED else last.until)


def _end_of_booking(session: Session, row: JournalRow) -> Instant | None:
    """When the booking ends that gave the right, or the session if that is earlier: where nobody else has booked, a
    session may go on until the machine's hours end. None where the booking was moved, or is not kept any more."""
    one = models.Booking
    query = select(one.end_at).where(
        one.machine == row.access_point, one.member == row.member, one.start_at <= row.at, one.end_at > row.at,
        or_(col(one.ended).is_(None), col(one.ended) > row.at),
    )  # fmt: skip
    ends = [of(end) for end in session.exec(query)]
    if row.until is not None and (until := _believed(row.until)) is not None:
        ends = [min(end, until) for end in ends]
    return max(ends, default=None)


def _paid(session: Session, row: JournalRow) -> str | None:
    """See Passage.paid."""
    if row.reason != Reason.PASS_EXHAUSTED:
        return None
    paid, today = col(models.PaidUnit.unit), f"{row.at.date()}pm"
    return session.exec(
        select(paid).where(models.PaidUnit.member == row.member, paid <= today).order_by(paid.desc()).limit(1)
    ).first()


def _believed(at: datetime | None) -> Instant | None:
    """None for a year that nobody can mean: a server before migration 0005 kept any."""
    return None if at is None or at.year not in BELIEVED else of(at)


def _passage(
    row: JournalRow, name: str | None, *, lapsed: bool = False, about: Instant | None = None, paid: str | None = None
) -> Passage:
    return Passage(
        id=row.id or 0,
        edge=row.edge,
        journal=row.journal,
        seq=row.seq,
        at=of(row.at),
        reader=row.reader or "",
        direction=row.direction or "",
        credential=row.credential,
        member=row.member,
        name=name,
        granted=bool(row.granted),
        reason=Reason(str(row.reason)),
        lapsed=lapsed,
        about=about,
        paid=paid,
    )


def arrivals(session: Session, start: Instant, end: Instant) -> list[Arrival]:
    """Who came in from start (the beginning of a site day) until end, in order; a return from lunch is one more."""
    return named_arrivals(session, DayMoves(start).read(session, end).last_arrivals())


def named_arrivals(session: Session, steps: Sequence[tuple[Step, Step | None]]) -> list[Arrival]:
    """steps: arrivals, each with the next move of that member."""
    who = {step.member for step, _ in steps}
    asked = select(Member.id, Member.name, Member.tier)
    if len(who) <= FEW:
        asked = asked.where(col(Member.id).in_(who))
    people = {member: (name, tier) for member, name, tier in session.exec(asked)}
    found: list[Arrival] = []
    for step, after in steps:
        name, tier = people.get(step.member, (None, None))
        left = after.at if after is not None and after.out else None
        found.append(Arrival(step.at, step.member, name, tier, left, inside=after is None))
    return found


def hours(session: Session, start: Instant, end: Instant) -> list[HourCount]:
    """People inside, hour by hour from start (the beginning of a site day, when nobody is) until end."""
    return DayMoves(start).read(session, end).hours(end, stays(session, start, end))


def refusals(session: Session, start: Instant, end: Instant, limit: int) -> list[Passage | Collision]:
    """The taps that were refused from start until end, and several cards at once: newest first, so many at most."""
    row = JournalRow
    newest = (col(row.at).desc(), col(row.id).desc())
    refused = session.exec(
        select(row, Member.name)
        .join(Member, col(Member.id) == col(row.member), isouter=True)
        .where(*_refused(start, end))
        .order_by(*newest)
        .limit(limit)
    )
    collided = session.exec(select(row).where(*_collided(start, end)).order_by(*newest).limit(limit))
    found: list[tuple[JournalRow, Passage | Collision]] = [
        (one, _passage(one, name, about=_about(session, one))) for one, name in refused
    ]
    found += [(one, Collision(of(one.at), one.reader or "")) for one in collided]
    found.sort(key=lambda pair: (pair[0].at, pair[0].id), reverse=True)
    return [shown for _, shown in found[:limit]]


def count_refusals(session: Session, start: Instant, end: Instant) -> int:
    """How many there are."""
    kinds = (_refused(start, end), _collided(start, end))
    return sum(session.exec(select(func.count()).select_from(JournalRow).where(*where)).one() for where in kinds)


def _refused(start: Instant, end: Instant) -> tuple[ColumnElement[bool], ...]:
    return one_by_one(Kind.TAP), col(JournalRow.granted).is_(False), *_between(start, end)


def _collided(start: Instant, end: Instant) -> tuple[ColumnElement[bool], ...]:
    return col(JournalRow.kind) == Kind.CARDS_COLLIDED, *_between(start, end)


def _between(start: Instant, end: Instant) -> tuple[ColumnElement[bool], ...]:
    return col(JournalRow.at) >= moment(start), col(JournalRow.at) < moment(end)
