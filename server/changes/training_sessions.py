"""When is somebody trained? Sessions planned, moved and cancelled; who is down for them, who was there.

Each function is one change, audited; it raises ChangeRefusedError for a session that does not take place. Who has a
place follows from the order in which people came (server/queries/training_sessions.py:Planned): whoever goes off the
list makes the next one move up.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session, col, select

from policy.terms import DAY, Instant
from server import models
from server.audit import Change, Decided, record
from server.changes.outcomes import Wrong
from server.changes.people import Done, known_member
from server.changes.training import Evidence, Missing, Shown, certify, known_kind
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import TrainingSeat, TrainingSession
from server.publish.bundle import calendar_of
from server.queries.training_sessions import Planned, planned

MOST_PLACES, LONGEST = 100, DAY
NOTE = 200
"""Characters of where it is and what to bring."""


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Somebody else changed the session since whoever decides has seen it: so it is now."""

    now: Planned


@dataclass(frozen=True, slots=True)
class Listed:
    """How a session stands after a change, and who has a place in it that waited before."""

    now: Planned
    moved_up: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Certified:
    """Who was certified, and who was not although they were there, and why."""

    members: tuple[str, ...]
    kept_back: tuple[tuple[str, Missing | Wrong], ...] = ()


def plan(session: Session, decided: Decided, wanted: Planned) -> Listed | Wrong:
    """A new session; whose id is there already, as of a form sent twice, stays as it is."""
    if session.get(TrainingSession, wanted.id) is not None:
        return Listed(_there(session, wanted.id))
    wrong = _mistakes(session, wanted, decided.at)
    if wrong:
        return Wrong(wrong)
    _write(session, decided, None, wanted)
    return Listed(_there(session, wanted.id))


def change(session: Session, decided: Decided, seen: Planned, wanted: Planned) -> Listed | Wrong | Meanwhile:
    """seen: as whoever decides has seen it. Who is down for it stays so, in their order."""
    now = _there(session, wanted.id)
    if _alone(now) == _alone(wanted):
        return Listed(now)
    if _alone(now) != _alone(seen):
        return Meanwhile(now)
    wrong = _mistakes(session, wanted, decided.at)
    if wrong:
        return Wrong(wrong)
    _write(session, decided, session.get_one(TrainingSession, wanted.id), wanted)
    return _since(session, now)


def cancel(session: Session, decided: Decided, which: str) -> Listed | Wrong:
    """It does not take place. How it stood before."""
    now = _there(session, which)
    if not decided.why:
        return Wrong(("why",))
    row = session.get_one(TrainingSession, which)
    row.ended = moment(decided.at)
    session.add(row)
    record(session, decided, [Change(TrainingSession, (which,), "ended", {"kind": row.kind}, None)])
    return Listed(now)


def put_down(session: Session, decided: Decided, which: str, member: str, *, came: bool = False) -> Listed:
    """At the end of the list; who is on it stays where they are. came: to one that has begun, unannounced."""
    now = _there(session, which) if came else _ahead(session, decided, which)
    if came and decided.at < now.start:
        raise ChangeRefusedError(Refused.TRAINING_AHEAD)
    known_member(session, member)
    if now.rank(member) is None:
        seat = TrainingSeat(session=which, member=member, at=moment(decided.at), present=came)
        session.add(seat)
        session.flush()
        said = {"session": which, "member": member}
        record(session, decided, [Change(TrainingSeat, (seat.id,), "added", None, said)])
    return Listed(_there(session, which))


def take_off(session: Session, decided: Decided, which: str, member: str) -> Listed:
    """They do not come; who waits moves up."""
    now = _ahead(session, decided, which)
    for seat in _seats(session, which):
        if seat.member == member:
            seat.gone = moment(decided.at)
            session.add(seat)
            record(session, decided, [Change(TrainingSeat, (seat.id,), "ended", {"member": member}, None)])
    session.flush()
    return _since(session, now)


def keep_presence(session: Session, decided: Decided, which: str, present: Collection[str]) -> Listed:
    """Who of those on the list was there; who waited and came all the same, too."""
    now = _there(session, which)
    if decided.at < now.start:
        raise ChangeRefusedError(Refused.TRAINING_AHEAD)
    for seat in _seats(session, which):
        was, seat.present = seat.present, seat.member in present
        if was != seat.present:
            session.add(seat)
            before, after = {"present": was}, {"member": seat.member, "present": seat.present}
            record(session, decided, [Change(TrainingSeat, (seat.id,), "changed", before, after)])
    session.flush()
    return Listed(_there(session, which))


def certify_present(session: Session, decided: Decided, which: str) -> Certified:
    """All who were there, on the evidence of this session."""
    now, calendar = _there(session, which), calendar_of(session)
    shown = Shown(now.kind, Evidence.SESSION, calendar.day_at(now.start))
    done, kept_back = [], []
    present = [seat.member for seat in now.seats if seat.present]
    if not present:
        raise ChangeRefusedError(Refused.TRAINING_NOBODY)
    for member in present:
        outcome = certify(session, decided, member, shown, calendar.day_at(decided.at))
        if isinstance(outcome, Done):
            done.append(member)
        else:
            kept_back.append((member, outcome))
    return Certified(tuple(done), tuple(kept_back))


def _there(session: Session, which: str) -> Planned:
    found = planned(session, which)
    if found is None:
        raise ChangeRefusedError(Refused.TRAINING_GONE)
    return found


def _ahead(session: Session, decided: Decided, which: str) -> Planned:
    """One that has not begun."""
    found = _there(session, which)
    if found.start <= decided.at:
        raise ChangeRefusedError(Refused.TRAINING_OVER)
    return found


def _since(session: Session, before: Planned) -> Listed:
    """Who had to wait before a change, and has not to any more."""
    now = _there(session, before.id)
    waited = {seat.member for seat in before.waiting}
    return Listed(now, tuple(seat.member for seat in now.taken if seat.member in waited))


def _seats(session: Session, which: str) -> list[TrainingSeat]:
    row = TrainingSeat
    asked = select(row).where(row.session == which, col(row.gone).is_(None)).order_by(col(row.id))
    return list(session.exec(asked))


def _alone(one: Planned) -> Planned:
    return replace(one, seats=())


def _mistakes(session: Session, wanted: Planned, now: Instant) -> tuple[str, ...]:
    known_kind(session, wanted.kind)
    trainer = session.get(models.Member, wanted.trainer) if wanted.trainer else None
    wrong = {
        "date": wanted.start <= now,
        "hours": not wanted.start < wanted.end <= wanted.start + LONGEST,
        "places": not 1 <= wanted.places <= MOST_PLACES,
        "trainer": wanted.trainer is not None and (trainer is None or trainer.ended is not None),
        "note": len(wanted.note) > NOTE,
    }
    return tuple(field for field, bad in wrong.items() if bad)


def _write(session: Session, decided: Decided, row: TrainingSession | None, wanted: Planned) -> None:
    said: dict[str, Any] = {
        "kind": wanted.kind,
        "start": moment(wanted.start),
        "end": moment(wanted.end),
        "places": wanted.places,
        "trainer": wanted.trainer,
        "note": wanted.note,
    }
    before = None if row is None else {name: getattr(row, name) for name in said}
    row = row or TrainingSession(id=wanted.id, **said)
    for name, value in said.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    did = "added" if before is None else "changed"
    record(session, decided, [Change(TrainingSession, (row.id,), did, before, said)])
