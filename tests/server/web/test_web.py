"""Real sockets at the real web server: what is half-sent, too large, or said by a proxy, keeps nobody else waiting."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

import pytest
from flask import Flask, request

from server.app import MAX_FORM, MAX_UPLOAD
from server.database.engine import Database
from server.web.live import CAPS, FULL, Live
from server.web.serve import CONNECTIONS, MAX_HEADER, Web
from server.web.sessions import COOKIE
from tests.support_pages import PASSWORD, STAFF, Place

pytestmark = pytest.mark.sqlite

PATIENCE = 10.0
HALF_SENT = {
    "nothing": b"",
    "half a header": b"GET / HTTP/1.1\r\nHost: here\r\nX-",
    "half a body": b"POST /login HTTP/1.1\r\nHost: here\r\nContent-Length: 500\r\n\r\nname=",
    "half a chunk": b"POST /login HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nname=",
    "kept alive": b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n",
}
MEGABYTE = bytes(2**20)


@pytest.fixture
def place(database: Database) -> Place:
    """As many live pages as a server has."""
    return Place(database, live=Live(keep_alive=0.05, pause=0.0))


@contextmanager
def served(app: Flask, **how: Any) -> Iterator[int]:
    """The port of loopback on which the application is served."""
    web = Web(app, "127.0.0.1", 0, **how)
    web.start()
    try:
        yield web.port
    finally:
        web.stop()


@pytest.fixture
def port(place: Place) -> Iterator[int]:
    with served(place.app) as port:
        yield port


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def test_a_mistake_of_ours_between_two_requests_ends_no_pages(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    stumbled: list[int] = []
    sound = Web._make_room

    def stumble(web: Web) -> None:
        if len(stumbled) < 2:
            stumbled.append(1)
            raise ZeroDivisionError("a mistake of ours")
        sound(web)

    monkeypatch.setattr("server.web.serve.LOOK", 0.01)
    monkeypatch.setattr(Web, "_make_room", stumble)
    with served(place.app) as port:
        while len(stumbled) < 2:
            assert "200 OK" in get(port)
        assert "200 OK" in get(port)


def answer(port: int, sent: bytes) -> bytes:
    """All that comes back, up to the end of the connection; it is cut where more was sent than read."""
    came = b""
    with connected(port) as opened, suppress(ConnectionResetError):
        opened.sendall(sent)
        while more := opened.recv(2**16):
            came += more
    return came


def rest(opened: socket.socket) -> str:
    """All that still comes, up to the end of the connection."""
    came = b""
    while more := opened.recv(2**16):
        came += more
    return came.decode()


def get(port: int, path: str = "/health", *headers: str) -> str:
    lines = (f"GET {path} HTTP/1.1", "Host: loquet.example.org", "Connection: close", *headers)
    return answer(port, "\r\n".join((*lines, "", "")).encode()).decode()


@pytest.mark.parametrize("half", HALF_SENT.values(), ids=list(HALF_SENT))
def test_requests_that_never_end_stop_no_page(port: int, half: bytes) -> None:
    """Twice as many as there are places for; none of them was there before the others, none is left out."""
    with ExitStack() as stack:
        for _ in range(2 * CONNECTIONS):
            opened = stack.enter_context(closing(connected(port)))
            opened.sendall(half)
        assert get(port).startswith("HTTP/1.1 200")


def test_a_request_that_grows_byte_by_byte_ends(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte is a sign of life, and of no good will."""
    monkeypatch.setattr("server.web.serve.WHOLE", 0.3)
    with connected(port) as opened:
        opened.settimeout(0.02)
        opened.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert ends(opened, b"x")


def ends(opened: socket.socket, more: bytes) -> bool:
    """Whether the connection is closed, however often more is sent."""
    for _ in range(int(PATIENCE / 0.02)):
        try:
            opened.sendall(more)
            if opened.recv(1) == b"":
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


def test_who_is_being_answered_makes_no_room(place: Place, port: int) -> None:
    with connected(port) as live, ExitStack() as stack:
        live.sendall(b"GET /live HTTP/1.1\r\nHost: here\r\n\r\n")
        assert live.recv(2**16).startswith(b"HTTP/1.1 200")
        for _ in range(CONNECTIONS + 20):
            stack.enter_context(closing(connected(port)))
        assert get(port).startswith("HTTP/1.1 200")
        place.live.changed()
        assert any(b"changed" in live.recv(2**16) for _ in range(100))
        place.live.close()


