"""What does a look at a machine find? One thing at a time, with its remedy; and what edge and server both look at."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

PATIENCE = 5.0
"""Seconds within which somebody must answer."""
AHEAD = timedelta(days=30)
"""So long before its end a certificate is told of."""
FULL_MB, NARROW_MB = 100, 500
"""Free on a disk: hardly any, and little."""


class Level(StrEnum):
    """How bad it is: all right, to be known (what nobody can say, too), to be looked at, broken."""

    WELL = "well"
    NOTE = "note"
    LOOK = "look"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """about: what was looked at. remedy: what to do, empty where nothing is."""

    about: str
    level: Level
    said: str
    remedy: str = ""


def well(about: str, said: str) -> Finding:
    return Finding(about, Level.WELL, said)


@dataclass(frozen=True, slots=True)
class Unreached:
    """Why the broker is not there for us. why: empty where nobody tried.

    tls: it answers, and one does not believe the other's certificate.
    """

    why: str = ""
    tls: bool = False


def unreached(host: str, port: int, context: Callable[[], ssl.SSLContext] | None) -> Unreached | None:
    """None for a broker that answers, and with a context believes and is believed. It is told nothing."""
    try:
        with socket.create_connection((host, port), PATIENCE) as plain:
            if context is not None:
                with context().wrap_socket(plain, server_hostname=host) as secure:
                    _refused(secure)
    except ssl.SSLError as error:
        return Unreached(f"{host}:{port}: {error.reason or error}", tls=True)
    except OSError as error:
        return Unreached(f"{host}:{port}: {error.strerror or error}")
    return None


def _refused(secure: ssl.SSLSocket) -> None:
    """Raises SSLError where the other side does not believe our certificate: TLS 1.3 says so after the handshake."""
    secure.settimeout(0.3)
    try:
        if secure.recv(1) == b"":
            raise ssl.SSLError(0, "it hung up: it believes another authority")
    except TimeoutError:
        return
