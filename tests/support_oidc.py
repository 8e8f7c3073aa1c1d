"""An OpenID provider of the tests' own, over HTTP: strict about what it is asked, wrong where a test wants it."""

import json
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

CLIENT, SECRET = "loquet at/casaco", "a secret: with é"


@dataclass
class Provider:
    """claims: instead of the right ones. document: instead of what it says of itself. asked: each request's path.

    status: of its answers. token: the ID token itself, if it is another.
    """

    issuer: str
    claims: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    status: int = 200
    token: str | None = None
    _codes: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    @property
    def discovery(self) -> str:
        return f"{self.issuer}/.well-known/openid-configuration"

    def approves(self, address: str, subject: str) -> str:
        """The person presses yes: where the browser is sent back to."""
        parts = urlsplit(address)
        assert parts._replace(query="").geturl() == f"{self.issuer}/authorize"
        asks = {name: one for name, [one] in parse_qs(parts.query, strict_parsing=True).items()}
        assert asks["response_type"] == "code"
        assert asks["scope"] == "openid"
        assert asks["client_id"] == CLIENT
        assert asks["code_challenge_method"] == "S256"
        assert min(map(len, (asks["state"], asks["nonce"], asks["code_challenge"]))) >= 43
        code = token_urlsafe(16)
        self._codes[code] = subject, asks
        return f"{asks['redirect_uri']}?{urlencode({'code': code, 'state': asks['state'], 'iss': self.issuer})}"

    def said(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            **self.document,
        }

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """A code is good once, for the client that has the secret and the verifier."""
        basic = "token_endpoint_auth_methods_supported" not in self.document
        pair = f"{form['client_id']}:{form.get('client_secret')}"
        if basic:
            first, _, last = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
            pair = f"{unquote_plus(first)}:{unquote_plus(last)}"
        subject, asks = self._codes.pop(form["code"], ("", {}))
        verified = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        same = asks.get("redirect_uri") == form["redirect_uri"] and asks.get("code_challenge") == verified
        if not same or pair != f"{CLIENT}:{SECRET}" or form["grant_type"] != "authorization_code":
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": subject,
            "nonce": asks["nonce"],
            "iat": now,
            "exp": now + 300,
        }
        parts = ({"alg": "RS256"}, {name: one for name, one in (claims | self.claims).items() if one is not None})
        token = ".".join(
            [*(urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts), "c2ln"]
        )
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.token or token}


@contextmanager
def provider() -> Iterator[Provider]:
    """It runs meanwhile, on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            there.asked.append(self.path)
            self._answer(there.status, there.said())

        def do_POST(self) -> None:
            there.asked.append(self.path)
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, said = there.redeem(
                {name: one for name, [one] in form.items()}, self.headers["Authorization"] or ""
            )
            self._answer(status, said)

        def _answer(self, status: int, said: dict[str, Any]) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there = Provider(f"http://127.0.0.1:{server.server_port}/realms/casaco")
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
