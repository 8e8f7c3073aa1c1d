"""How is the server's own machine: its copies, its certificate, its disk? For the doctor, the pages and the alert."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from cryptography.x509 import load_pem_x509_certificate
from sqlmodel import Session

from console import versions
from console.finding import Unreached
from console.version import version
from console.wear import wear
from server.backups.ages import copies
from server.backups.settings import BackupConfig
from server.backups.state import Carried, state
from server.changes.messages import State as Sent
from server.config import ServerConfig
from server.database.engine import files
from server.errors import BackupError
from server.queries.messages import messages

LATEST = 50
"""Messages that are looked at."""
FAILED = frozenset({Sent.REFUSED, Sent.LATE})


@dataclass(frozen=True, slots=True)
class Copies:
    """Those of one place. place: as server.toml names it, empty on this machine. at: of the newest. why: what keeps
    others from being made, as far as it is known. late: whether the schedule wanted one since."""

    place: str
    at: datetime | None
    why: str
    late: bool


@dataclass(frozen=True, slots=True)
class Health:
    """copies: None where none are made. certificate: when ours for the broker ends. free: MB beside the database,
    wear: % of that disk's life that are used up (console/wear.py).

    broker: why it is not reached, None when it is. mail: why the mail server does not answer, empty when nothing is
    known against it, None where there is none. newer: the archive of a version that is newer than what runs, or empty.
    None otherwise where it cannot be seen.
    """

    copies: tuple[Copies, ...] | None = None
    certificate: datetime | None = None
    free: int | None = None
    wear: int | None = None
    broker: Unreached | None = None
    mail: str | None = None
    newer: str = ""

    @property
    def late(self) -> tuple[Copies, ...]:
        return tuple(each for each in self.copies or () if each.late)


def measure(config: ServerConfig, now: datetime, broker: Unreached | None) -> Health:
    """What can be seen without asking another machine. broker: why it is not reached."""
    newer = versions.newer(version(), versions.INSTALLED)
    return Health(
        copies=None if config.backup is None else tuple(copies_of(config.backup, now)),
        certificate=_ends(config),
        free=_free(config),
        wear=next((wear(stored.parent) for stored in files(config.database)[:1]), None),
        broker=broker,
        mail=None if config.smtp is None else "",
        newer="" if newer is None else newer.file.name,
    )


def _ends(config: ServerConfig) -> datetime | None:
    ours = config.broker.identity
    try:
        return None if ours is None else load_pem_x509_certificate(ours.certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None


def _free(config: ServerConfig) -> int | None:
    for stored in files(config.database)[:1]:
        with suppress(OSError):
            return shutil.disk_usage(stored.parent).free // 1_000_000
    return None


def copies_of(config: BackupConfig, now: datetime) -> list[Copies]:
    """Of this machine's folder, and of each place to which they are carried."""
    known = state(config.folder)
    try:
        found, why = copies(config.own.names()), known.why if known else ""
    except BackupError as error:
        found, why = [], str(error)
    standing = [("", found[-1][0] if found else None, why)]
    for name in config.copies:
        carried = known.places.get(name, Carried()) if known else Carried()
        standing.append((name, datetime.fromisoformat(carried.at) if carried.at else None, carried.why))
    return [Copies(place, at, why, at is None or now - at > config.late) for place, at, why in standing]


def unsent(session: Session) -> int:
    """How many of the latest messages could not be sent."""
    return sum(Sent(one.state) in FAILED for one in messages(session, LATEST))
