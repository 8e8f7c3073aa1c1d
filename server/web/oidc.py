"""Who is it, in the word of a provider that server.toml names? OpenID Connect, code flow, with state, nonce and PKCE.

Whoever comes back is believed only with what this browser was sent off with, once and within minutes. The ID token
comes from the provider itself, over TLS, so that its signature adds nothing (OpenID Connect Core 1.0, 3.1.3.7, point 6;
docs/decisions/0041-the-provider-s-word-comes-over-tls.md).
"""

import hmac
import json
import logging
import re
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any, NoReturn
from urllib.parse import quote_plus, urlencode, urlsplit

from flask import session as cookie
from flask import url_for

from server.config import OIDC_SUFFIX, OidcConfig
from server.errors import ChangeRefusedError, Refused
from server.outgoing import Answer, asked
from server.web import sessions

log = logging.getLogger("loquet.server")

GOOD_FOR = timedelta(minutes=10)
"""How long somebody may take at the provider's."""
PATIENCE = 5.0
"""Seconds that the provider has for an answer: somebody waits for the page."""
LEEWAY = 60
"""Seconds by which its clock may be wrong."""
LONGEST_SUBJECT = 255
KEPT = "oidc"
"""Of Flask's signed cookie: what this browser was sent off with."""
_ENDPOINT = re.compile(r"(https://[A-Za-z0-9.-]+|http://(localhost|127\.0\.0\.1|\[::1\]))(:\d{1,5})?(/[!-\"$-~]*)?")
_SHORT = re.compile(r"[!-~]{1,64}")


@dataclass(frozen=True, slots=True)
class Shown:
    """Whom the provider vouches for. account: which account that shall be bound to; None to log in. next: where to."""

    issuer: str
    subject: str
    account: int | None
    next: str | None


@dataclass(frozen=True, slots=True)
class _Provider:
    """What it says of itself (OpenID Connect Discovery 1.0). basic: whether it takes our secret as a header."""

    issuer: str
    authorization: str
    token: str
    basic: bool


def known() -> OidcConfig | None:
    return sessions.context().oidc


