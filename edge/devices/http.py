"""How is a device asked over HTTP? One GET that always ends: with a body, or with a reason why there is none.

Never followed elsewhere, never longer than ANSWER seconds, never more than MOST bytes; no proxy. Its key stays in it:
no message and no log has it.
"""

import http.client
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import SHUT_RDWR
from urllib.request import (
    HTTPDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    Request,
    parse_http_list,
    parse_keqv_list,
)

ANSWER = 3.0
"""Seconds for a whole answer."""
MOST = 65_536
"""Bytes of an answer: what a program says of itself has a few hundred."""


class NoAnswerError(Exception):
    """There is no answer to use. The text says why, in English, and has no secret in it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a device's program listens. key: sent as X-Api-Key. user: then key is the password (HTTP digest instead).

    ca: the file of the authority that its certificate is of; None for those that Debian trusts.
    """

    host: str
    port: int
    tls: bool = False
    key: str = field(default="", repr=False)
    user: str = ""
    ca: Path | None = None


def get(address: Address, path: str, answer: float = ANSWER) -> bytes:
    """The body of an answer 200. Raises NoAnswerError."""
    try:
        status, headers, body = _asked(address, path, _key(address), answer)
        challenge = headers.get("WWW-Authenticate", "")
        if status == http.client.UNAUTHORIZED and address.user and challenge.lower().startswith("digest "):
            status, headers, body = _asked(address, path, _digest(address, path, challenge), answer)
    except TimeoutError:
        raise NoAnswerError(f"no whole answer within {answer:g} s") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswerError(f"{type(error).__name__}: {_said(error)}") from None
    if status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        raise NoAnswerError(f"it answers {status}: see that its key is right")
    if status != http.client.OK:
        raise NoAnswerError(f"it answers {status}")
    return body


def _said(error: Exception) -> str:
    """Without what the other side sent."""
    return (error.strerror or "") if isinstance(error, OSError) else "not HTTP as it should be"


def _key(address: Address) -> dict[str, str]:
    return {"X-Api-Key": address.key} if address.key and not address.user else {}


def _digest(address: Address, path: str, challenge: str) -> dict[str, str]:
    """The answer to a challenge, as the standard library makes it. Raises ValueError for one that it cannot read."""
    known = HTTPPasswordMgrWithDefaultRealm()
    url = f"{'https' if address.tls else 'http'}://{address.host}:{address.port}{path}"
    known.add_password(None, url, address.user, address.key)
    try:
        parts = parse_keqv_list([part for part in parse_http_list(challenge.partition(" ")[2]) if "=" in part])
    except IndexError:  # of `realm=`, with nothing after it
        raise ValueError("no challenge") from None
    made = HTTPDigestAuthHandler(known).get_authorization(Request(url), parts)  # noqa: S310
    return {"Authorization": f"Digest {made}"} if made else {}


def _asked(
    address: Address, path: str, headers: dict[str, str], answer: float
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """One exchange. The timer ends one whose other side says a byte every other second."""
    connection = _connection(address, answer)
    late = threading.Event()

    def hang_up() -> None:
        late.set()
        opened = connection.sock
        if opened is not None:
            with suppress(OSError):
                opened.shutdown(SHUT_RDWR)

    timer = threading.Timer(answer, hang_up)
    timer.daemon = True
    timer.start()
    try:
        connection.request("GET", path, headers={"Accept": "application/json"} | headers)
        response = connection.getresponse()
        body = response.read(MOST + 1)
    except (OSError, http.client.HTTPException):
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
        connection.close()
    if late.is_set():
        raise TimeoutError
    if len(body) > MOST:
        raise NoAnswerError(f"its answer has more than {MOST} bytes")
    return response.status, response.headers, body


def _connection(address: Address, answer: float) -> http.client.HTTPConnection:
    if not address.tls:
        return http.client.HTTPConnection(address.host, address.port, timeout=answer)
    context = ssl.create_default_context(cafile=address.ca)
    return http.client.HTTPSConnection(address.host, address.port, timeout=answer, context=context)
