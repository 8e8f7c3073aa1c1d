"""How does systemd learn that an edge hangs? The control loop says that it goes round (sd_notify(3)), and nobody else;
and that only when the poller has gone round since, too.

What reads the emergency stops and drives the outputs is watched. Link and disk have no say, nor has a reader that does
not answer, as long as the bus lets go of the thread. firmware_config/loquet-edge.service has the seconds.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

SAID = b"READY=1\nWATCHDOG=1"
"""The first of them says that the edge has started; from then on it is watched."""


class Watchdog:
    """surroundings: a process's environment, in which systemd names its socket; where it names none, nobody is told."""

    def __init__(self, surroundings: Mapping[str, str] = os.environ) -> None:
        self._address = surroundings.get("NOTIFY_SOCKET", "").replace("@", "\0", 1)

    def feed(self) -> None:
        """The loops went round. Never waits, never fails."""
        self._say(SAID)

    def answered(self, seq: int) -> None:
        """The server has all up to this row: `systemctl status` shows it, and `loquet update` waits for it."""
        self._say(f"STATUS=the server has all up to row {seq}".encode())

    def _say(self, what: bytes) -> None:
        if self._address:
            kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
            with suppress(OSError), socket.socket(socket.AF_UNIX, kind) as there:
                there.sendto(what, self._address)