LARGE = {
    "its length": (b"Content-Length: 314572800\r\n", MEGABYTE),
    "its length, asked before": (b"Content-Length: 314572800\r\nExpect: 100-continue\r\n", MEGABYTE),
    "chunks": (b"Transfer-Encoding: chunked\r\n", b"100000\r\n%b\r\n" % MEGABYTE),
    "tiny chunks": (b"Transfer-Encoding: chunked\r\n", b"1\r\nx\r\n" * 10_000),
    "a chunk without an end": (b"Transfer-Encoding: chunked\r\n", b"f" * 2**20),
    "a header": (b"", b"X: " + b"x" * 2**20),
}


@pytest.mark.parametrize(("head", "more"), LARGE.values(), ids=list(LARGE))
def test_what_is_too_large_is_refused_before_it_is_kept(
    port: int, monkeypatch: pytest.MonkeyPatch, head: bytes, more: bytes
) -> None:
    """Not read to its end, and nothing of it laid on the disk."""
    laid: list[object] = []
    monkeypatch.setattr("waitress.buffers.TempfileBasedBuffer.newfile", lambda *_: laid.append("a file"))
    with connected(port) as opened:
        opened.sendall(b"POST /login HTTP/1.1\r\nHost: here\r\n" + head + (b"\r\n" if head else b""))
        opened.settimeout(0.02)
        assert ends(opened, more)
    assert laid == []
    assert get(port).startswith("HTTP/1.1 200")


@pytest.mark.parametrize(("size", "status"), [(MAX_FORM, b"400"), (MAX_FORM + 1, b"413")])
def test_a_form_may_be_so_large(port: int, size: int, status: bytes) -> None:
    """400: it is read, and lacks its token."""
    head = b"POST /login HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
    kind = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % size
    assert answer(port, head + kind + b"x" * size).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize(
    ("path", "cookie", "size", "read"),
    [
        ("/import", COOKIE, MAX_FORM + 1, True),
        ("/import", COOKIE, MAX_UPLOAD + 1, False),
        ("/import", "other", MAX_FORM + 1, False),
        ("/login", COOKIE, MAX_FORM + 1, False),
    ],
)
def test_a_file_may_be_larger_where_one_is_asked_for(port: int, path: str, cookie: str, size: int, read: bool) -> None:
    """What is read the pages refuse, since nobody is logged in; what is not the server refuses by its length alone."""
    head = f"POST {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\nCookie: {cookie}=x\r\n"
    kind = f"Content-Type: text/csv\r\nContent-Length: {size}\r\n\r\n"
    said = answer(port, (head + kind).encode() + b"x" * (size if read else 1))
    assert said.startswith(b"HTTP/1.1 413 REQUEST" if read else b"HTTP/1.1 413 Request")


@pytest.mark.parametrize(("size", "status"), [(MAX_HEADER - 100, " 200 "), (MAX_HEADER, " 431 ")])
def test_a_header_may_be_so_large(port: int, size: int, status: str) -> None:
    assert status in get(port, "/health", "X: " + "x" * size).split("\r\n")[0]


# Behind the proxy


@pytest.fixture
def proxied(place: Place) -> Iterator[int]:
    with served(place.app, trusted_proxy="127.0.0.1") as port:
        yield port


HTTPS = ("X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: https")
ELSEWHERE = ("Forwarded: for=203.0.113.9;proto=https;host=evil.example", "X-Forwarded-Host: evil.example")


def log_in(port: int, *headers: str, password: str = PASSWORD) -> str:
    """The answer to a log-in as a browser sends it."""
    form = get(port, "/login", *headers)
    cookie = form.split("Set-Cookie: ")[1].split(";")[0]
    token = form.split('name="csrf_token" value="')[1].split('"')[0]
    body = f"name={STAFF}&password={password.replace(' ', '+')}&csrf_token={token}"
    lines = (
        "POST /login HTTP/1.1",
        "Host: loquet.example.org",
        "Connection: close",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        "Referer: https://loquet.example.org/login",
        f"Cookie: {cookie}",
        *headers,
    )
    return answer(port, "\r\n".join((*lines, "", body)).encode()).decode()


