"""What do people decide about the provider that vouches for them? An identity is bound, used, unbound.

It is known by issuer and subject, never by an address, and makes no account. by, at: as in server/changes/accounts.py.
"""

from datetime import datetime

from sqlmodel import Session, select

from server.changes.accounts import record_own
from server.errors import ChangeRefusedError, Refused
from server.models import Account, OidcIdentity
from server.queries.accounts import Caller, roles_of


def bind(session: Session, by: Caller, at: datetime, issuer: str, subject: str) -> None:
    """To the account of whoever is logged in, in place of another. Raises ChangeRefusedError for one of somebody's."""
    known = session.get(OidcIdentity, (issuer, subject))
    if by.account is None or (known is not None and known.account != by.account):
        raise ChangeRefusedError(Refused.OIDC_TAKEN)
    if known is not None:
        return
    _gone(session, by)
    session.add(OidcIdentity(issuer=issuer, subject=subject, account=by.account, made=at))
    record_own(session, by, at, "bind_oidc", None, {"issuer": issuer})


def account_of(session: Session, issuer: str, subject: str) -> Account:
    """Whose it is. Raises ChangeRefusedError where it is nobody's who may log in."""
    known = session.get(OidcIdentity, (issuer, subject))
    account = session.get(Account, known.account) if known is not None else None
    if account is None or account.ended is not None or not roles_of(session, account):
        raise ChangeRefusedError(Refused.OIDC_UNKNOWN)
    return account


def unbind(session: Session, by: Caller, at: datetime) -> None:
    """One's own. One that is gone already is no fault."""
    if (issuer := _gone(session, by)) is not None:
        record_own(session, by, at, "unbind_oidc", {"issuer": issuer}, None)


def _gone(session: Session, by: Caller) -> str | None:
    """The issuer of the one that there was."""
    known = session.exec(select(OidcIdentity).where(OidcIdentity.account == by.account)).one_or_none()
    if known is None:
        return None
    session.delete(known)
    session.flush()
    return known.issuer
