"""How do the staff's account and the API's token of server.toml get into the database? At a start, each hash once.

What the pages change afterwards stays, until server.toml has another hash: so whoever may write that file can always
get in again.
"""

from datetime import datetime

from sqlmodel import Session, select

from server.changes.accounts import end_sessions
from server.models import Account, ApiToken
from server.passwords import login_of
from server.roles import Scope

TOKEN = "server.toml"
"""What the token of server.toml is called among the others."""


def take_over_account(session: Session, at: datetime, name: str, password_hash: str) -> None:
    """Make the account, an administrator's, or give it its new password."""
    login = login_of(name)
    account = session.exec(select(Account).where(Account.login == login)).one_or_none()
    account = account or Account(login=login, made=at)
    if account.configured == password_hash:
        return
    account.configured = account.password_hash = password_hash
    account.admin, account.ended = True, None
    session.add(account)
    session.flush()
    end_sessions(session, account)


def take_over_token(session: Session, at: datetime, token_hash: str) -> None:
    """Keep the token, and end the one that stood there before."""
    known = session.exec(select(ApiToken).where(ApiToken.name == TOKEN, ApiToken.by == TOKEN)).all()
    if any(token.token_hash == token_hash for token in known):
        return
    for token in known:
        token.ended = token.ended or at
        session.add(token)
    session.add(ApiToken(token_hash=token_hash, name=TOKEN, scopes=list(Scope), by=TOKEN, made=at))
