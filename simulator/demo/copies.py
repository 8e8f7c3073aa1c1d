"""How does the demo keep copies of its database? Sealed ones, into its own folder, by the routine of a real server."""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from keys.keyring import Keyring
from server.backups.make import back_up, due
from server.backups.settings import BackupConfig
from server.config import ServerConfig
from server.errors import ServerError

MINUTES = 60
"""Of the demo's time from one copy to the next: at its fastest a minute."""

log = logging.getLogger("loquet.demo")


def told(folder: Path, keys: Keyring) -> BackupConfig:
    """What a server.toml would say under [backup]."""
    kept = folder / "copies"
    kept.mkdir(mode=0o700, exist_ok=True)
    return BackupConfig(keys.recipient, kept, minutes=MINUTES)


def make_due(config: ServerConfig, keys: Keyring, now: Callable[[], datetime]) -> None:
    """Make a copy if one is due. One that could not be made is told on *Santé*, and ends no demo."""
    if config.backup is None:
        return
    try:
        if due(config.backup, now()):
            back_up(config.database, config.backup, keys.server / "server.toml", config.server_key, now)
    except ServerError as error:
        log.warning("no copy of the database: %s", error)