def sent_off(config: OidcConfig, *, account: int | None = None, next: str | None = None) -> str:  # noqa: A002
    """The provider's address for this browser, which keeps what it has to come back with. Raises ChangeRefusedError."""
    provider = _discovered(config)
    state, nonce, verifier = (token_urlsafe(32) for _ in range(3))
    cookie[KEPT] = {
        "state": state,
        "nonce": nonce,
        "verifier": verifier,
        "until": (sessions.now() + GOOD_FOR).timestamp(),
        "account": account,
        "next": next,
    }
    asks = {
        "response_type": "code",
        "scope": "openid",
        "client_id": config.client_id,
        "redirect_uri": _our_address(),
        "state": state,
        "nonce": nonce,
        "code_challenge": _unpadded(sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    return f"{provider.authorization}{'&' if urlsplit(provider.authorization).query else '?'}{urlencode(asks)}"


def back(config: OidcConfig, given: Mapping[str, str]) -> Shown:
    """Who came back. given: of the address. Raises ChangeRefusedError; what does not fit is in the log."""
    kept = cookie.pop(KEPT, None)
    state = given.get("state", "").encode()
    if not isinstance(kept, dict) or not hmac.compare_digest(str(kept["state"]).encode(), state):
        raise ChangeRefusedError(Refused.OIDC_STALE)
    if sessions.now().timestamp() >= kept["until"]:
        raise ChangeRefusedError(Refused.OIDC_STALE)
    if "error" in given:
        error = given["error"]
        log.warning("oidc: %s answered %s", config.discovery, error if _SHORT.fullmatch(error) else "an error")
        raise ChangeRefusedError(Refused.OIDC_REFUSED)
    provider = _discovered(config)
    if given.get("iss", provider.issuer) != provider.issuer:  # RFC 9207
        _unfit(config, "came back in the name of another issuer")
    claims = _redeemed(config, provider, given.get("code", ""), kept["verifier"])
    _check(config, provider, claims, kept["nonce"])
    return Shown(provider.issuer, str(claims["sub"]), kept["account"], kept["next"])


def _discovered(config: OidcConfig) -> _Provider:
    said = _json(config, asked("GET", config.discovery, None, {}, config.ca, PATIENCE), "its discovery document")
    issuer, methods = said.get("issuer"), said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    ends = said.get("authorization_endpoint"), said.get("token_endpoint")
    if not isinstance(issuer, str) or f"{issuer.rstrip('/')}{OIDC_SUFFIX}" != config.discovery:
        _unfit(config, "its discovery document names another issuer")
    if not all(isinstance(end, str) and _ENDPOINT.fullmatch(end) for end in ends):
        _unfit(config, "its endpoints are not https")
    return _Provider(
        issuer, str(ends[0]), str(ends[1]), not isinstance(methods, list) or "client_secret_basic" in methods
    )


def _redeemed(config: OidcConfig, provider: _Provider, code: str, verifier: str) -> Mapping[str, Any]:
    """The claims of the ID token that the provider gives for the code."""
    asks = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _our_address(),
        "code_verifier": verifier,
        "client_id": config.client_id,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if config.client_secret and provider.basic:  # each part written as in a form (RFC 6749, 2.3.1)
        pair = f"{quote_plus(config.client_id)}:{quote_plus(config.client_secret)}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    elif config.client_secret:
        asks["client_secret"] = config.client_secret
    answer = asked("POST", provider.token, urlencode(asks).encode(), headers, config.ca, PATIENCE)
    token = _json(config, answer, "the code").get("id_token")
    try:
        head, body, _ = str(token).split(".")
        claims = json.loads(urlsafe_b64decode(f"{body}=="))
        algorithm = json.loads(urlsafe_b64decode(f"{head}==")).get("alg")
    except (ValueError, AttributeError, RecursionError):
        _unfit(config, "gave no ID token")
    if not isinstance(claims, dict) or algorithm in (None, "none"):
        _unfit(config, "gave an ID token without claims or signature")
    return claims


def _check(config: OidcConfig, provider: _Provider, claims: Mapping[str, Any], nonce: str) -> None:
    """OpenID Connect Core 1.0, 3.1.3.7."""
    audience, subject, now = claims.get("aud"), claims.get("sub"), sessions.now().timestamp()
    named = audience if isinstance(audience, list) else [audience]
    ends, made = _seconds(claims.get("exp"), 0), _seconds(claims.get("iat"), now + LEEWAY)
    fits = {
        "issuer": claims.get("iss") == provider.issuer,
        "audience": config.client_id in named and (len(named) == 1 or claims.get("azp") == config.client_id),
        "azp": claims.get("azp", config.client_id) == config.client_id,
        "nonce": claims.get("nonce") == nonce,
        "exp": now < ends + LEEWAY,
        "iat": made < now + LEEWAY,
        "sub": isinstance(subject, str) and 0 < len(subject) <= LONGEST_SUBJECT and subject.isascii(),
    }
    if wrong := [name for name, is_right in fits.items() if not is_right]:
        _unfit(config, f"gave an ID token with the wrong {', '.join(wrong)}")


def _seconds(said: object, instead: float) -> float:
    return said if isinstance(said, int | float) and not isinstance(said, bool) else instead


def _json(config: OidcConfig, answer: Answer, what: str) -> Mapping[str, Any]:
    if answer.status == 0 or answer.status >= 500:
        log.warning("oidc: %s: no answer for %s (%s)", config.discovery, what, answer.why or answer.status)
        raise ChangeRefusedError(Refused.OIDC_UNREACHED)
    try:
        said = json.loads(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        _unfit(config, f"answered {answer.status} for {what}")
    return said


def _unfit(config: OidcConfig, why: str) -> NoReturn:
    log.warning(
        "oidc: %s: %s; see [oidc] of server.toml, and what the provider knows of this site", config.discovery, why
    )
    raise ChangeRefusedError(Refused.OIDC_UNFIT)


def _our_address() -> str:
    return f"{sessions.context().address.rstrip('/')}{url_for('oidc.back')}"


def _unpadded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
