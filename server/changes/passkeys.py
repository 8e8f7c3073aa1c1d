"""What do people decide about their passkeys? One is added, shown, forgotten.

by, at: as in server/changes/accounts.py. Raises ChangeRefusedError.
"""

from datetime import datetime

from sqlmodel import Session, select

from server.changes.accounts import record_own
from server.errors import ChangeRefusedError, Refused
from server.models import Account, Passkey
from server.queries.accounts import Caller, roles_of


def add_passkey(session: Session, by: Caller, at: datetime, passkey: Passkey) -> None:
    """Of whoever is logged in."""
    if passkey.account != by.account or session.get(Passkey, passkey.id) is not None:
        raise ChangeRefusedError(Refused.PASSKEY_REFUSED)
    session.add(passkey)
    record_own(session, by, at, "add_passkey", None, {"name": passkey.name})


def use_passkey(session: Session, which: str, sign_count: int) -> Account:
    """The account whose it is. It was shown, and says how often it was used."""
    passkey = session.get(Passkey, which)
    account = session.get(Account, passkey.account) if passkey is not None else None
    if passkey is None or account is None or account.ended is not None or not roles_of(session, account):
        raise ChangeRefusedError(Refused.PASSKEY_REFUSED)
    passkey.sign_count = sign_count
    session.add(passkey)
    return account


def forget_passkey(session: Session, by: Caller, at: datetime, which: str) -> None:
    """One of one's own; not the only way to log in. One that is gone already is no fault."""
    own = {key.id: key for key in session.exec(select(Passkey).where(Passkey.account == by.account))}
    account = session.get(Account, by.account)
    if which not in own or account is None:
        return
    if account.password_hash is None and len(own) == 1:
        raise ChangeRefusedError(Refused.LAST_KEY)
    session.delete(own[which])
    record_own(session, by, at, "forget_passkey", {"name": own[which].name}, None)
