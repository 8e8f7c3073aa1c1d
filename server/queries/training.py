"""Who is trained on what? Kinds of machines, certifications, and on what evidence each was given."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, select

from policy.bundle import Certification, Kind, Machine
from server.models import CertificationEntry

SOON = timedelta(days=30)
"""How long before its last day a certification is one to renew."""


@dataclass(frozen=True, slots=True)
class Given:
    """Who certified somebody, when, and on what evidence. day: when it was shown. why: what was written beside it."""

    by: str
    at: datetime
    evidence: str
    day: date | None
    why: str


@dataclass(frozen=True, slots=True)
class Trained:
    """A certification that is held. given: None of one that no page gave."""

    held: Certification
    given: Given | None

    def over(self, today: date) -> bool:
        return self.held.until is not None and self.held.until < today

    def ends_soon(self, today: date) -> bool:
        return self.held.until is not None and today <= self.held.until < today + SOON


def kinds(named: Iterable[Kind], machines: Iterable[Machine]) -> dict[str, Kind]:
    """By id those that the site names, then those that only its machines have."""
    known = {kind.id: kind for kind in named}
    return known | {one.kind: Kind(one.kind) for one in machines if one.kind not in known}


def trained(session: Session, held: Iterable[Certification]) -> list[Trained]:
    """These certifications, each with its evidence."""
    known = list(held)
    row = CertificationEntry
    asked = select(row).where(col(row.member).in_({one.member for one in known})).order_by(col(row.id))
    given = {(one.member, one.kind): one for one in session.exec(asked)}
    return [Trained(one, _given(given.get((one.member, one.kind)), one)) for one in known]


def _given(last: CertificationEntry | None, held: Certification) -> Given | None:
    """None where the last entry is not what holds now, as after an import."""
    if last is None or last.did != "certified" or last.until != held.until:
        return None
    return Given(last.by, last.at, last.evidence, last.day, last.why)
