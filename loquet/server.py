"""loquet server: how is the server started? From server.toml, until SIGTERM or Ctrl-C."""

import argparse
import logging
import signal
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

from loquet.main import CommandError
from policy.bundle import Bundle
from policy.errors import BundleError
from policy.parse import parse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", type=Path, metavar="FILE", help="run with this server.toml")
    what.add_argument(
        "--new-secrets", action="store_true", help="draw a staff password and an API token; print them and their hashes"
    )
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="FILE",
        help="first make the site what this bundle says, in place of what is stored",
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.new_secrets:
        return _new_secrets()
    return _serve(arguments.config, arguments.bundle)


def _new_secrets() -> int:
    from server.secrets import hash_password, hash_token, new_password, new_token

    password, token = new_password(), new_token()
    print(f"Staff password  {password}\nAPI token       {token}\n")
    print("Keep both; they are shown this once. In server.toml stand their hashes:\n")
    print(f'[staff]\nname = "equipe"\npassword_hash = "{hash_password(password)}"\n')
    print(f'[api]\ntoken_hash = "{hash_token(token)}"')
    return 0


def _bundle(path: Path | None) -> Bundle | None:
    if path is None:
        return None
    try:
        return parse(path.read_bytes(), str(path), ZoneInfo)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}: give the path of a bundle") from None
    except BundleError as error:
        raise CommandError(str(error)) from None


def _serve(config: Path, file: Path | None) -> int:
    bundle = _bundle(file)
    from server.config import load
    from server.errors import ServerError
    from server.main import Server

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: ended.set())
    try:
        server = Server(load(config), bundle=bundle)
    except BundleError as error:
        raise CommandError(f"{file}: {error}" if file else str(error)) from None
    except ServerError as error:
        raise CommandError(str(error)) from None
    try:
        server.start()
        ended.wait()
    finally:
        server.stop()
    return 0
