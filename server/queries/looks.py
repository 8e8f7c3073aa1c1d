"""Who has looked at somebody's data? From the audit, for the one whose data it is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from server.audit import ALL, LOOKED
from server.models import AuditRow

SHOWN = 5
"""Looks that somebody is told of."""
REASONS, REASONS_READ = 5, 50
"""Offered; and read to find them."""


@dataclass(frozen=True, slots=True)
class Look:
    """by: the account. page: what was read. everybody: the page was about all members."""

    at: datetime
    by: str
    page: str
    why: str
    everybody: bool


def looks(session: Session, member: str) -> list[Look]:
    """The last few at this member's data, newest first: a program that lists the members leaves one each time."""
    rows = session.exec(select(AuditRow).where(*_at(member)).order_by(col(AuditRow.id).desc()).limit(SHOWN))
    return [Look(row.at, row.account, row.noun, row.why, row.subject == ALL) for row in rows]


def how_often(session: Session, member: str) -> int:
    """How many looks at this member's data there were."""
    return session.exec(select(func.count()).select_from(AuditRow).where(*_at(member))).one()


def _at(member: str) -> tuple[ColumnElement[bool], ...]:
    return col(AuditRow.did) == LOOKED, col(AuditRow.subject).in_((member, ALL))


def last_reasons(session: Session, account: str) -> list[str]:
    """Those that somebody gave last for reading, each once, newest first."""
    asked = select(AuditRow.why).where(AuditRow.did == LOOKED, AuditRow.account == account, AuditRow.why != "")
    given = session.exec(asked.order_by(col(AuditRow.id).desc()).limit(REASONS_READ))
    return list(dict.fromkeys(given))[:REASONS]
