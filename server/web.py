"""How are the pages served? By waitress, in a thread of its own, on one address."""

import socket
from threading import Thread
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from server.errors import ServerError
from server.live import MAX_STREAMS

THREADS = MAX_STREAMS + 8
"""One for each live page, and some that answer."""


LOOK = 0.25
"""Seconds from one look at whether it is to end to the next, when nobody asks for anything."""


class Web:
    """Bound at once, served after start(). Raises ServerError when the address cannot be had."""

    def __init__(self, app: Flask, host: str, port: int) -> None:
        self._sockets: dict[int, Any] = {}
        self._stopping = False
        self._server = create_server(
            app,
            map=self._sockets,
            sockets=[_listen(host, port)],
            threads=THREADS,
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
        self.port: int = self._server.effective_port
        self._thread = Thread(target=self._serve, name="web", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End every connection and wait for the thread. Live streams must have been closed before."""
        self._stopping = True
        if self._thread.ident is not None:
            self._thread.join()
        else:
            self._end()

    def _serve(self) -> None:
        while not self._stopping:
            wasyncore.loop(timeout=LOOK, map=self._sockets, count=1)
        self._end()

    def _end(self) -> None:
        self._server.task_dispatcher.shutdown(timeout=2)
        wasyncore.close_all(self._sockets)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ServerError(
            f"http port {port} on {host}: {error.strerror or error}; "
            "stop the program that uses it, or give another port"
        ) from None
