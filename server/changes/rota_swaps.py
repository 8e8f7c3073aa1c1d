"""Who swaps evenings with whom? Proposed by one, accepted by the other: both change hands at once, or neither does.

A series pairs the evenings of two patterns in their order: somebody's Tuesdays of March for somebody else's Thursdays.
Each function is one change, in the caller's transaction, audited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from secrets import token_hex

from sqlmodel import Session

from server.audit import Decided
from server.changes.rota import Busy, Ground, assign, close, ground, note, settle
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import RotaOffer
from server.queries.rota import Kind, Outcome, Turn, turns

LONGEST = timedelta(days=366)
"""Of a series."""


@dataclass(frozen=True, slots=True)
class Swap:
    """member gives each first turn to `to` for each second one."""

    member: str
    to: str
    pairs: tuple[tuple[Turn, Turn], ...]


def propose(
    session: Session, decided: Decided, key: str, member: str, against: str, last: date | None = None
) -> Swap | Busy:
    """last: of a series, its last day; else these two alone. The same proposal twice is one."""
    here = ground(session, decided)
    mine, theirs = here.own(key, member), here.turn(against)
    if theirs.gardien is None or theirs.gardien == member:
        raise ChangeRefusedError(Refused.TURN_NOT_YOURS)
    to = theirs.gardien
    pairs = ((mine, theirs),) if last is None else _series(here, mine, theirs, last)
    swap = Swap(member, to, pairs)
    if (busy := _clash(here, swap)) is not None:
        return busy
    if not any((one.turn, one.against, one.member) == (key, against, member) for one in here.asked.swaps):
        series = token_hex(6)
        for one, other in pairs:
            at, by = moment(decided.at), decided.by
            row = RotaOffer(kind=Kind.SWAP, turn=one.key, member=member, to=to, against=other.key, at=at, by=by)
            row.series = series
            note(here, row)
    return swap


def accept(session: Session, decided: Decided, series: str, member: str) -> Swap | Busy:
    """Whom it was proposed to says yes."""
    here = ground(session, decided)
    rows = [one for one in _rows(here, series) if one.to == member]
    swap = swap_of(here, rows)
    if (busy := _clash(here, swap)) is not None:
        return busy
    close(here, rows, Outcome.ACCEPTED)
    session.flush()
    settle(here, [turn for pair in swap.pairs for turn in pair], Outcome.OVER)
    for mine, theirs in swap.pairs:
        assign(here, mine, swap.to)
        assign(here, theirs, swap.member)
    return swap


def drop(session: Session, decided: Decided, series: str, member: str) -> tuple[RotaOffer, ...]:
    """Whom it was proposed to says no, or who proposed it takes it back. The rows as they are now."""
    here = ground(session, decided)
    rows = [one for one in _rows(here, series) if member in (one.to, one.member)]
    for one in rows:
        close(here, [one], Outcome.REFUSED if one.to == member else Outcome.WITHDRAWN)
    return tuple(rows)


def swap_of(here: Ground, rows: Sequence[RotaOffer]) -> Swap:
    """Raises ChangeRefusedError where it can come to nothing any more."""
    found = []
    for one in rows:
        mine, theirs = here.turn(one.turn), here.turn(one.against)
        if (mine.gardien, theirs.gardien) != (one.member, one.to):
            raise ChangeRefusedError(Refused.SWAP_OVER)
        found.append((mine, theirs))
    if not rows:
        raise ChangeRefusedError(Refused.SWAP_OVER)
    return Swap(rows[0].member or "", rows[0].to or "", tuple(found))


def _rows(here: Ground, series: str) -> list[RotaOffer]:
    return [one for one in here.asked.swaps if one.series == series]


def _series(here: Ground, mine: Turn, theirs: Turn, last: date) -> tuple[tuple[Turn, Turn], ...]:
    """Raises ChangeRefusedError for single shifts: they are no series."""
    if not mine.pattern or not theirs.pattern or not mine.day <= last <= mine.day + LONGEST:
        raise ChangeRefusedError(Refused.NO_SERIES)
    first = min(mine.day, theirs.day)
    all_ = [one for one in turns(here.bundle, first, max(last, theirs.day)) if one.end > here.decided.at]
    gives = [one for one in all_ if (one.pattern, one.gardien) == (mine.pattern, mine.gardien)]
    gets = [one for one in all_ if (one.pattern, one.gardien) == (theirs.pattern, theirs.gardien)]
    return tuple(
        zip(
            [one for one in gives if one.day >= mine.day],
            [one for one in gets if one.day >= theirs.day],
            strict=False,
        )
    )


def _clash(here: Ground, swap: Swap) -> Busy | None:
    """Who would hold two evenings at one time, by the one in the way; and whoever may not hold theirs raises."""
    swapped = {turn.key for pair in swap.pairs for turn in pair}
    days = [turn.day for pair in swap.pairs for turn in pair]
    around = turns(here.bundle, min(days) - timedelta(days=2), max(days) + timedelta(days=2))
    kept = [one for one in around if one.key not in swapped]
    for who, number in ((swap.member, 1), (swap.to, 0)):
        taken = [pair[number] for pair in swap.pairs]
        for turn in taken:
            here.gardien(who, turn)
            for other in (*(one for one in kept if one.gardien == who), *taken):
                if other.key != turn.key and turn.meets(other):
                    return Busy(other)
    return None
