"""When is somebody trained next, and who is down for it? The first so many have the places, the others wait."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col, select

from policy.instants import of
from policy.terms import Instant
from server.database.types import moment
from server.models import Member, TrainingSeat, TrainingSession

KEPT_OPEN = timedelta(days=30)
"""How long after a session it is still listed for those who note who was there."""


@dataclass(frozen=True, slots=True)
class Seat:
    """present: None until somebody said."""

    member: str
    present: bool | None


@dataclass(frozen=True, slots=True)
class Planned:
    """A training session. trainer: a member, None where nobody is named yet. seats: in the order in which they came."""

    id: str
    kind: str
    start: Instant
    end: Instant
    places: int
    trainer: str | None
    note: str
    seats: tuple[Seat, ...] = ()

    @property
    def taken(self) -> tuple[Seat, ...]:
        """Those who have a place."""
        return self.seats[: self.places]

    @property
    def waiting(self) -> tuple[Seat, ...]:
        return self.seats[self.places :]

    def rank(self, member: str) -> int | None:
        """0 with a place; of those that wait 1 for the first, and so on. None: not on the list."""
        for number, seat in enumerate(self.seats):
            if seat.member == member:
                return max(0, number + 1 - self.places)
        return None


def planned(session: Session, which: str) -> Planned | None:
    """None for one that is not there, or does not take place."""
    row = session.get(TrainingSession, which)
    return None if row is None or row.ended is not None else _with_seats(session, [row])[0]


def coming(session: Session, now: Instant) -> list[Planned]:
    """Those that have not begun, the next one first."""
    row = TrainingSession
    asked = select(row).where(col(row.ended).is_(None), col(row.start) > moment(now))
    return _with_seats(session, session.exec(asked.order_by(col(row.start), col(row.id))))


def begun(session: Session, now: Instant) -> list[Planned]:
    """Those that run, or are over since not long ago, the last one first."""
    row, at = TrainingSession, moment(now)
    asked = select(row).where(col(row.ended).is_(None), col(row.start) <= at, col(row.end) > at - KEPT_OPEN)
    return _with_seats(session, session.exec(asked.order_by(col(row.start).desc(), col(row.id))))


def next_of(listed: Iterable[Planned], kind: str, member: str) -> Planned | None:
    """Of sessions in their order: the one that the member is down for, else the first with a place, else the first."""
    of_kind = [one for one in listed if one.kind == kind]
    mine = [one for one in of_kind if one.rank(member) is not None]
    free = [one for one in of_kind if not one.waiting and len(one.seats) < one.places]
    return next(iter([*mine, *free, *of_kind]), None)


def _with_seats(session: Session, rows: Iterable[TrainingSession]) -> list[Planned]:
    listed = list(rows)
    row = TrainingSeat
    asked = select(row).join(Member, col(Member.id) == row.member)
    asked = asked.where(col(row.session).in_([one.id for one in listed]), col(row.gone).is_(None))
    asked = asked.where(col(Member.ended).is_(None))
    seats: dict[str, list[Seat]] = {one.id: [] for one in listed}
    for seat in session.exec(asked.order_by(col(row.id))) if listed else ():
        seats[seat.session].append(Seat(seat.member, seat.present))
    return [
        Planned(one.id, one.kind, of(one.start), of(one.end), one.places, one.trainer, one.note, tuple(seats[one.id]))
        for one in listed
    ]
