"""How is the server's own machine: its copies, its certificate, its disk? For the doctor, the pages and the alert."""

import shutil
from dataclasses import dataclass
from datetime import datetime

from cryptography.x509 import load_pem_x509_certificate

from server.backups.ages import copies
from server.backups.settings import BackupConfig
from server.backups.state import Carried, state
from server.config import ServerConfig
from server.database.engine import files
from server.errors import BackupError


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
    """copies: None where none are made. certificate: when ours for the broker ends. free: MB beside the database."""

    copies: tuple[Copies, ...] | None = None
    certificate: datetime | None = None
    free: int | None = None

    @property
    def late(self) -> tuple[Copies, ...]:
        return tuple(each for each in self.copies or () if each.late)


def measure(config: ServerConfig, now: datetime) -> Health:
    """What can be seen without asking another machine."""
    ours, free = config.broker.identity, None
    for stored in files(config.database)[:1]:
        try:
            free = shutil.disk_usage(stored.parent).free // 1_000_000
        except OSError:
            free = None
    try:
        ends = None if ours is None else load_pem_x509_certificate(ours.certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        ends = None
    return Health(None if config.backup is None else tuple(copies_of(config.backup, now)), ends, free)


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
