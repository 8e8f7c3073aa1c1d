"""What does a look at a machine find? One thing at a time, with its remedy; and what edge and server both look at."""

import shutil
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timedelta
from enum import StrEnum
from pathlib import Path

PATIENCE = 5.0
"""Seconds within which somebody must answer."""
AHEAD = timedelta(days=30)
"""So long before its end a certificate is told of."""
FULL_MB, NARROW_MB = 100, 500


class Level(StrEnum):
    """How bad it is: all right, to be looked at, broken."""

    WELL = "well"
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


def disk(about: str, folder: Path) -> Finding:
    """The room on a folder's disk."""
    try:
        free = shutil.disk_usage(folder).free // 1_000_000
    except OSError as error:
        return Finding(about, Level.WRONG, f"{folder}: {error.strerror}", "make the folder, or mend its path")
    if free >= NARROW_MB:
        return well(about, f"{free} MB free")
    level = Level.WRONG if free < FULL_MB else Level.LOOK
    return Finding(
        about, level, f"{free} MB free at {folder}", "make room (journalctl --vacuum-size=50M), or a larger card"
    )


def certificate(file: Path, ends: datetime, now: datetime) -> Finding:
    """A certificate's end."""
    about = f"certificate {file.name}"
    if ends - now > AHEAD:
        return well(about, "no end" if ends.year == MAXYEAR else f"until {ends:%Y-%m-%d}")
    level = Level.WRONG if ends <= now else Level.LOOK
    told = f"{file} ends on {ends:%Y-%m-%d}"
    return Finding(about, level, told, "loquet keys rotate, and carry it here (docs/keys.md, Renewing)")


def broker(host: str, port: int, context: Callable[[], ssl.SSLContext] | None) -> Finding:
    """Whether the broker answers; with a context, whether each believes the other's certificate. It is told nothing."""
    try:
        with socket.create_connection((host, port), PATIENCE) as plain:
            if context is not None:
                with context().wrap_socket(plain, server_hostname=host) as secure:
                    _refused(secure)
    except ssl.SSLError as error:
        remedy = "see that host, ca.crt and both clocks are right (docs/keys.md, When a link does not come up)"
        return Finding("broker", Level.WRONG, f"{host}:{port}: {error.reason or error}", remedy)
    except OSError as error:
        remedy = "see that mosquitto runs there, and address, cable and firewall"
        return Finding("broker", Level.WRONG, f"{host}:{port}: {error.strerror or error}", remedy)
    return well("broker", f"{host}:{port} answers")


def _refused(secure: ssl.SSLSocket) -> None:
    """Raises SSLError where the other side does not believe our certificate: TLS 1.3 says so after the handshake."""
    secure.settimeout(0.3)
    try:
        if secure.recv(1) == b"":
            raise ssl.SSLError(0, "it hung up: it believes another authority")
    except TimeoutError:
        return
