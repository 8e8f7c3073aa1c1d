"""`loquet server backup` and `restore`: how is a copy of the database made, and how does one come back?"""

from datetime import UTC, datetime
from pathlib import Path

from console.errors import CommandError
from server.backups.make import back_up, due
from server.config import ServerConfig
from server.errors import ServerError


def backup(told: Path, config: ServerConfig, *, if_due: bool) -> int:
    """told: the server.toml. if_due: only when the schedule says so, as a timer asks. Raises CommandError."""
    ours = config.backup
    if ours is None:
        raise CommandError(f"{told}: has no [backup], so no copies are made (server/sample.toml shows its keys)")
    try:
        if if_due and not due(ours, datetime.now(UTC)):
            return 0
        print("\n".join(back_up(config.database, ours, told, lambda: datetime.now(UTC))))
    except ServerError as error:
        raise CommandError(str(error)) from None
    return 0
