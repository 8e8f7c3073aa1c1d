"""Who may use machines of a kind? Certified on evidence, withdrawn with a reason; each is one change.

Each leaves an entry that is never changed (server/models/fablab.py:CertificationEntry), and the certification itself is
the bundle's. Rules go by it: they are to be published then.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlmodel import Session

from policy.bundle import Certification, Kind
from policy.instants import YEARS
from server.audit import Decided
from server.changes.bundle import end, put
from server.changes.outcomes import Wrong
from server.changes.people import Done, known_member
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import CertificationEntry
from server.publish.bundle import held
from server.queries.training import kinds, months_after, trained


class Evidence(StrEnum):
    """On what somebody is certified."""

    SESSION = "session"
    EXAM = "exam"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody showed. day: when. last: the certification's last day; None: worked out from the kind's months."""

    kind: str
    evidence: str
    day: date
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """Kinds that must be held before: the member was never certified for them, or not any more."""

    kinds: tuple[str, ...]


def certify(session: Session, decided: Decided, member: str, shown: Shown, today: date) -> Done | Wrong | Missing:
    """Certified already: the new evidence and last day count. The same once more changes nothing.

    Raises ChangeRefusedError for a member or kind that is not there.
    """
    known_member(session, member)
    kind = known_kind(session, shown.kind)
    theirs = {one.kind: one.until for one in held(session, "certifications", {"member": member})}
    lacking = [one for one in kind.requires if one not in theirs or (theirs[one] or today) < today]
    if lacking:
        return Missing(tuple(lacking))
    until = shown.last or last_day(kind, shown.day)
    wrong = _mistakes(decided, shown, until, today)
    if wrong:
        return Wrong(tuple(wrong))
    _put(session, decided, member, shown, until)
    return Done(member)


def withdraw(session: Session, decided: Decided, member: str, kind: str) -> Done | Wrong:
    """They may not use machines of this kind any more. Raises ChangeRefusedError where they might not anyway."""
    if not held(session, "certifications", {"member": member, "kind": kind}):
        raise ChangeRefusedError(Refused.NOT_CERTIFIED)
    if not decided.why:
        return Wrong(("why",))
    end(session, "certifications", [(member, kind)], decided)
    session.add(
        CertificationEntry(
            at=moment(decided.at), by=decided.by, did="withdrawn", member=member, kind=kind, why=decided.why
        )
    )
    return Done(member)


def last_day(kind: Kind, day: date) -> date | None:
    """So many months after the day as the kind says; None: no end."""
    return months_after(day, kind.valid_months) if kind.valid_months else None


def known_kind(session: Session, which: str) -> Kind:
    """Raises ChangeRefusedError for one that is not there."""
    found = kinds(held(session, "kinds"), held(session, "machines")).get(which)
    if found is None:
        raise ChangeRefusedError(Refused.KIND_UNKNOWN)
    return found


def _mistakes(decided: Decided, shown: Shown, until: date | None, today: date) -> list[str]:
    wrong = []
    if shown.evidence not in set(Evidence):
        wrong.append("evidence")
    if shown.day > today or shown.day.year not in YEARS:
        wrong.append("day")
    if until is not None and (until < today or until.year not in YEARS):
        wrong.append("last")
    if shown.evidence == Evidence.ELSEWHERE and not decided.why:
        wrong.append("where")
    return wrong


def _put(session: Session, decided: Decided, member: str, shown: Shown, until: date | None) -> None:
    wanted = Certification(member, shown.kind, until)
    before = trained(session, held(session, "certifications", {"member": member, "kind": shown.kind}))
    given = before[0].given if before and before[0].held == wanted else None
    said = (decided.by, shown.evidence, shown.day, decided.why)
    if given is not None and (given.by, given.evidence, given.day, given.why) == said:
        return
    entry = CertificationEntry(
        at=moment(decided.at),
        by=decided.by,
        did="certified",
        member=member,
        kind=shown.kind,
        evidence=shown.evidence,
        day=shown.day,
        until=until,
        why=decided.why,
    )
    put(session, [wanted], decided)
    session.add(entry)
