"""What is killed? The three processes of a site as it runs for real: a door's edge, mosquitto over TLS, the server.

The edge's Raspberry Pi is emulated, at the pace of real time.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path

from keys.keyring import Keyring
from policy.parse import export
from proofs.attacked import bundle, crowded
from proofs.mosquitto import PATIENCE, Mosquitto
from server.passwords import hash_password, hash_token, new_password, new_token
from simulator.edge_process import EdgeProcess
from simulator.pace import Pace
from simulator.remote import Event

EDGE = "front"

_EDGE_TOML = """\
site = "{site}"
edge = "front"

[keys]
own = "keys/edges/front/edge.pem"
server = "keys/edges/front/server.pub.pem"
credential = "keys/edges/front/credential.hex"

[broker]
host = "127.0.0.1"
port = {port}
ca = "keys/edges/front/ca.crt"
certificate = "keys/edges/front/tls.crt"
key = "keys/edges/front/tls.key"

[journal]
path = "journal.db"

[readers.front-in]
device = 0
[readers.front-out]
device = 1

[door.front]
reader_in = "front-in"
reader_out = "front-out"
strike_seconds = 0.5
strike = {{ line = 17 }}
"""

_SERVER_TOML = """\
database = "sqlite:///{folder}/server.db"

[keys]
server = "keys/server/server.pem"
credential = "keys/server/credential.hex"

[broker]
host = "127.0.0.1"
port = {port}
ca = "keys/server/ca.crt"
certificate = "keys/server/tls.crt"
key = "keys/server/tls.key"

[http]
port = 0

[staff]
name = "equipe"
password_hash = "{password}"

[api]
token_hash = "{token}"
"""
_EDGES_TOML = """
[[edges]]
id = "{edge}"
public_key = "{public}"
access_points = ["{edge}"]
"""


class Part(Enum):
    """What can be killed."""

    EDGE = "edge"
    BROKER = "broker"
    SERVER = "server"


class Killed:
    """One site in a folder of its own. hear: takes what its edge tells, in a thread of its own.

    others: edges of other access points of the bundle, which have keys and no process.
    """

    def __init__(self, folder: Path, hear: Callable[[Event], object], others: Sequence[str] = ()) -> None:
        """Raises CommandError where there is no mosquitto."""
        folder.mkdir()
        self.folder = folder
        self.journal, self.database = folder / "journal.db", folder / "server.db"
        self._keyring = Keyring.ensure(folder / "keys", bundle().site.id, EDGE, *others)
        self._broker = Mosquitto(self._keyring)
        self._server: subprocess.Popen[bytes] | None = None
        self._write()
        self.write_server_toml()
        self.edge = EdgeProcess(folder / "edge.toml", folder / "edge.log", hear)
        self._pace = Pace.starting(time.time_ns() // 1_000_000)

    def start(self, part: Part) -> None:
        """Raises CommandError for a broker that does not listen."""
        match part:
            case Part.EDGE:
                self.edge.start(self._pace.anchor)
            case Part.BROKER:
                self._broker.start()
            case Part.SERVER:
                self._start_server()

    def kill(self, part: Part) -> None:
        """SIGKILL, and wait until it is gone. Harmless when it does not run."""
        match part:
            case Part.EDGE:
                self.edge.cut()
            case Part.BROKER:
                self._broker.kill()
            case Part.SERVER if self._server is not None:
                self._server.kill()
                self._server.wait(PATIENCE)
                self._server = None

    def broken_down(self) -> str | None:
        """The last words of a process that has ended though nobody killed it."""
        if self.edge.broken_down:
            return f"the edge has ended by itself: {_end_of(self.folder / 'edge.log')}"
        if self._server is not None and self._server.poll() is not None:
            return f"the server has ended by itself: {_end_of(self.folder / 'server.log')}"
        return None

    def close(self) -> None:
        """Kill all, and forget the site."""
        for part in Part:
            self.kill(part)
        shutil.rmtree(self.folder)

    def _start_server(self) -> None:
        command = [sys.executable, "-m", "loquet", "server", "--config", str(self.folder / "server.toml")]
        if not self.database.exists():
            command += ["--bundle", str(self.folder / "bundle.json")]
        with (self.folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603

    def write_server_toml(self) -> None:
        """With the edges that have keys now."""
        keyring = Keyring.open(self.folder / "keys")
        values = {
            "folder": self.folder.resolve(),
            "port": self._broker.port,
            "password": hash_password(new_password()),
            "token": hash_token(new_token()),
        }
        edges = [_EDGES_TOML.format(edge=edge, public=keyring.public_hex(edge)) for edge in keyring.site.edges]
        (self.folder / "server.toml").write_text("".join((_SERVER_TOML.format(**values), *edges)), "utf-8")

    def _write(self) -> None:
        values = {"site": bundle().site.id, "port": self._broker.port}
        (self.folder / "bundle.json").write_bytes(export(crowded()))
        (self.folder / "edge.toml").write_text(_EDGE_TOML.format(**values), "utf-8")


def _end_of(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-600:] if log.exists() else "nothing"
