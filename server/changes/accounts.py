"""What do people decide about accounts? Each function is one change, in the caller's transaction.

by: who wants it; what they may not is refused. at: the wall clock's instant. Raises ChangeRefusedError.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, delete, select

from policy.instants import of
from server.audit import Change, Decided, record
from server.errors import ChangeRefusedError, Refused
from server.models import Account, AccountLink, AccountSession, AuditRow, Member, OidcIdentity, Passkey
from server.passwords import hash_token, is_login, login_of, new_token
from server.queries.accounts import Caller, administrators, lasts, roles_of
from server.queries.former_logins import SET_LOGIN, former_logins
from server.roles import ADMINS, STAFF, Role, Roles

INVITED, FIRST = timedelta(days=7), timedelta(hours=24)
"""How long a link is good for; the second for one that is given on the server's machine."""
REMEMBERED = timedelta(days=30)
"""How long it is told that a link is over, after its last day."""
NEVER = datetime.fromtimestamp(0, UTC)
"""When somebody showed password or passkey who has not done so in this session."""
FIRST_ADMIN = "admin"
"""The login of the account that `loquet server` hands out."""
GIVEN: Roles = frozenset({Role.GARDIEN, Role.FAB_MANAGER, Role.STAFF})
"""The roles that stand in a member's row."""


def invite(session: Session, by: Caller, at: datetime, *, login: str, member: str | None, admin: bool = False) -> str:
    """Make an account, and the link's token with which somebody takes it. member: None for nobody's."""
    there = session.get(Member, member) if member is not None else None
    if member is not None and (there is None or there.ended is not None):
        raise ChangeRefusedError(Refused.MEMBER_UNKNOWN)
    account = Account(login=login_of(login), member=member, admin=admin, made=at)
    _require_over(session, by, account)
    if not is_login(account.login):
        raise ChangeRefusedError(Refused.LOGIN_BAD)
    if _is_taken(session, account.login):
        raise ChangeRefusedError(Refused.LOGIN_TAKEN)
    if member is not None and session.exec(select(Account.id).where(Account.member == member)).first() is not None:
        raise ChangeRefusedError(Refused.MEMBER_HAS_ACCOUNT)
    session.add(account)
    session.flush()
    _record(session, by, at, account, "invite", None, {"login": account.login, "member": member, "admin": admin})
    return _link(session, by, at, account, INVITED)


def new_link(session: Session, by: Caller, at: datetime, account: int) -> str:
    """The token of a new link for an account whose owner lost password or passkey; earlier links are void.

    One that was closed is open again by it: for an administrator, for a member who is one still.
    """
    found = _reopened(session, by, at, account) or _account(session, account)
    _require_over(session, by, found)
    return _link(session, by, at, found, INVITED)


def _reopened(session: Session, by: Caller, at: datetime, account: int) -> Account | None:
    """None where it is not closed. Password, passkeys and the right to administer do not come back."""
    found = session.get(Account, account)
    if found is None or found.ended is None:
        return None
    _require(by, ADMINS)
    member = session.get(Member, found.member) if found.member is not None else None
    if found.member is not None and (member is None or member.ended is not None):
        raise ChangeRefusedError(Refused.MEMBER_UNKNOWN)
    was = {"ended": found.ended, "admin": found.admin}
    found.ended, found.password_hash, found.admin = None, None, False
    session.add(found)
    session.exec(delete(Passkey).where(col(Passkey.account) == account))
    _record(session, by, at, found, "reopen", was, {"ended": None, "admin": False})
    return found


def first_admin(session: Session, by: Caller, at: datetime) -> str:
    """The token of a link for the account `admin`, which is made, or made good again, for it."""
    _require(by, ADMINS)
    account = session.exec(select(Account).where(Account.login == FIRST_ADMIN)).one_or_none()
    account = account or Account(login=FIRST_ADMIN, made=at)
    was = {"admin": account.admin, "ended": account.ended} if account.id is not None else None
    account.admin, account.ended = True, None
    session.add(account)
    session.flush()
    _record(session, by, at, account, "first_admin", was, {"admin": True, "ended": None})
    return _link(session, by, at, account, FIRST)


