"""Who takes an evening, gives it back, offers it? Each function is one change, in the caller's transaction, audited.

The one writer looks and stores in it, so of two who take one evening at one instant the first has it, and the second is
told who has. Rules go by it: they are to be published then. A single shift has no pattern whose gap it could be: given
back it stays its gardien's until somebody takes it, as does every shift that is given back late (Site.rota_notice).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from sqlmodel import Session, col, select

from policy.bundle import Bundle, Member, RotaChange
from policy.calendar import Calendar
from policy.terms import HOUR, Instant
from server.audit import Change, Decided, record
from server.changes.bundle import put
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import RotaOffer
from server.publish.bundle import held, site_said
from server.queries.rota import OFFERS, Asked, Kind, Outcome, Turn, asked, may_take, near, overlapping, single, turn_of

UNDO = timedelta(minutes=10)
"""For so long whoever took an evening can undo it."""


@dataclass(frozen=True, slots=True)
class Turned:
    """It is made. before, now: the evening. fresh: whether it was not so before."""

    before: Turn
    now: Turn
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class HeldBy:
    """Somebody else was faster, or has it for good."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Busy:
    """They hold another one at the same time."""

    other: Turn


Outcomes = Turned | HeldBy | Busy


@dataclass(frozen=True, slots=True)
class Ground:
    """What a change is held against, as the tables have it in this transaction."""

    session: Session
    decided: Decided
    bundle: Bundle
    asked: Asked

    @property
    def calendar(self) -> Calendar:
        return Calendar(ZoneInfo(self.bundle.site.timezone), self.bundle.site.day_cutoff)

    def turn(self, key: str) -> Turn:
        """Raises ChangeRefusedError for one that is not there, or is over."""
        found = turn_of(self.bundle, key)
        if found is None:
            raise ChangeRefusedError(Refused.TURN_GONE)
        if found.end <= self.decided.at:
            raise ChangeRefusedError(Refused.TURN_OVER)
        return found

    def gardien(self, which: str, turn: Turn) -> Member:
        """Raises ChangeRefusedError for whoever may not hold that evening."""
        known = next((one for one in self.bundle.members if one.id == which), None)
        if known is None or not may_take(known, turn.day):
            raise ChangeRefusedError(Refused.NOT_GARDIEN)
        return known

    def free(self, turn: Turn) -> bool:
        """Whether whoever may can take it: a gap, one that is offered, one whose gardien cannot hold it."""
        if turn.gardien is None or self.asked.offer_of(turn) is not None:
            return True
        holder = next((one for one in self.bundle.members if one.id == turn.gardien), None)
        return holder is None or not may_take(holder, turn.day)

    def own(self, key: str, member: str) -> Turn:
        """A turn of theirs. Raises ChangeRefusedError where it is not, or not any more."""
        turn = self.turn(key)
        if turn.gardien != member:
            raise ChangeRefusedError(Refused.TURN_NOT_YOURS)
        return turn


def ground(session: Session, decided: Decided) -> Ground:
    site = site_said(session)
    if site is None:
        raise ChangeRefusedError(Refused.TURN_GONE)
    bundle = Bundle(
        format="loquet.bundle/1",
        site=site,
        members=held(session, "members"),
        shifts=held(session, "shifts"),
        rota=held(session, "rota"),
        rota_changes=held(session, "rota_changes"),
    )
    return Ground(session, decided, bundle, asked(session))


def take(session: Session, decided: Decided, key: str, member: str) -> Outcomes:
    """The evening is theirs from now on. Whose it is already keeps it, and offers it no more."""
    here = ground(session, decided)
    turn = here.turn(key)
    here.gardien(member, turn)
    if turn.gardien == member:
        close(here, _offers_of(session, key), Outcome.WITHDRAWN)
        return Turned(turn, turn)
    if not here.free(turn):
        return HeldBy(turn)
    if (other := overlapping(near(here.bundle, turn), turn, member)) is not None:
        return Busy(other)
    settle(here, [turn], Outcome.TAKEN)
    assign(here, turn, member)
    at = moment(decided.at)
    row = RotaOffer(kind=Kind.TAKEN, turn=key, member=member, to=turn.gardien, at=at, by=decided.by)
    note(here, row, over=True)
    return Turned(turn, _now(session, decided, key))


def undo(session: Session, decided: Decided, key: str, member: str) -> Outcomes:
    """It is as before they took it a moment ago: a gap, or its gardien's, who offers it again."""
    here = ground(session, decided)
    turn, row = here.own(key, member), RotaOffer
    last = session.exec(
        select(row).where(row.turn == key, row.kind == Kind.TAKEN).order_by(col(row.id).desc()).limit(1)
    ).first()
    if last is None or last.member != member or moment(decided.at) > last.at + UNDO:
        raise ChangeRefusedError(Refused.TURN_NOT_YOURS)
    before = last.to
    if before is not None and (other := overlapping(near(here.bundle, turn), turn, before)) is not None:
        return Busy(other)
    assign(here, turn, before)
    again = select(row).where(row.turn == key, row.ended == last.at, row.outcome == Outcome.TAKEN)
    for offer in session.exec(again):
        offer.ended, offer.outcome = None, ""
        session.add(offer)
        said = {"kind": offer.kind, "turn": offer.turn, "member": offer.member}
        record(session, decided, [Change(RotaOffer, (offer.id,), "reopened", {"outcome": Outcome.TAKEN}, said)])
    return Turned(turn, _now(session, decided, key))


