"""`loquet server backup` and `restore`: how is a copy of the database made, and how does one come back?"""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from console.errors import CommandError
from server.backups.make import back_up, due
from server.backups.restore import Doors
from server.backups.restore import restore as put
from server.config import ServerConfig
from server.errors import ServerError
from server.keys import private_key
from server.link import retained
from wire.credential import pseudonym
from wire.envelope import unseal
from wire.errors import WireError
from wire.messages import Rules, decode
from wire.ruleset import unpack
from wire.topics import Topics


def backup(told: Path, config: ServerConfig, *, if_due: bool) -> int:
    """told: the server.toml. if_due: only when the schedule says so, as a timer asks. Raises CommandError."""
    ours = config.backup
    if ours is None:
        raise CommandError(f"{told}: has no [backup], so no copies are made (server/sample.toml shows its keys)")
    try:
        if if_due and not due(ours, datetime.now(UTC)):
            return 0
        print("\n".join(back_up(config.database, ours, told, config.server_key, lambda: datetime.now(UTC))))
    except ServerError as error:
        raise CommandError(str(error)) from None
    return 0


def restore(
    file: str | None, config: ServerConfig, *, identity: Path | None, signed_by: Path | None, agreed: bool
) -> int:
    """signed_by: the key of this server when it made the copy, where that was renewed since.

    Raises CommandError; for what would be good again, too, until it is agreed.
    """
    if file is None:
        raise CommandError("restore: which file? loquet server restore loquet-20261124T090000Z.age --identity FILE")
    now, ask, copy = datetime.now(UTC), partial(_doors, config), Path(file)
    try:
        key = (config.server_key if signed_by is None else private_key(signed_by)).public_key()
        told = put(
            config.database,
            copy,
            agreed=agreed,
            now=now,
            key=key,
            identity=identity,
            ask=ask,
            control=config.control,
        )
    except ServerError as error:
        raise CommandError(str(error)) from None
    print("\n".join(told))
    return 0


def _doors(config: ServerConfig, site: str) -> Doors | None:
    """The rules that the broker keeps for doors, as far as this server signed them; None where there are none."""
    topic = Topics(site).rules
    kept = retained(config.broker, site, topic)
    if kept is None:
        return None
    try:
        rules = decode(Rules, unseal(config.server_key.public_key(), "server", topic, kept), topic)
        return Doors(unpack(rules.body), partial(pseudonym, config.credential_key))
    except WireError as error:
        raise CommandError(f"{error}: what the broker keeps is not this server's: see who writes there") from None
