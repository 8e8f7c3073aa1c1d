"""Who is asking? A logged-in account, an API token, or the public.

Sessions are kept on the server: the cookie holds a random token, the database its hash. They last by the wall clock,
whatever time the site is simulated in.
"""

import hmac
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import Flask, Response, current_app, g, request
from flask.sessions import SecureCookieSessionInterface
from flask_limiter import Limiter
from sqlmodel import Session, col, delete
from werkzeug.exceptions import Unauthorized

from server.models import WebSession
from server.roles import STAFF, Role, Roles, Scope
from server.web.context import Context
from server.web.passwords import hash_token, is_password, is_token, new_token

COOKIE = "loquet"
LASTS = timedelta(hours=12)
ATTEMPTS = "10 per minute; 60 per hour"
"""Of logging in, from one address."""


def caller() -> str:
    """Whose request this is, for what each may do so often: an address, of IPv6 its /64, which is one customer's.

    Behind the proxy it is what the proxy says, once server.toml trusts it (server/web/serve.py).
    """
    said = request.remote_addr or ""
    try:
        address = ip_address(said)
    except ValueError:
        return said
    if not isinstance(address, IPv6Address):
        return said
    return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False))


limiter = Limiter(caller, storage_uri="memory://")


class FormCookie(SecureCookieSessionInterface):
    """Flask's own, kept off plain http where the form came over https."""

    def get_cookie_secure(self, _app: Flask) -> bool:
        return request.is_secure


def context() -> Context:
    """What the pages may ask of the server."""
    known: Context = current_app.extensions["loquet"]
    return known


def account() -> str | None:
    """The account that is logged in, None for the public."""
    if "account" not in g:
        g.account = _account_of(request.cookies.get(COOKIE))
    return g.account  # type: ignore[no-any-return]


def _account_of(token: str | None) -> str | None:
    if not token:
        return None
    with context().database.reading() as session:
        row = session.get(WebSession, hash_token(token))
        return row.account if row is not None and row.expires > _now() else None


def roles() -> Roles:
    """What whoever asks may be."""
    if "roles" not in g:
        g.roles = frozenset({Role.PUBLIC}) if account() is None else frozenset({Role.MEMBER, Role.ADMIN})
    return g.roles  # type: ignore[no-any-return]


def sees_names(scope: Scope | None = None) -> bool:
    """Whether people are named to whoever asks: to the team, and to a program whose token has this scope."""
    return bool(roles() & STAFF) or (scope is not None and token_has(scope))


def token_has(scope: Scope) -> bool:
    """Whether the request shows the API token. Raises Unauthorized for one that is not ours."""
    shown = request.headers.get("Authorization")
    if shown is None:
        return False
    scheme, _, token = shown.partition(" ")
    if scheme.lower() != "bearer" or not is_token(context().api_token_hash, token.strip()):
        raise Unauthorized(
            "This token is not valid: send Authorization: Bearer and the token that the server was given."
        )
    return scope in Scope


def is_staff(name: str, password: str) -> bool:
    """Whether this is the staff's account; takes as long for a wrong name as for a wrong password."""
    known = context()
    right_password = is_password(known.staff_password_hash, password)
    return hmac.compare_digest(name.strip().encode(), known.staff_name.encode()) and right_password


def log_in(response: Response, name: str) -> None:
    """Begin a session with a new token, whatever cookie came."""
    token = new_token()
    with context().database.transaction() as session:
        _forget_expired(session)
        session.add(WebSession(token_hash=hash_token(token), account=name, expires=_now() + LASTS))
    response.set_cookie(COOKIE, token, max_age=LASTS, httponly=True, samesite="Lax", secure=request.is_secure)


def log_out(response: Response) -> None:
    """End the session here and on the server."""
    with context().database.transaction() as session:
        _forget_expired(session)
        token = request.cookies.get(COOKIE, "")
        session.exec(delete(WebSession).where(col(WebSession.token_hash) == hash_token(token)))
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)


def _forget_expired(session: Session) -> None:
    session.exec(delete(WebSession).where(col(WebSession.expires) <= _now()))


def _now() -> datetime:
    return datetime.now(UTC)


def guard(app: Flask) -> None:
    """Headers that every answer carries (OWASP ASVS 5.0, 3.4)."""

    @app.after_request
    def protect(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", HTTPS_ONLY)
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response


HTTPS_ONLY = f"max-age={timedelta(days=365) // timedelta(seconds=1)}; includeSubDomains"
"""For a year browsers ask this name over https only (RFC 6797, which has it ignored over http)."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