def take_up(
    session: Session,
    token: str,
    at: datetime,
    *,
    password_hash: str | None,
    device: str,
    passkey: Passkey | None = None,
) -> str:
    """Use a link: the account gets this password or passkey, and whoever uses it is logged in. The session's token.

    Earlier passwords, passkeys and identities are void: who needs a link has lost them, or somebody else has them.
    """
    account = open_link(session, token, at)
    link = session.get_one(AccountLink, hash_token(token))
    link.used, account.password_hash = at, password_hash
    session.add_all([link, account])
    _record(session, Caller(account.login, "", frozenset()), at, account, "take_up", None, {"by": link.by})
    session.exec(delete(Passkey).where(col(Passkey.account) == account.id))
    session.exec(delete(OidcIdentity).where(col(OidcIdentity.account) == account.id))
    if passkey is not None:
        session.add(passkey)
    end_sessions(session, account)
    return begin_session(session, account, at, device)


def open_link(session: Session, token: str, at: datetime) -> Account:
    """The account of a link that is still good. Raises ChangeRefusedError."""
    link = session.get(AccountLink, hash_token(token))
    if link is None:
        raise ChangeRefusedError(Refused.LINK_UNKNOWN)
    if link.used is not None:
        raise ChangeRefusedError(Refused.LINK_USED)
    if link.expires <= at:
        raise ChangeRefusedError(Refused.LINK_LATE)
    return _account(session, link.account)


def change_password(session: Session, by: Caller, at: datetime, password_hash: str, device: str) -> str:
    """Every session ends, and one for whoever changed it begins: its token."""
    account = _account(session, by.account)
    account.password_hash = password_hash
    session.add(account)
    _record(session, by, at, account, "change_password", None, None)
    end_sessions(session, account)
    return begin_session(session, account, at, device)


def end_account(session: Session, by: Caller, at: datetime, account: int) -> None:
    """Nobody logs in with it any more; whoever has, is out."""
    _require(by, ADMINS)
    found = _account(session, account)
    _keep_an_admin(session, found)
    found.ended = at
    session.add(found)
    _record(session, by, at, found, "end", {"ended": None}, {"ended": at})
    end_sessions(session, found)
    session.exec(delete(AccountLink).where(col(AccountLink.account) == account))
    session.exec(delete(OidcIdentity).where(col(OidcIdentity.account) == account))  # another account may be bound to it


def set_admin(session: Session, by: Caller, at: datetime, account: int, *, admin: bool) -> None:
    """Let an account administer the others, or not any more; not the last one that does."""
    _require(by, ADMINS)
    found = _account(session, account)
    if not admin:
        _keep_an_admin(session, found)
    if found.admin is not admin:
        _record(session, by, at, found, "set_admin", {"admin": found.admin}, {"admin": admin})
    found.admin = admin
    session.add(found)


def set_roles(session: Session, by: Caller, at: datetime, account: int, roles: Roles) -> bool:
    """Give the account's member these roles and no others; whether they are others than before. Rules go by them."""
    _require(by, ADMINS)
    found = _account(session, account)
    member = session.get(Member, found.member) if found.member is not None else None
    if member is None:
        raise ChangeRefusedError(Refused.NO_ROLES)
    given: list[str] = sorted(roles & GIVEN)
    if given == sorted(member.roles):
        return False
    changed = Change(Member, (member.id,), "set_roles", {"roles": member.roles}, {"roles": given})
    record(session, Decided(by.login, of(at)), [changed])
    member.roles = given
    session.add(member)
    return True


def set_login(session: Session, by: Caller, at: datetime, account: int, login: str) -> tuple[str, str]:
    """The login before and after. Who is logged in stays so, as password and passkeys are the same; a link that waits
    is void, because whoever reads the old address may have it."""
    found, new = _account(session, account), login_of(login)
    _require_over(session, by, found)
    old = found.login
    if not is_login(new):
        raise ChangeRefusedError(Refused.LOGIN_BAD)
    if new == old:
        return old, new
    if found.configured is not None:
        raise ChangeRefusedError(Refused.LOGIN_CONFIGURED)
    if _is_taken(session, new, {one.login for one in former_logins(session, old)}):
        raise ChangeRefusedError(Refused.LOGIN_TAKEN)
    _record(session, by, at, found, SET_LOGIN, {"login": old}, {"login": new})
    found.login = new
    session.add(found)
    session.exec(delete(AccountLink).where(col(AccountLink.account) == account))
    return old, new


