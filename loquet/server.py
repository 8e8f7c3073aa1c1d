"""loquet server: run the server from server.toml, until SIGTERM or Ctrl-C; or tell the running one what to do."""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING

from console.errors import CommandError
from console.installed import installed
from loquet.bundle import read_bundle, warn
from policy.bundle import Bundle
from policy.errors import BundleError

if TYPE_CHECKING:
    from server.config import ServerConfig
    from server.control import Request


CONFIG = Path("/etc/loquet/server/server.toml")
"""Where it lies on a server that was set up as docs/keys.md says."""
ORDERS = {
    "open": "release the strike of a DOOR once",
    "lock-out": "end the session on a MACHINE at once, and start none until it is reset",
    "sound": "let lamp and buzzer of a READER show where it is",
    "reread": "let an EDGE connect anew and take everything again",
    "invite": "with --admin: a one-time link for an administrator, good for 24 h",
    "lockdown": "on: let in staff only, and everybody out; off: as before",
}
CHECKS = {
    "audit --verify": "is it as it was written who decided what, and who looked at whom?",
    "purge --check": "is everything forgotten whose time is over?",
}
"""Read the database themselves, whether a server runs or not."""
BACKUP, RESTORE, EXPORT = "backup", "restore", "export"
"""Beside the running server; with the server stopped; beside it again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    listed = "; ".join(f"{order}: {what}" for order, what in ORDERS.items())
    checked = "; ".join(f"{check}: {what}" for check, what in CHECKS.items())
    parser.add_argument(
        "order",
        nargs="?",
        choices=(*ORDERS, *(check.split()[0] for check in CHECKS), BACKUP, RESTORE, EXPORT),
        metavar="ORDER",
        help=f"for the running server, done within 10 s: {listed}; with or without it: {checked}; "
        "backup: make a sealed copy of the database now, as [backup] of server.toml says; without it: "
        "restore: put the copy FILE of the database in its place, or say what it would make good again; "
        "export: with --moving, into a new FOLDER all that a site takes along to another server or program",
    )
    parser.add_argument(
        "place",
        nargs="?",
        metavar="PLACE",
        help="the id of that door, machine, reader or edge; for lockdown: on or off; for restore: the file; for "
        "export: the folder",
    )
    parser.add_argument("--admin", action="store_true", help="with invite: for the account that administers the others")
    parser.add_argument(
        "--verify", nargs="?", const="", metavar="LINK", help="with audit; LINK: a last link that was noted earlier"
    )
    parser.add_argument("--check", action="store_true", help="with purge: look, and change nothing")
    parser.add_argument("--moving", action="store_true", help="with export: the one there is")
    parser.add_argument(
        "--vouch",
        action="append",
        default=[],
        metavar="MEMBER",
        help="with export: who vouches for what the bank of hours owes; two, and a third for what it owes these two",
    )
    parser.add_argument("--badges", action="store_true", help="with export: the numbers of all badges, too")
    parser.add_argument("--if-due", action="store_true", help="with backup: unless the newest copy is new enough")
    parser.add_argument(
        "--identity", type=Path, metavar="FILE", help="with restore: backup/identity.txt of the site's keys"
    )
    parser.add_argument(
        "--signed-by",
        type=Path,
        metavar="FILE",
        help="with restore: the server.pem of before, where that was renewed",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"the server.toml ({CONFIG} when it is there)")
    parser.add_argument(
        "--socket", type=Path, metavar="FILE", help="with ORDER: the running server's, instead of --config"
    )
    parser.add_argument(
        "--new-secrets", action="store_true", help="draw a staff password and an API token; print them and their hashes"
    )
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="FILE",
        help="first make the site what this bundle says, by its differences from what is stored",
    )
    parser.add_argument(
        "--agree",
        action="store_true",
        help="with --bundle: what the bundle lacks ends; with restore: all that is told but badges is good again",
    )
    parser.add_argument(
        "--store-only", action="store_true", help="with --bundle: end when it is stored; nothing is served"
    )
    parser.add_argument(
        "--unblock",
        action="append",
        default=[],
        metavar="UID",
        help="with --bundle: this badge, lost or stolen so far, is good again if the bundle says so; may be repeated",
    )


def run(arguments: argparse.Namespace) -> int:
    """0 when it went well; of an order 1 when it was not done. Raises CommandError."""
    if arguments.admin is not (arguments.order == "invite"):
        raise CommandError("invite and --admin go together: loquet server invite --admin; others are invited by page")
    if arguments.order is not None and (arguments.new_secrets or arguments.bundle):
        raise CommandError(f"{arguments.order}: goes without --bundle and --new-secrets; nothing was done")
    if (arguments.moving or bool(arguments.vouch) or arguments.badges) and arguments.order != EXPORT:
        raise CommandError("--moving, --vouch and --badges go with export: loquet server export FOLDER --moving")
    if arguments.new_secrets:
        return _new_secrets()
    if (arguments.verify is not None) is not (arguments.order == "audit"):
        raise CommandError("audit and --verify go together: loquet server audit --verify")
    if arguments.check is not (arguments.order == "purge"):
        raise CommandError("purge and --check go together: loquet server purge --check; the server itself forgets")
    if arguments.order == "audit":
        return _verify(arguments)
    if arguments.order == "purge":
        return _check_purge(_load(_config(arguments.config)))
    if arguments.if_due and arguments.order != BACKUP:
        raise CommandError("backup and --if-due go together: loquet server backup --if-due")
    if arguments.order == BACKUP:
        from loquet.server_copies import backup

        told = _config(arguments.config)
        return backup(told, _load(told), if_due=arguments.if_due)
    if arguments.order == RESTORE:
        from loquet.server_copies import restore

        config = _load(_config(arguments.config))
        return restore(
            arguments.place,
            config,
            identity=arguments.identity,
            signed_by=arguments.signed_by,
            agreed=arguments.agree,
        )
    if arguments.order == EXPORT:
        return _export(arguments)
    if arguments.order is not None:
        return _order(arguments)
    if arguments.bundle is None and (arguments.agree or arguments.unblock or arguments.store_only):
        raise CommandError("--agree, --store-only and --unblock go with --bundle FILE")
    return _serve(_config(arguments.config), arguments)


def _config(given: Path | None) -> Path:
    if given is None and not installed(CONFIG):
        raise CommandError(f"--config FILE is needed: there is no {CONFIG} (server/sample.toml shows what it holds)")
    return given or CONFIG


def _verify(arguments: argparse.Namespace) -> int:
    """1 where the audit is not as it was written."""
    from server.audit import verify
    from server.database.engine import beside_the_server

    with _errors(), beside_the_server(_load(_config(arguments.config)).database) as session:
        chain = verify(session, arguments.verify)
    if chain.broken is not None:
        print(f"audit: broken at row {chain.broken}: it, or one before it, is not what was written")
    elif not chain.met:
        print(f"audit: {arguments.verify} is not in it: rows at its end are gone, or it was written anew")
    else:
        print(f"audit: {chain.rows} rows, all as they were written; the last link is {chain.last or 'none yet'}")
    return 1 if chain.broken is not None or not chain.met else 0


def _export(arguments: argparse.Namespace) -> int:
    """All that the site takes along, into a folder."""
    from server.database.engine import beside_the_server
    from server.main import wall_clock
    from server.moving import write

    if arguments.place is None or not arguments.moving:
        raise CommandError("export: into which folder? loquet server export FOLDER --moving")
    with _errors(), beside_the_server(_load(_config(arguments.config)).database) as session:
        told = write(session, Path(arguments.place), arguments.vouch, wall_clock(), badges=arguments.badges)
    print("\n".join(told))
    return 0


def _check_purge(config: "ServerConfig") -> int:
    """1 where something is left of what should be forgotten by now."""
    from server.changes.purge import first_kept, left_over
    from server.database.engine import beside_the_server, files
    from server.main import wall_clock
    from server.publish.bundle import calendar_of
    from server.queries.remains import found, unused

    with _errors(), beside_the_server(config.database) as session:
        now = wall_clock()
        kept_from = first_kept(calendar_of(session), now, config.retention_days)
        told = [
            f"{table}: {count} rows that are too old" for table, count in left_over(session, kept_from, now).items()
        ]
        told += found(files(config.database), unused(session, config.credential_key, kept_from))
    if not files(config.database):
        print("purge: of PostgreSQL the tables alone are looked at: its files are its own")
    since = datetime.fromtimestamp(kept_from / 1000, UTC)
    print("\n".join(told) if told else f"purge: clean, nothing is left of who came and went before {since:%Y-%m-%d}")
    return 1 if told else 0


def _order(arguments: argparse.Namespace) -> int:
    from server.control import WRONG, ask

    path = arguments.socket or _socket(_config(arguments.config))
    try:
        answer = ask(path, _request(arguments.order, arguments.place))
    except PermissionError:
        raise CommandError(f"{path}: this account may not use it: run it as the server's user, or with sudo") from None
    except OSError as error:
        raise CommandError(
            f"{path}: no server answers there ({error.strerror or error}): start it, or name its config"
        ) from None
    except ValueError:
        raise CommandError(
            f"{path}: the server let go without an answer: see its log, and whether the order was carried out"
        ) from None
    if answer.status == WRONG:
        raise CommandError(answer.said)
    print(answer.said)
    return answer.status


def _request(order: str, place: str | None) -> "Request":
    from server.control import Request

    if order == "invite":
        return Request("invite_admin")
    if order == "lockdown":
        if place not in ("on", "off"):
            raise CommandError(f"lockdown{f' {place}' if place else ''}: say on or off")
        return Request(f"lockdown_{place}")  # type: ignore[arg-type]
    if place is None:
        raise CommandError(f"{order}: of what? {ORDERS[order]}")
    return Request(order.replace("-", "_"), place)  # type: ignore[arg-type]


@contextmanager
def _errors() -> Iterator[None]:
    """What the server's code refuses, as a command says it."""
    from server.errors import ServerError

    try:
        yield
    except ServerError as error:
        raise CommandError(str(error)) from None


