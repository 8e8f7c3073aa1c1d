"""Who may use the pages, and how do they show who they are? Accounts, links, passwords, passkeys, sessions, tokens."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from server.models.fields import json_column, utc, utc_or_none


class Account(SQLModel, table=True):
    """login: as server/passwords.py:login_of writes it. member: whose roles it has, None for nobody's.

    password_hash: argon2id, None for who has no password (yet). configured: the hash of server.toml that was taken
    over last. ended: since when nobody logs in with it; it stays, since what was done with it is kept under its name.
    """

    __tablename__ = "account"

    id: int | None = Field(default=None, primary_key=True)
    login: str = Field(unique=True)
    member: str | None = Field(default=None, foreign_key="member.id", unique=True)
    admin: bool = False
    password_hash: str | None = None
    configured: str | None = None
    made: datetime = utc()
    ended: datetime | None = utc_or_none()


class AccountLink(SQLModel, table=True):
    """A link that was handed over, with which somebody gives the account a password or a passkey, once.

    token_hash: SHA-256, hex. by: the login of who made it. used: when; until it is forgotten, so that a second use is
    told from a mistyped link.
    """

    __tablename__ = "account_link"

    token_hash: str = Field(primary_key=True)
    account: int = Field(foreign_key="account.id", index=True)
    by: str
    expires: datetime = utc(index=True)
    used: datetime | None = utc_or_none()


class AccountSession(SQLModel, table=True):
    """Somebody is logged in. token_hash: SHA-256 of the random token in their cookie, hex.

    device: browser and system, as the browser names them. confirmed: when they last showed their password or passkey;
    1970 of whoever came by the provider of server.toml and has shown neither.
    """

    __tablename__ = "account_session"

    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = Field(unique=True)
    account: int = Field(foreign_key="account.id", index=True)
    device: str
    begun: datetime = utc()
    confirmed: datetime = utc()
    expires: datetime = utc(index=True)


class Passkey(SQLModel, table=True):
    """A key that lies with its owner (WebAuthn). id: as the browser names it, base64url. public_key: COSE.

    sign_count: as the authenticator said last; one that goes back is a copy.
    """

    __tablename__ = "passkey"

    id: str = Field(primary_key=True)
    account: int = Field(foreign_key="account.id", index=True)
    name: str
    public_key: bytes
    sign_count: int = Field(sa_type=BigInteger)
    made: datetime = utc()


class OidcIdentity(SQLModel, table=True):
    """Whom the provider that server.toml names vouches for, as it calls them: issuer and subject (OpenID Connect)."""

    __tablename__ = "oidc_identity"

    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    account: int = Field(foreign_key="account.id", unique=True)
    made: datetime = utc()


class ApiToken(SQLModel, table=True):
    """What a program shows. token_hash: SHA-256, hex. scopes: of server/roles.py. by: the login of who made it.

    ended: since when it is good for nothing.
    """

    __tablename__ = "api_token"

    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = Field(unique=True)
    name: str
    scopes: list[str] = json_column()
    by: str
    made: datetime = utc()
    ended: datetime | None = utc_or_none()
