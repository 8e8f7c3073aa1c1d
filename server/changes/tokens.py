"""What do people decide about the tokens of the API? One is made, shown once, and ended.

by, at: as in server/changes/accounts.py. Raises ChangeRefusedError.
"""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from policy.instants import of
from server.audit import Change, Decided, record
from server.errors import ChangeRefusedError, Refused
from server.models import ApiToken
from server.passwords import hash_token, new_token
from server.queries.accounts import Caller
from server.roles import ADMINS, Scope

LONGEST_NAME = 100


def make_token(session: Session, by: Caller, at: datetime, name: str, scopes: Collection[Scope]) -> str:
    """The new token; its hash alone is kept."""
    _require(by)
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name or not name.isprintable():
        raise ChangeRefusedError(Refused.NAME_MISSING)
    if not scopes:
        raise ChangeRefusedError(Refused.SCOPE_MISSING)
    token = new_token()
    kept = ApiToken(token_hash=hash_token(token), name=name, scopes=sorted(scopes), by=by.login, made=at)
    session.add(kept)
    session.flush()
    made = {"name": name, "scopes": kept.scopes}
    record(session, Decided(by.login, of(at)), [Change(ApiToken, (kept.id,), "make", None, made)])
    return token


def end_token(session: Session, by: Caller, at: datetime, which: int) -> None:
    """It is good for nothing from now on; one that is so already stays as it is."""
    _require(by)
    found = session.get(ApiToken, which)
    if found is None or found.ended is not None:
        return
    found.ended = at
    session.add(found)
    record(session, Decided(by.login, of(at)), [Change(ApiToken, (which,), "end", {"ended": None}, {"ended": at})])


def _require(by: Caller) -> None:
    if not by.roles & ADMINS:
        raise ChangeRefusedError(Refused.NOT_ALLOWED)
