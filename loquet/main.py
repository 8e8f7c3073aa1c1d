"""The one console command. Each subcommand imports what it needs when it is called: an edge never loads Flask."""

import argparse
import importlib
import os
import sys
from importlib.util import find_spec

from console.errors import CommandError
from console.terminal import show_all
from console.version import version

COMMANDS = {
    "edge": "run the door or machine of one Raspberry Pi, or probe its readers",
    "server": "run the server: history, pages, publishing of rules",
    "keys": "make, renew, revoke and list the keys of a site",
    "init": "make a site from a few answers: its name, hours, doors, tiers",
    "demo": "run a whole invented site on this machine, without hardware",
    "doctor": "say what is wrong with an edge or a server, each with its remedy",
    "update": "put the newest version of this machine's own folder in place of the one that runs, and back if need be",
    "bundle": "check a bundle, or print the JSON Schema of bundles",
    "explain": "say line by line why a badge is let in or refused",
    "replay": "play scenarios in virtual time, or a recorded history under changed rules",
    "prove": "look for a broken promise: faults, kills, power cuts, forgeries, drawn from a seed",
    "bench": "measure decision, reader, journal and edge process, each beside its floor",
}
PARTS = {
    "edge": "edge's machine: give it on that, or there first: sudo firmware_config/install edge",
    "server": "server's machine: give it on that, or there first: sudo firmware_config/install server",
}
"""What a machine may lack the packages of."""


class _SayVersion(argparse.Action):
    """argparse's own would look it up at every start."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"loquet {version()}")
        parser.exit()


def main(argv: list[str] | None = None) -> int:
    """Run one subcommand; 0 when it went well, 1 when it did not, 2 when what it was given cannot be used."""
    show_all()
    arguments = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="loquet", description="Access control for cooperative spaces.")
    parser.add_argument("--version", action=_SayVersion, nargs=0, help="say which version this is, and end")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = next((word for word in arguments if word in COMMANDS), None)
    for name, purpose in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=purpose, description=purpose)
        if name == wanted:
            importlib.import_module(f"loquet.{name}").add_arguments(subparser)
    parsed = parser.parse_args(arguments)
    try:
        return int(importlib.import_module(f"loquet.{parsed.command}").run(parsed))
    except CommandError as error:
        print(f"loquet {parsed.command}: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if parsed.command not in PARTS or find_spec(package) is not None:
            raise
        print(
            f"loquet {parsed.command}: {package} is not installed: this is no {PARTS[parsed.command]}", file=sys.stderr
        )
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read what is printed has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
