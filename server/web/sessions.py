"""Who is asking? A logged-in account, an API token, or the public.

Sessions are kept on the server: the cookie holds a random token, the database its hash. They last by the wall clock,
whatever time the site is simulated in.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import Flask, Response, current_app, g, request
from flask.sessions import SecureCookieSessionInterface
from flask_limiter import Limiter
from limits import RateLimitItem, parse
from werkzeug.exceptions import Forbidden, TooManyRequests, Unauthorized

from server.models import Account
from server.passwords import hash_token, is_password, login_of
from server.queries.accounts import Caller, api_token, by_login, caller_of, lasts
from server.roles import STAFF, Role, Roles, Scope
from server.web.context import Context

COOKIE = "loquet"
ATTEMPTS = "10 per minute; 60 per hour"
"""Of logging in, from one address."""
FAILURES = parse("100 per hour")
"""Wrong passwords for one account, from all addresses together: more than one address may try, or whoever likes could
keep its owner out. Passkeys and links are not counted."""
AGAIN = parse("10 per 15 minutes")
"""Wrong passwords where somebody who is logged in is asked for theirs again."""
CONFIRMED = timedelta(minutes=5)
"""How long a password or passkey that was shown again is enough for what asks for it."""
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {name: name for name in ("Android", "iPhone", "iPad", "Windows")} | {"Mac OS": "Mac", "Linux": "Linux"}
"""By what stands in User-Agent; the first that is found, since each names those after it, too."""


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


def account() -> Caller | None:
    """Whoever is logged in, None for the public."""
    if "account" not in g:
        token = request.cookies.get(COOKIE)
        g.account = None
        if token:
            with context().database.reading() as session:
                g.account = caller_of(session, token, now())
    return g.account  # type: ignore[no-any-return]


def signed_in() -> Caller:
    """Whoever is logged in, on a page that server/web/access.py keeps for accounts."""
    known = account()
    assert known is not None  # noqa: S101 - the table lets nobody else in
    return known


def roles() -> Roles:
    """What whoever asks may be."""
    known = account()
    return known.roles if known is not None else frozenset({Role.PUBLIC})


def sees_names(scope: Scope | None = None) -> bool:
    """Whether people are named to whoever asks: to the team, and to a program whose token has this scope."""
    return bool(roles() & STAFF) or (scope is not None and token_has(scope))


def token_has(scope: Scope) -> bool:
    """Whether the request shows a token of the API with this scope. Raises Unauthorized, Forbidden for another."""
    shown = request.headers.get("Authorization")
    if shown is None:
        return False
    scheme, _, token = shown.partition(" ")
    with context().database.reading() as session:
        found = api_token(session, token.strip()) if scheme.lower() == "bearer" else None
        scopes, g.token = (found.scopes, found.name) if found is not None else (None, "")
        g.token_by = found.by if found is not None else ""
    if scopes is None:
        raise Unauthorized("This token is not valid: send Authorization: Bearer and a token that was made for you.")
    if scope not in scopes:
        raise Forbidden(f"This token is not good for {scope.value}: an administrator can make one that is.")
    return True


def asked_by() -> str:
    """Under which name it is noted what a program or a person looked at."""
    return f"API : {g.token}" if g.get("token") else signed_in().login


def password_fits(login: str, password: str, failures: RateLimitItem = FAILURES) -> Account | None:
    """The account with this login and password; takes as long for a login that nobody has as for a wrong password.

    Raises TooManyRequests after so many failures for one account.
    """
    key = ("login", hash_token(login_of(login)))
    if not limiter.limiter.test(failures, *key):
        raise TooManyRequests
    with context().database.reading() as session:
        found = by_login(session, login)
    if is_password(found.password_hash if found is not None else None, password):
        return found
    limiter.limiter.hit(failures, *key)
    return None


def confirmed_lately() -> bool:
    """Whether whoever asks showed password or passkey so lately that it need not be asked again."""
    known = account()
    return known is not None and known.confirmed is not None and now() < known.confirmed + CONFIRMED


def begin(token: str) -> None:
    """From here on this request is asked by whose session has begun."""
    with context().database.reading() as session:
        g.account = caller_of(session, token, now())


def keep(response: Response, token: str) -> None:
    """Give the browser the token of a session that has begun, whatever cookie came."""
    begin(token)
    begun = account()
    lasts_for = lasts(begun.roles) if begun is not None else None
    response.set_cookie(COOKIE, token, max_age=lasts_for, httponly=True, samesite="Lax", secure=request.is_secure)


def drop(response: Response) -> None:
    """Take the token of a session that is over from the browser."""
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)


def device() -> str:
    """Browser and system, as User-Agent has them; empty for what is not known."""
    said = request.user_agent.string
    found = (next((name for mark, name in marks.items() if mark in said), None) for marks in (BROWSERS, SYSTEMS))
    return ", ".join(name for name in found if name)


def now() -> datetime:
    """By the wall clock, whatever time the site is simulated in."""
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
