"""How does the server ask another one over HTTP? One request each; no redirection is followed."""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 15.0
"""Seconds that a server has for its answer."""
LARGEST = 64 * 1024
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """status: 0 where there is none. had: whether the server may have the request. why: what stood in the way."""

    status: int = 0
    body: bytes = b""
    had: bool = True
    why: str = ""


def asked(
    method: str, url: str, body: bytes | None, headers: Mapping[str, str], ca: str | None, patience: float = PATIENCE
) -> Answer:
    """ca: a file with the certificate of who vouches for the server, instead of this machine's."""
    parts = urlsplit(url)
    try:
        server = _connected(url, ca, patience)
    except (OSError, ValueError) as error:  # a port or a name that none can be, too
        return Answer(had=False, why=type(error).__name__)
    try:
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        server.request(method, path, body, {"User-Agent": "loquet", **headers})
        answer = server.getresponse()
        return Answer(answer.status, answer.read(LARGEST))
    except (OSError, http.client.HTTPException) as error:
        return Answer(why=type(error).__name__)
    finally:
        server.close()


def _connected(url: str, ca: str | None, patience: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    made: type[http.client.HTTPConnection] = http.client.HTTPConnection
    more: dict[str, Any] = {}
    if parts.scheme == "https":
        made, more = http.client.HTTPSConnection, {"context": ssl.create_default_context(cafile=ca)}
    server = made(parts.hostname or "", parts.port, timeout=patience, **more)
    try:
        server.connect()
    except BaseException:
        server.close()
        raise
    return server
