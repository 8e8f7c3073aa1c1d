"""`loquet demo`: a whole invented site on this machine. Broker, server and people in this process, the edge in its own.

Everything lies in one folder; Ctrl-C ends it, the next start goes on at the instant at which it stopped.
"""

import argparse
import logging
import signal
import socket
import threading
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from console.errors import CommandError
from console.terminal import say
from simulator.loopback import HOST


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reset", action="store_true", help="forget the last demo and start afresh")
    parser.add_argument("--port", type=int, default=8000, help="the page's port on this machine (default 8000)")
    parser.add_argument("--dir", type=Path, default=Path(".demo"), metavar="DIR", help="its folder (default .demo)")


def run(arguments: argparse.Namespace) -> int:
    """0 once it was ended by Ctrl-C, 1 when a part of it broke down. Raises CommandError."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    check_port(arguments.port)
    say("Loquet demo: an invented site. The hardware is simulated: badges, readers, strike and door are not real.")
    from simulator.demo.folder import Folder
    from simulator.demo.site import DemoSite

    today = datetime.now(ZoneInfo("Europe/Paris")).date()
    with closing(Folder(arguments.dir, reset=arguments.reset, today=today)) as folder:
        log_to(folder.path / "demo.log")
        return DemoSite(folder, arguments.port).run(ended)


def check_port(port: int) -> None:
    """Raises CommandError when the page's port cannot be had: better before anything else is started."""
    if not 0 < port < 65536:
        raise CommandError(f"--port {port}: use 1 to 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            why = error.strerror or str(error)
            remedy = "end the program that uses it, or take another: make demo PORT=8001 (loquet demo --port 8001)"
            raise CommandError(f"port {port} on {HOST}: {why}: {remedy}") from None


def log_to(file: Path) -> None:
    """The terminal is for people: everything else goes into a file, or nowhere when the disk is full."""
    logging.raiseExceptions = False
    logging.basicConfig(filename=file, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
