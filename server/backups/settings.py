"""What is a server told of its copies? [backup] of server.toml, checked."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from console import age
from console.age import AgeError
from server.backups.places import Folder, Place, place_of
from server.errors import BackupError, ConfigError

SHORTEST, LONGEST = 5, 60
"""Minutes from one copy to the next: those of each hour are kept, so that one is made in each."""
SLACK = 3
"""So many intervals may pass before the last copy is called old: one was missed, the next is being made."""


@dataclass(frozen=True, slots=True)
class BackupConfig:
    """recipient: age's public key, whose other half opens the copies. folder: where they lie on this machine.

    copies: where else each is carried: folders, sftp addresses. minutes: from one to the next. days: after so many
    the oldest goes. ssh_key: for sftp; known_hosts: the machines that are believed.
    """

    recipient: str
    folder: Path
    copies: tuple[str, ...] = ()
    minutes: int = SHORTEST
    days: int = 30
    ssh_key: Path | None = None
    known_hosts: Path = Path("known_hosts")

    @property
    def late(self) -> timedelta:
        """The age from which on the newest copy is too old."""
        return timedelta(minutes=SLACK * self.minutes)

    @property
    def own(self) -> Folder:
        return Folder(self.folder)

    def others(self) -> dict[str, Place]:
        """Where else copies are carried. Raises BackupError."""
        return {written: place_of(written, self.ssh_key, self.known_hosts) for written in self.copies}


def check(config: BackupConfig, retention_days: int) -> None:
    """Raises ConfigError naming the key, its value and the remedy."""
    if config.recipient.upper().startswith("AGE-SECRET-KEY-"):
        raise ConfigError(
            "backup recipient: is the identity, which opens the copies and stays off the server: give the age1... of"
            " `loquet keys list`; it was seen here: make another with `loquet keys rotate FOLDER backup`"
        )
    try:
        age.check(config.recipient)
    except AgeError as error:
        raise ConfigError(
            f"backup recipient {config.recipient!r}: {error}: give the age1... of `loquet keys list`"
        ) from None
    if not config.folder.is_absolute():
        raise ConfigError(f"backup folder {str(config.folder)!r}: give its whole path, as /var/backups/loquet")
    if not SHORTEST <= config.minutes <= LONGEST:
        raise ConfigError(f"backup minutes {config.minutes}: from one copy to the next give {SHORTEST} to {LONGEST}")
    if not 1 <= config.days <= retention_days:
        raise ConfigError(
            f"backup days {config.days}: a copy holds who came and went, which is kept for {retention_days} days"
            f" (retention_days): give 1 to {retention_days}"
        )
    try:
        config.others()
    except BackupError as error:
        raise ConfigError(str(error)) from None
