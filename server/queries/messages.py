"""What was sent to people, what waits, and whose address takes no mail?"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists
from sqlmodel import Session, col, func, select

from server.models import Account, AuditRow, Message
from server.queries.former_logins import SET_LOGIN

ADDRESS = "address"
"""What the reason of a message begins with whose address the mail server will never take."""


def messages(session: Session, limit: int) -> Sequence[Message]:
    """The newest first."""
    return session.exec(select(Message).order_by(col(Message.id).desc()).limit(limit)).all()


@dataclass(frozen=True, slots=True)
class Bounced:
    """An address that takes no mail. message: the last one that it refused. member: whose it is, None for nobody's."""

    message: Message
    member: str | None


def bounced(session: Session, member: str | None = None) -> list[Bounced]:
    """Addresses whose last word was no, the newest first; one that took a message since is not among them.

    member: that of this member alone. Of a closed account's address, and of one that was a login once,
    nothing is told: nobody writes there any more.
    """
    row = Message
    last = (
        select(func.max(col(row.id)))
        .where(row.channel == "mail", (col(row.state) == "sent") | _refused())
        .group_by(row.to)
    )
    wanted = select(row, Account).join(Account, col(Account.login) == col(row.to), isouter=True)
    given_up = exists().where(col(AuditRow.subject) == row.to, col(AuditRow.did) == SET_LOGIN)
    wanted = wanted.where(col(row.id).in_(last), _refused(), col(Account.id).is_not(None) | ~given_up)
    if member is not None:
        wanted = wanted.where(Account.member == member)
    found = session.exec(wanted.order_by(col(row.id).desc()))
    return [
        Bounced(one, account.member if account else None) for one, account in found if not account or not account.ended
    ]


def _refused() -> ColumnElement[bool]:
    return (col(Message.state) == "refused") & col(Message.why).startswith(f"{ADDRESS}: ", autoescape=True)
