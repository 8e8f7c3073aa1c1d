"""Which logins had an account before its own, and whose is one that nobody has now? The audit says so for a year."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select

from server.models import Account, AuditRow, Member

SET_LOGIN = "set_login"
"""What the audit has that was done. The subject is the login that was given up."""


class Former(NamedTuple):
    """given_up: when, and the row of the audit that says so: of a later row somebody else may be meant."""

    login: str
    given_up: datetime
    row: int


def former_logins(session: Session, login: str) -> list[Former]:
    """Those that the account of this login had before, the last one first."""
    rows = session.exec(select(AuditRow).where(AuditRow.did == SET_LOGIN).order_by(col(AuditRow.id).desc()))
    found = []
    for row in rows:
        if row.after is not None and row.after["login"] == login:
            login = row.subject
            found.append(Former(login, row.at, row.id or 0))
    return found


def member_of(session: Session, login: str) -> Member | None:
    """Whose login this is, or was."""
    account = select(Account).where(Account.login == login)
    row = 0
    while (found := session.exec(account).one_or_none()) is None:
        asked = select(AuditRow).where(AuditRow.subject == login, AuditRow.did == SET_LOGIN, col(AuditRow.id) > row)
        given_up = session.exec(asked.order_by(col(AuditRow.id))).first()
        if given_up is None or given_up.after is None:
            return None
        login, row = given_up.after["login"], given_up.id or 0
        account = select(Account).where(Account.login == login)
    return session.get(Member, found.member) if found.member is not None else None


def names_of(session: Session, logins: Collection[str]) -> dict[str, str]:
    """Of those that are, or were, a member's: the member's name."""
    asked = select(Account.login, Member.name).join(Member, col(Member.id) == col(Account.member))
    found = dict(session.exec(asked.where(col(Account.login).in_(logins))).all()) if logins else {}
    for login in {*logins} - {*found}:
        if (member := member_of(session, login)) is not None:
            found[login] = member.name
    return found
