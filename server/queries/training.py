"""Who is trained on what? Kinds of machines, certifications, on what evidence each was given, and when it was used."""

from calendar import monthrange
from collections.abc import Collection as AnyOf
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, func, select

from policy.bundle import Certification, Kind, Machine
from server import models
from server.models import CertificationEntry, MachineSession
from server.queries.former_logins import names_of

DECIDED = ("certified", "withdrawn")
"""Of the entries those that say what holds."""
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
    """A certification that is held. given: None of one that no page gave. used: when a machine of its kind last was."""

    held: Certification
    given: Given | None
    used: date | None = None

    def over(self, today: date) -> bool:
        return self.held.until is not None and self.held.until < today

    def ends_soon(self, today: date) -> bool:
        return self.held.until is not None and today <= self.held.until < today + SOON

    def to_refresh(self, kind: Kind | None, today: date) -> date | None:
        """The day since which they have not been at it, where that is too long ago for the kind."""
        shown = self.given.day if self.given is not None else None
        last = max((day for day in (shown, self.used) if day is not None), default=None)
        if kind is None or not kind.refresher_months or last is None:
            return None
        return last if months_after(last, kind.refresher_months) < today else None


def months_after(day: date, months: int) -> date:
    """The same day of the month, or its last where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def kinds(named: Iterable[Kind], machines: Iterable[Machine]) -> dict[str, Kind]:
    """By id those that the site names, then those that only its machines have."""
    known = {kind.id: kind for kind in named}
    return known | {one.kind: Kind(one.kind) for one in machines if one.kind not in known}


def trained(session: Session, held: Iterable[Certification]) -> list[Trained]:
    """These certifications, each with its evidence."""
    known = list(held)
    members = {one.member for one in known}
    row = CertificationEntry
    asked = select(row).where(col(row.member).in_(members), col(row.did).in_(DECIDED)).order_by(col(row.id))
    given = {(one.member, one.kind): one for one in session.exec(asked)} if known else {}
    names = names_of(session, {one.by for one in given.values()})
    used = _used(session, members) if known else {}
    return [
        Trained(one, _given(given.get((one.member, one.kind)), one, names), used.get((one.member, one.kind)))
        for one in known
    ]


def _used(session: Session, members: AnyOf[str]) -> dict[tuple[str, str], date]:
    """The last day of each member and kind: of sessions, and of those that are forgotten already. By UTC's days: it is
    compared with one that is months ago."""
    kept, ran = models.Certification, MachineSession
    old = select(kept).where(col(kept.member).in_(members), col(kept.used).is_not(None))
    new = select(ran.member, ran.kind, func.max(ran.started)).where(col(ran.member).in_(members))
    used = {(one.member, one.kind): one.used for one in session.exec(old) if one.used is not None}
    return used | {(member, kind): at.date() for member, kind, at in session.exec(new.group_by(ran.member, ran.kind))}


def _given(last: CertificationEntry | None, held: Certification, names: Mapping[str, str]) -> Given | None:
    """None where the last entry is not what holds now, as after an import. names: by login."""
    if last is None or last.did != "certified" or last.until != held.until:
        return None
    return Given(names.get(last.by, last.by), last.at, last.evidence, last.day, last.why)
