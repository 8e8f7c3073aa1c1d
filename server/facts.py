"""What do the facts in journal rows leave behind? Presence, units paid, ad hoc shifts, sessions: a table for each.

Storing a fact again, or facts in another order, changes nothing.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, Stopped, apply
from policy.instants import of
from policy.presence import Move, later
from policy.sessions import Session as MachineUse
from policy.state import SiteState
from policy.terms import DAY, Instant
from server.db import moment
from server.models import AdhocShift, Lockdown, MachineBusy, MachineSession, PaidUnit, Presence

REACH: Instant = 400 * DAY
"""How far back sessions and ad hoc shifts are read: further than any period and any shift."""


def store(session: Session, facts: Iterable[Fact]) -> None:
    """Take facts into the tables."""
    for fact in facts:
        row = _row(session, fact)
        if row is not None:
            session.merge(row)
            session.flush()


def _row(session: Session, fact: Fact) -> Any:
    match fact:
        case Moved(member, at, inside):
            return _presence(session, member, Move(at, inside))
        case Paid(member, unit):
            return PaidUnit(member=member, unit=moment(unit))
        case Opened(member, start, end):
            return AdhocShift(gardien=member, start=moment(start), end=moment(end))
        case Ran(use):
            return _use(session, use)
        case Busy(machine, member, at):
            return MachineBusy(machine=machine, member=member, at=moment(at))
        case Stopped():
            return None


def _presence(session: Session, member: str, move: Move) -> Presence:
    known = session.get(Presence, member)
    last = later(Move(of(known.at), known.inside) if known else None, move)
    return Presence(member=member, at=moment(last.at), inside=last.inside)


def _use(session: Session, use: MachineUse) -> MachineSession:
    known = session.get(MachineSession, (use.machine, moment(use.start), use.member))
    ends = [end for end in (use.end, _instant(known.ended) if known else None) if end is not None]
    return MachineSession(
        machine=use.machine,
        started=moment(use.start),
        member=use.member,
        kind=use.kind,
        until=_moment(use.until),
        cuts=use.cuts,
        ended=_moment(min(ends, default=None)),
    )


def facts_since(session: Session, at: Instant) -> list[Fact]:
    """All that still matters at the instant: what an edge gets when it connects."""
    since = moment(at - REACH)
    facts: list[Fact] = [Moved(p.member, of(p.at), p.inside) for p in session.exec(select(Presence))]
    facts += [Paid(u.member, of(u.unit)) for u in session.exec(select(PaidUnit))]
    shifts = session.exec(select(AdhocShift).where(col(AdhocShift.end) >= since))
    facts += [Opened(s.gardien, of(s.start), of(s.end)) for s in shifts]
    uses = session.exec(select(MachineSession).where(col(MachineSession.started) >= since))
    facts += [
        Ran(MachineUse(u.machine, u.kind, u.member, of(u.started), _instant(u.until), u.cuts, _instant(u.ended)))
        for u in uses
    ]
    busy = session.exec(select(MachineBusy).where(col(MachineBusy.at) >= since))
    return facts + [Busy(b.machine, b.member, of(b.at)) for b in busy]


def is_locked_down(session: Session) -> bool:
    """Whether the site is locked down."""
    row = session.get(Lockdown, 1)
    return row is not None and row.on


def set_lockdown(session: Session, on: bool, at: Instant) -> None:
    session.merge(Lockdown(id=1, on=on, since=moment(at)))


def state_at(session: Session, at: Instant) -> SiteState:
    """The site as the server knows it."""
    state = SiteState(not_after=at, lockdown=is_locked_down(session))
    for fact in facts_since(session, at):
        apply(state, fact)
    return state


def _moment(at: Instant | None) -> datetime | None:
    return None if at is None else moment(at)


def _instant(at: datetime | None) -> Instant | None:
    return None if at is None else of(at)
