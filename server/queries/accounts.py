"""Who has an account, with which roles, and who is logged in? Instants here are of the wall clock, never the site's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from sqlmodel import Session, col, func, select

from server.models import Account, AccountLink, AccountSession, ApiToken, Member, OidcIdentity, Passkey
from server.passwords import LONGEST_LOGIN, hash_token, login_of
from server.queries.names import alphabetical
from server.roles import STAFF, Role, Roles

TEAM_LASTS, MEMBER_LASTS = timedelta(hours=12), timedelta(days=30)
"""How long a session lasts, of whoever has staff's rights and of everybody else."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks for a page or a change. name: as the team knows them. session: None outside of the pages.

    confirmed: when they last showed password or passkey.
    """

    login: str
    name: str
    roles: Roles
    account: int | None = None
    member: str | None = None
    session: int | None = None
    confirmed: datetime | None = None


def at_the_machine(user: str) -> Caller:
    """Whoever gives a command on the server's own machine, as root or the server's user: nothing is closed to them."""
    return Caller(user, user, frozenset(Role))


@dataclass(frozen=True, slots=True)
class Line:
    """An account in the list. passkeys: how many. link: until when a link of it is open. ready: it can log in."""

    id: int
    login: str
    name: str
    member: str | None
    roles: Roles
    password: bool
    passkeys: int
    link: datetime | None
    ended: bool

    @property
    def ready(self) -> bool:
        return not self.ended and (self.password or self.passkeys > 0)


@dataclass(frozen=True, slots=True)
class SessionLine:
    id: int
    device: str
    begun: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was just made: for whom, and until when it is good."""

    login: str
    name: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member who has no account. login: what theirs might be."""

    member: str
    name: str
    roles: Roles
    login: str


def bound(session: Session, account: int) -> str | None:
    """The issuer that vouches for the account's owner (OpenID Connect); None where nobody does."""
    return session.exec(select(OidcIdentity.issuer).where(OidcIdentity.account == account)).one_or_none()


def by_login(session: Session, written: str) -> Account | None:
    """The account that may log in under this name."""
    found = session.exec(select(Account).where(Account.login == login_of(written))).one_or_none()
    return found if found is not None and found.ended is None and roles_of(session, found) else None


def roles_of(session: Session, account: Account) -> Roles:
    """Its member's, and admin, which is its own. None at all when its member has left: nobody logs in then."""
    own: Roles = frozenset({Role.MEMBER, Role.ADMIN} if account.admin else {Role.MEMBER})
    if account.member is None:
        return own
    member = session.get_one(Member, account.member)
    if member.ended is not None:
        return own if account.admin else frozenset()
    return own | {Role(role) for role in member.roles}


def caller_of(session: Session, token: str, now: datetime) -> Caller | None:
    """Who shows this session's token."""
    kept = session.exec(select(AccountSession).where(AccountSession.token_hash == hash_token(token))).one_or_none()
    account = session.get(Account, kept.account) if kept is not None else None
    if kept is None or account is None or account.ended is not None:
        return None
    roles = roles_of(session, account)
    if not roles or now >= min(kept.expires, kept.begun + lasts(roles)):
        return None
    name = _name(session, account)
    return Caller(account.login, name, roles, account.id, account.member, kept.id, kept.confirmed)


def lasts(roles: Roles) -> timedelta:
    return TEAM_LASTS if roles & STAFF else MEMBER_LASTS


def _name(session: Session, account: Account) -> str:
    member = session.get(Member, account.member) if account.member else None
    return member.name if member is not None else account.login


@dataclass(frozen=True, slots=True)
class MembersAccount:
    """roles: beside a member's, which an administrator alone looks after. ready: whether somebody can log in. ended:
    whether it is closed."""

    id: int
    login: str
    roles: Roles
    ready: bool
    ended: bool


def account_of(session: Session, member: str) -> MembersAccount | None:
    """The account of a member, closed or not: nobody has a second one."""
    found = session.exec(select(Account).where(Account.member == member)).one_or_none()
    if found is None or found.id is None:
        return None
    ready = found.password_hash is not None or bool(passkeys_of(session, found.id))
    roles = roles_of(session, found) - {Role.MEMBER}
    return MembersAccount(found.id, found.login, roles, ready, found.ended is not None)


