"""How is a member told something by mail? To the address that their account has, if it has one."""

from datetime import datetime

from sqlmodel import Session, col, select

from server.changes.messages import decided_at, queue
from server.errors import ChangeRefusedError
from server.models import Account


def address_of(session: Session, member: str) -> str | None:
    """Where mail reaches a member; None for whom it does not."""
    row = Account
    login = session.exec(select(row.login).where(row.member == member, col(row.ended).is_(None))).first()
    return login if login is not None and "@" in login else None


def tell_member(
    session: Session, by: str, at: datetime, member: str, *, about: str, subject: str, body: str, until: datetime
) -> bool:
    """Whether there is an address. by: the account that decided what is told. at: the wall clock's."""
    to = address_of(session, member)
    if to is None:
        return False
    try:
        queue(session, decided_at(by, at), at, about=about, to=to, subject=subject, body=body, until=until)
    except ChangeRefusedError:  # a login that only looks like an address
        return False
    return True