def _load(config: Path) -> "ServerConfig":
    from server.config_file import load

    with _errors():
        return load(config)


def _socket(config: Path) -> Path:
    """The running server's, by its configuration."""
    path = _load(config).control
    if path is None:
        raise CommandError(
            f"{config}: its server takes no orders: its database is no SQLite file, beside which the socket would lie; "
            'name one before [keys], as socket = "/var/lib/loquet/control", and start the server again'
        )
    return path


def _new_secrets() -> int:
    from server.passwords import hash_password, hash_token, new_password, new_token

    password, token = new_password(), new_token()
    print(f"Staff password  {password}\nAPI token       {token}\n")
    print("Keep both; they are shown this once. In server.toml stand their hashes:\n")
    print(f'[staff]\nname = "equipe"\npassword_hash = "{hash_password(password)}"\n')
    print(f'[api]\ntoken_hash = "{hash_token(token)}"')
    return 0


def _agreed(ending: Exception) -> bool:
    """Whether somebody at a terminal says that it may end."""
    if not sys.stdin.isatty():
        return False
    print(ending)
    return input("Import it all the same? Write yes: ").strip().lower() == "yes"


def _bundle(path: Path | None) -> Bundle | None:
    if path is None:
        return None
    bundle = read_bundle(path)
    warn(path, bundle)
    return bundle


def _serve(config: Path, arguments: argparse.Namespace) -> int:
    file: Path | None = arguments.bundle
    bundle = _bundle(file)
    from server.errors import ServerError, WouldEndError

    told = _load(config)
    from server.main import Server, tuned  # seconds on a Pi: what cannot be used is said before

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: ended.set())

    def server_of(agreed: bool) -> Server:
        return Server(told, bundle=bundle, by=getuser(), agreed=agreed, unblock=arguments.unblock)

    try:
        try:
            server = server_of(arguments.agree)
        except WouldEndError as error:
            if not _agreed(error):
                raise
            server = server_of(True)
    except BundleError as error:
        raise CommandError(f"{file}: {error}" if file else str(error)) from None
    except ServerError as error:
        raise CommandError(str(error)) from None
    try:
        if arguments.store_only:
            return 0
        with tuned():
            server.start()
            ended.wait()
    except ServerError as error:
        raise CommandError(str(error)) from None
    finally:
        server.stop()
    return 0