def proposed_login(session: Session, name: str) -> str:
    """For somebody of this name: one that nobody has."""
    return _free(_proposed(name), set(session.exec(select(Account.login))))


def accounts(session: Session, now: datetime) -> list[Line]:
    """All of them, those that ended last."""
    passkeys = dict(session.exec(select(Passkey.account, func.count()).group_by(col(Passkey.account))).all())
    open_ = select(AccountLink.account, func.max(AccountLink.expires)).where(
        col(AccountLink.used).is_(None), col(AccountLink.expires) > now
    )
    links = dict(session.exec(open_.group_by(col(AccountLink.account))).all())
    lines = [
        Line(
            id=account.id or 0,
            login=account.login,
            name=_name(session, account),
            member=account.member,
            roles=roles_of(session, account),
            password=account.password_hash is not None,
            passkeys=passkeys.get(account.id or 0, 0),
            link=links.get(account.id or 0),
            ended=account.ended is not None,
        )
        for account in session.exec(select(Account).order_by(Account.login))
    ]
    return sorted(lines, key=lambda line: line.ended)


def administrators(session: Session) -> list[int]:
    """The accounts that administer and can log in."""
    found = session.exec(select(Account).where(col(Account.admin).is_(True), col(Account.ended).is_(None)))
    keys = set(session.exec(select(Passkey.account)))
    return [account.id or 0 for account in found if account.password_hash is not None or account.id in keys]


def sessions_of(session: Session, account: int, now: datetime) -> list[SessionLine]:
    """Newest first."""
    found = session.exec(
        select(AccountSession)
        .where(AccountSession.account == account, col(AccountSession.expires) > now)
        .order_by(col(AccountSession.begun).desc(), col(AccountSession.id).desc())
    )
    return [SessionLine(one.id or 0, one.device, one.begun, one.expires) for one in found]


def passkeys_of(session: Session, account: int) -> Sequence[Passkey]:
    return session.exec(select(Passkey).where(Passkey.account == account).order_by(col(Passkey.made))).all()


def link_of(session: Session, token: str) -> Link:
    """Of a link that there is."""
    link = session.get_one(AccountLink, hash_token(token))
    account = session.get_one(Account, link.account)
    return Link(account.login, _name(session, account), link.expires)


def without_account(session: Session, asked: str, most: int) -> list[Candidate]:
    """The first members, by name, who have none and whose name has what was asked for; accents and case aside."""
    taken = set(session.exec(select(Account.member)))
    logins = set(session.exec(select(Account.login)))
    wanted = alphabetical(asked)
    rows = session.exec(select(Member.id, Member.name, Member.roles).where(col(Member.ended).is_(None)))
    found = [row for row in rows if row[0] not in taken and wanted in alphabetical(row[1])]
    found.sort(key=lambda row: alphabetical(row[1]))
    return [
        Candidate(member, name, frozenset(map(Role, roles)), _free(_proposed(name), logins))
        for member, name, roles in found[:most]
    ]


def _proposed(name: str) -> str:
    """gregoire.vasseur for Grégoire Vasseur."""
    words = ("".join(filter(str.isalnum, word)) for word in alphabetical(name).split())
    return ".".join(word for word in words if word)[:LONGEST_LOGIN] or "membre"


def _free(login: str, taken: set[str]) -> str:
    return next(one for number in count(1) if (one := login if number == 1 else f"{login}{number}") not in taken)


def api_token(session: Session, token: str) -> ApiToken | None:
    """A token of the API; None for one that is not ours, or not any more."""
    found = session.exec(select(ApiToken).where(ApiToken.token_hash == hash_token(token))).one_or_none()
    return found if found is not None and found.ended is None else None


def tokens(session: Session) -> Sequence[ApiToken]:
    """All of the API, those that ended last."""
    return session.exec(select(ApiToken).order_by(col(ApiToken.ended).is_not(None), col(ApiToken.id))).all()