def give_back(session: Session, decided: Decided, key: str, member: str) -> Turned:
    """The evening is a gap; one that is near, or a single shift, stays theirs until somebody takes it."""
    here = ground(session, decided)
    turn = here.own(key, member)
    if stays(here.bundle, turn, decided.at):
        return Turned(turn, turn, open_offer(here, turn, Kind.GIVEN_BACK))
    settle(here, [turn], Outcome.OVER)
    assign(here, turn, None)
    row = RotaOffer(kind=Kind.GIVEN_BACK, turn=key, member=member, at=moment(decided.at), by=decided.by)
    note(here, row, over=True)
    return Turned(turn, _now(session, decided, key))


def stays(bundle: Bundle, turn: Turn, at: Instant) -> bool:
    """Whether it stays its gardien's until somebody takes it, when it is given back at that instant."""
    return bool(single(turn.key)) or at > turn.start - bundle.site.rota_notice * HOUR


def offer(session: Session, decided: Decided, key: str, member: str) -> Turned:
    """It stays theirs until somebody takes it."""
    here = ground(session, decided)
    turn = here.own(key, member)
    return Turned(turn, turn, open_offer(here, turn, Kind.OFFERED))


def open_offer(here: Ground, turn: Turn, kind: Kind) -> bool:
    """The gardien's own, in place of one that they made before. Whether it was not open yet."""
    if any(one.kind == kind and one.member == turn.gardien for one in _offers_of(here.session, turn.key)):
        return False
    close(here, _offers_of(here.session, turn.key), Outcome.OVER)
    at = moment(here.decided.at)
    note(here, RotaOffer(kind=kind, turn=turn.key, member=turn.gardien, at=at, by=here.decided.by))
    return True


def assign(here: Ground, turn: Turn, gardien: str | None) -> None:
    """Whose it is. Raises ChangeRefusedError for a single shift that nobody is to have."""
    if which := single(turn.key):
        if gardien is None:
            raise ChangeRefusedError(Refused.TURN_GONE)
        [shift] = [one for one in here.bundle.shifts if one.id == which]
        put(here.session, [replace(shift, gardien=gardien)], here.decided)
        return
    known = next(
        (one for one in here.bundle.rota_changes if (one.rota, one.date) == (turn.pattern, turn.day)),
        RotaChange(turn.pattern, turn.day),
    )
    put(here.session, [replace(known, gardien=gardien)], here.decided)


def settle(here: Ground, changed: Iterable[Turn], outcome: Outcome) -> None:
    """What was asked about turns that somebody else has from now on is over: offers as `outcome` says, swaps."""
    keys = {turn.key for turn in changed}
    row = RotaOffer
    rows = here.session.exec(
        select(row).where(col(row.ended).is_(None), col(row.turn).in_(keys) | col(row.against).in_(keys))
    ).all()
    kinds = (*OFFERS, Kind.ASKED)
    close(here, [one for one in rows if one.kind in kinds], outcome)
    close(here, [one for one in rows if one.kind == Kind.SWAP], Outcome.OVER)


def close(here: Ground, rows: Iterable[RotaOffer], outcome: Outcome) -> None:
    """These are over."""
    for one in rows:
        one.ended, one.outcome = moment(here.decided.at), outcome
        here.session.add(one)
        said = {"kind": one.kind, "turn": one.turn, "member": one.member}
        record(here.session, here.decided, [Change(RotaOffer, (one.id,), "ended", said, {"outcome": outcome})])


def note(here: Ground, row: RotaOffer, *, over: bool = False) -> None:
    """Keep what somebody asks. over: it is so at once, and stands in the audit by what it changed."""
    if over:
        row.ended, row.outcome = row.at, Outcome.OVER
    here.session.add(row)
    here.session.flush()
    if not over:
        said = {"kind": row.kind, "turn": row.turn, "member": row.member, "to": row.to, "against": row.against}
        record(here.session, here.decided, [Change(RotaOffer, (row.id,), "added", None, said)])


def _offers_of(session: Session, key: str) -> list[RotaOffer]:
    row = RotaOffer
    asked_ = select(row).where(row.turn == key, col(row.ended).is_(None), col(row.kind).in_(OFFERS))
    return list(session.exec(asked_.order_by(col(row.id))))


def _now(session: Session, decided: Decided, key: str) -> Turn:
    return ground(session, decided).turn(key)
