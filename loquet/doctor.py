"""`loquet doctor`: what is wrong with this machine, and what mends it? For whoever stands before it, and monitoring."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from console.errors import CommandError
from console.finding import Finding, Level
from console.installed import installed

EDGE, SERVER = Path("/etc/loquet/edge.toml"), Path("/etc/loquet/server/server.toml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--edge", type=Path, metavar="FILE", help=f"the edge.toml of this machine ({EDGE} if it is there)"
    )
    parser.add_argument(
        "--server", type=Path, metavar="FILE", help=f"the server.toml of this machine ({SERVER} if it is there)"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON, for a program")


def run(arguments: argparse.Namespace) -> int:
    """0 when nothing is to be done, 1 when something is. Raises CommandError where there is nothing to look at."""
    edge, server = arguments.edge, arguments.server
    if edge is None and server is None:
        edge, server = (file if installed(file) else None for file in (EDGE, SERVER))
    if edge is None and server is None:
        raise CommandError(f"neither {EDGE} nor {SERVER} is there: name one with --edge or --server")
    found = [*_of_edge(edge), *_of_server(server)]
    if arguments.json:
        print(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=2))
    else:
        for each in sorted(found, key=lambda each: tuple(Level).index(each.level), reverse=True):
            print(f"{each.level:<6}{each.about}: {each.said}")
            if each.remedy:
                print(f"      -> {each.remedy}")
    return 0 if all(each.level in (Level.WELL, Level.NOTE) for each in found) else 1


def _of_edge(file: Path | None) -> Iterator[Finding]:
    if file is not None:
        from edge.doctor import look
        from edge.hardware.clock import SystemClock

        yield from look(file, SystemClock())


def _of_server(file: Path | None) -> Iterator[Finding]:
    if file is not None:
        from server.doctor import look

        yield from look(file, datetime.now(UTC))
