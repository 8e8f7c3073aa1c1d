"""A real mosquitto over TLS for a site's keys, on loopback, that can be killed and started again: for tests and proofs.

    with Mosquitto(Keyring.ensure(folder, "casaco", "front", "garage")) as broker:
        ...  # listens on 127.0.0.1:broker.port; keyring.edge("front") holds ca.crt, tls.crt and tls.key for a client

Its configuration is what `loquet keys` makes, but for the address that it listens on and the folder that it reads.
"""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from console.errors import CommandError
from keys import mosquitto
from keys.keyring import Keyring
from simulator.loopback import HOST, free_port

PATIENCE = 10.0
"""Seconds for a start or an end."""


class Mosquitto:
    """One broker; its port stays the same from one start to the next. Raises CommandError where there is none."""

    def __init__(self, keyring: Keyring, port: int = 0) -> None:
        """port: 0 for any free one."""
        self.port = port or free_port()
        self.log = keyring.broker / "test.log"
        self._keyring = keyring
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Read the site's lists as they are now, and listen."""
        config = self._keyring.broker / "test.conf"
        listener = f"{self.port} {HOST}"
        lines = mosquitto.conf(len(self._keyring.site.edges), self._keyring.broker.resolve(), listener)
        config.write_text(f"{lines}\nuser root\n")  # else it becomes somebody who may not read what is ours
        with self.log.open("ab") as log:
            self._child = subprocess.Popen([program(), "-c", str(config)], stdout=log, stderr=log)  # noqa: S603
        self._await()

    def kill(self) -> None:
        """As a power cut would. Does nothing when it does not run."""
        if self._child is not None:
            self._child.kill()
            self._child.wait(PATIENCE)
        self._child = None

    def halt(self) -> None:
        """As one that hangs: the system still takes connections for it, and nothing is said. `kill` ends it."""
        if self._child is not None:
            self._child.send_signal(signal.SIGSTOP)

    def restart(self) -> None:
        self.kill()
        self.start()

    def _await(self) -> None:
        """Until it listens. Raises CommandError with its last words when it does not."""
        end = time.monotonic() + PATIENCE
        while self._child is not None and self._child.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection((HOST, self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.01)
        self.kill()
        raise CommandError(f"mosquitto does not listen on port {self.port}: {self.log.read_text()[-500:]}")

    def __enter__(self) -> "Mosquitto":
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.kill()


def program() -> Path:
    """Where mosquitto is. Raises CommandError with the remedy."""
    found = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if found is None:
        raise CommandError("mosquitto is not installed: sudo apt-get install mosquitto")
    return Path(found)
