"""What is known of one member, and of those who were members? Their row, their badges and what became of these."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from sqlalchemy import BigInteger, literal
from sqlmodel import Session, col, select

from policy.bundle import Member
from policy.instants import of
from policy.terms import Instant
from server import models
from server.database.types import moment
from server.models import AuditRow, Credential

ERASED = re.compile(r"ancien-\d+")
"""Ids of whoever was forgotten on request (server/changes/erasure.py)."""


def is_erased(member: str) -> bool:
    return ERASED.fullmatch(member) is not None


@dataclass(frozen=True, slots=True)
class Badge:
    """number: its row. since, by, why: when its state was last changed, as the audit has it."""

    number: int
    uid: str
    status: str
    valid_until: date | None
    since: datetime | None
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class GoesOn:
    """What a member is in the middle of. inside: since when, on this site day. machines: those that run for them."""

    inside: Instant | None
    machines: tuple[str, ...]


def goes_on(session: Session, member: str, day_start: Instant) -> GoesOn:
    """What somebody who ends a membership should know."""
    last = session.get(models.Presence, member)
    here = last is not None and last.inside and of(last.at) >= day_start
    row = models.MachineSession
    runs = select(row.machine).where(
        row.member == member, col(row.ended).is_(None), col(row.started) >= moment(day_start)
    )
    return GoesOn(of(last.at) if last is not None and here else None, tuple(sorted(session.exec(runs))))


def member_of(session: Session, which: str) -> tuple[Member, datetime | None] | None:
    """The member, and since when they are none any more; None for whoever never was one."""
    row = session.get(models.Member, which)
    return None if row is None else (row.said(), row.ended)


def former(session: Session) -> Iterator[Member]:
    """Those who were members, the last to leave first."""
    row = models.Member
    asked = select(row).where(col(row.ended).is_not(None)).order_by(col(row.ended).desc(), col(row.id))
    return (gone.said() for gone in session.exec(asked))


def badges(session: Session, member: str) -> list[Badge]:
    """Those that the member holds, in the order in which they got them."""
    held = session.exec(
        select(Credential)
        .where(Credential.member == member, col(Credential.ended).is_(None))
        .order_by(col(Credential.position), col(Credential.id))
    )
    return [_badge(session, row) for row in held]


class BadgeRow(NamedTuple):
    """A badge that somebody holds. number: its row."""

    number: int
    member: str
    uid: str
    status: Literal["active", "lost", "stolen", "returned"]
    valid_until: date | None


def badge_rows(session: Session, after: int, limit: int) -> list[BadgeRow]:
    """Those after this row, in the order of their rows."""
    rows = session.exec(
        select(Credential)
        .where(col(Credential.id) > literal(after, BigInteger), col(Credential.ended).is_(None))
        .order_by(col(Credential.id))
        .limit(limit)
    )
    return [BadgeRow(one.id or 0, one.member, one.uid, one.status, one.valid_until) for one in rows]  # type: ignore[arg-type]


def _badge(session: Session, row: Credential) -> Badge:
    rows = session.exec(
        select(AuditRow)
        .where(AuditRow.noun == Credential.__tablename__, AuditRow.subject == str(row.id))
        .order_by(col(AuditRow.id).desc())
    )
    last = next((one for one in rows if one.after and "status" in one.after), None)
    if last is None:
        return Badge(row.id or 0, row.uid, row.status, row.valid_until, row.begun, "", "")
    return Badge(row.id or 0, row.uid, row.status, row.valid_until, last.at, last.account, last.why)
