"""Whose certification ends soon, and has not been told? 30 days before and 7, once each."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session, col, select

from server.audit import Decided
from server.database.types import moment
from server.models import CertificationEntry
from server.publish.bundle import held
from server.queries.training import trained

BEFORE = (7, 30)
"""Days before the last one."""


@dataclass(frozen=True, slots=True)
class Due:
    """before: of BEFORE."""

    member: str
    kind: str
    until: date
    before: int


def due(session: Session, today: date) -> list[Due]:
    """A certification that was given for less time is not told of: whoever has it knows."""
    row = CertificationEntry
    asked = select(row).where(col(row.did).in_([_did(days) for days in BEFORE]))
    told = {(one.member, one.kind, one.until, one.did) for one in session.exec(asked)}
    found = []
    for one in trained(session, held(session, "certifications")):
        until, given = one.held.until, one.given.at.date() if one.given is not None else None
        before = next((days for days in BEFORE if until and today <= until <= today + timedelta(days)), None)
        if until is None or before is None or (given is not None and given > until - timedelta(before)):
            continue
        if (one.held.member, one.held.kind, until, _did(before)) not in told:
            found.append(Due(one.held.member, one.held.kind, until, before))
    return found


def note(session: Session, decided: Decided, one: Due) -> None:
    """They were told."""
    session.add(
        CertificationEntry(
            at=moment(decided.at),
            by=decided.by,
            did=_did(one.before),
            member=one.member,
            kind=one.kind,
            until=one.until,
        )
    )


def _did(before: int) -> str:
    return f"told_{before}"