def begin_session(session: Session, account: Account, at: datetime, device: str, *, confirmed: bool = True) -> str:
    """The new token of somebody who has shown who they are. What is over is forgotten.

    confirmed: whether they showed their password or passkey just now.
    """
    session.exec(delete(AccountSession).where(col(AccountSession.expires) <= at))
    session.exec(delete(AccountLink).where(col(AccountLink.expires) <= at - REMEMBERED))
    token = new_token()
    expires = at + lasts(roles_of(session, account))
    session.add(
        AccountSession(
            token_hash=hash_token(token),
            account=account.id or 0,
            device=device,
            begun=at,
            confirmed=at if confirmed else NEVER,
            expires=expires,
        )
    )
    return token


def confirm_session(session: Session, by: Caller, at: datetime) -> None:
    """They have shown their password or passkey again."""
    found = session.get(AccountSession, by.session)
    if found is not None:
        found.confirmed = at
        session.add(found)


def end_session(session: Session, by: Caller, which: int) -> None:
    """One of one's own; one that is over already is no fault."""
    own = (col(AccountSession.id) == which, col(AccountSession.account) == by.account)
    session.exec(delete(AccountSession).where(*own))


def end_sessions(session: Session, account: Account) -> None:
    session.exec(delete(AccountSession).where(col(AccountSession.account) == account.id))


def _link(session: Session, by: Caller, at: datetime, account: Account, good_for: timedelta) -> str:
    session.exec(delete(AccountLink).where(col(AccountLink.account) == account.id))
    _record(session, by, at, account, "link", None, {"expires": at + good_for})
    token = new_token()
    session.add(AccountLink(token_hash=hash_token(token), account=account.id or 0, by=by.login, expires=at + good_for))
    return token


def _record(
    session: Session,
    by: Caller,
    at: datetime,
    account: Account,
    did: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    """Of passwords and links nothing but that there was one."""
    record(session, Decided(by.login, of(at)), [Change(Account, (account.login,), did, before, after)])


def _account(session: Session, account: int | None) -> Account:
    found = session.get(Account, account) if account is not None else None
    if found is None:
        raise ChangeRefusedError(Refused.ACCOUNT_UNKNOWN)
    if found.ended is not None:
        raise ChangeRefusedError(Refused.ACCOUNT_ENDED)
    return found


def _is_taken(session: Session, login: str, own: Collection[str] = ()) -> bool:
    """Whether an account has it, or somebody has done something under it who is known by it still. own: the account's
    former ones."""
    if session.exec(select(Account.id).where(Account.login == login)).first() is not None:
        return True
    return login not in own and session.exec(select(AuditRow.id).where(AuditRow.account == login)).first() is not None


def _require_over(session: Session, by: Caller, account: Account) -> None:
    """Staff hands out links for plain members, an administrator for whoever has a role, or is nobody's."""
    plain = account.member is not None and roles_of(session, account) <= {Role.MEMBER}
    _require(by, STAFF if plain else ADMINS)


def _require(by: Caller, who: Roles) -> None:
    if not by.roles & who:
        raise ChangeRefusedError(Refused.NOT_ALLOWED)


def _keep_an_admin(session: Session, account: Account) -> None:
    if account.admin and administrators(session) in ([account.id], []):
        raise ChangeRefusedError(Refused.LAST_ADMIN)


def record_own(
    session: Session,
    by: Caller,
    at: datetime,
    did: str,
    before: Mapping[str, str] | None,
    after: Mapping[str, str] | None,
) -> None:
    """What whoever is logged in decided about their own account."""
    record(session, Decided(by.login, of(at)), [Change(Account, (by.login,), did, before, after)])