def cookies(answered: str) -> list[str]:
    return [line for line in answered.split("\r\n") if line.startswith("Set-Cookie: ")]


def test_over_https_cookies_are_for_https_only(proxied: int) -> None:
    answered = log_in(proxied, *HTTPS)
    assert answered.startswith("HTTP/1.1 303")
    said = cookies(answered) + cookies(get(proxied, "/login?lang=en", *HTTPS))
    assert [line.split(": ")[1].split("=")[0] for line in said] == ["loquet", "lang", "loquet-form"]
    assert all("; Secure;" in line for line in said)
    assert "\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\n" in answered


def test_over_http_there_is_no_promise_of_https(proxied: int) -> None:
    answered = get(proxied, "/login?lang=en", "X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: http")
    assert cookies(answered)
    assert "Secure" not in answered
    assert "Strict-Transport-Security" not in answered


def test_without_a_trusted_proxy_nothing_forwarded_is_believed(place: Place, port: int) -> None:
    """Else every caller could be everybody, as often as it likes."""
    seen = addresses(place.app)
    answered = log_in(port, *HTTPS, *ELSEWHERE)
    assert answered.startswith("HTTP/1.1 303")
    assert cookies(answered)
    assert "Secure" not in answered
    assert "Strict-Transport-Security" not in answered
    assert seen == [("127.0.0.1", "http://loquet.example.org")] * 2


def test_of_a_trusted_proxy_address_and_scheme_are_believed_and_no_more(place: Place, proxied: int) -> None:
    """The last address is the proxy's own word; those before it are the caller's."""
    seen = addresses(place.app)
    get(proxied, "/", "X-Forwarded-For: 203.0.113.9, 198.51.100.7", "X-Forwarded-Proto: https", *ELSEWHERE)
    assert seen == [("198.51.100.7", "https://loquet.example.org")]


def addresses(app: Flask) -> list[tuple[str | None, str]]:
    """Fills with who asks, and where."""
    seen: list[tuple[str | None, str]] = []
    app.before_request_funcs.setdefault(None, []).append(
        lambda: seen.append((request.remote_addr, request.host_url.rstrip("/")))
    )
    return seen


def test_guessing_is_slowed_down_for_who_guesses(proxied: int) -> None:
    """Of IPv6 a whole /64 guesses as one: it is what one customer has."""

    def statuses(guesser: str, times: int) -> set[str]:
        said = (f"X-Forwarded-For: {guesser}", "X-Forwarded-Proto: https")
        return {log_in(proxied, *said, password="guess").split(" ")[1] for _ in range(times)}

    assert statuses("2001:db8:0:7::1", 10) == {"401"}
    assert statuses("2001:db8:0:7:ffff::2", 1) == {"429"}
    assert statuses("2001:db8:0:8::1", 1) == {"401"}
    assert statuses("198.51.100.7", 10) == {"401"}
    assert statuses("198.51.100.7", 1) == {"429"}
    assert log_in(proxied, "X-Forwarded-For: 198.51.100.8", "X-Forwarded-Proto: https").startswith("HTTP/1.1 303")


def test_live_pages_have_their_share_by_the_true_address(place: Place, proxied: int) -> None:
    """Whoever opens more of one address ends the oldest of it, whose page asks by itself; others still hear at once."""
    assert 'hx-trigger="sse:changed, ask, every 30s"' in get(proxied, "/")
    with ExitStack() as stack:

        def watched(address: bytes) -> socket.socket:
            opened = stack.enter_context(closing(connected(proxied)))
            opened.sendall(b"GET /live HTTP/1.1\r\nHost: here\r\nConnection: close\r\n%b\r\n\r\n" % address)
            assert opened.recv(2**16).startswith(b"HTTP/1.1 200")
            return opened

        first, *_, newest = [watched(b"X-Forwarded-For: 198.51.100.7") for _ in range(CAPS.share)]
        other = watched(b"X-Forwarded-For: 198.51.100.8")
        watched(b"X-Forwarded-For: 198.51.100.7")
        assert rest(first).count(FULL) == 1
        place.live.close()
        assert FULL not in rest(newest)
        assert FULL not in rest(other)
