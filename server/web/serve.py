"""How are the pages served? By waitress, in a thread of its own, on one address.

A request takes a thread once all of it is there, in memory; until then it is one of so many connections, of which the
one that has waited the longest makes room. So whoever sends half of something, or much, keeps nobody else waiting.
"""

import logging
import socket
from copy import copy
from functools import partial
from threading import Thread
from time import monotonic, sleep
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server

from server.errors import ServerError
from server.web.live import MAX_STREAMS
from server.web.sessions import COOKIE

log = logging.getLogger("loquet.server")

THREADS = MAX_STREAMS + 8
"""One for each live page, and some that answer."""
CONNECTIONS = 200
"""At once. One more, and the one that has waited the longest without a whole request is closed."""
WHOLE = 20.0
"""Seconds for a request to be whole, from the connection or the answer before on; also for an answer to be fetched."""
MAX_HEADER = 16 * 1024
"""Bytes of a request before its body."""
FORWARDED = "x-forwarded-for x-forwarded-proto"
"""What the proxy says of a request: whose it is, and whether it came over https."""
LOOK = 0.25
"""Seconds from one look at whether it is to end to the next, when nobody asks for anything."""


class _Request(HTTPRequestParser):  # type: ignore[misc]
    """One that may be larger where a file is sent, by somebody who says that they are logged in.

    files: the addresses. most: the first size that is refused there.
    """

    def __init__(self, files: frozenset[str], most: int, adj: Any) -> None:
        super().__init__(adj)
        self.adj: Any = adj
        self._files, self._most = files, most

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.command == "POST" and self.path in self._files and f"{COOKIE}=" in self.headers.get("COOKIE", ""):
            larger: Any = copy(self.adj)
            larger.max_request_body_size = self._most
            self.adj = larger


class _Connection(HTTPChannel):  # type: ignore[misc]
    """since: when it began to wait for a whole request, in monotonic seconds."""

    def __init__(self, *how: Any, **more: Any) -> None:
        super().__init__(*how, **more)
        self.since = monotonic()

    def service(self) -> None:
        super().service()
        self.since = monotonic()


class Web:
    """Bound at once, served after start(). Raises ServerError when the address cannot be had.

    trusted_proxy: the address whose X-Forwarded-For and X-Forwarded-Proto are believed; from others they are dropped.
    """

    def __init__(self, app: Flask, host: str, port: int, trusted_proxy: str | None = None) -> None:
        self._sockets: dict[int, Any] = {}
        self._stopping = False
        believed = {"trusted_proxy": trusted_proxy, "trusted_proxy_headers": FORWARDED} if trusted_proxy else {}
        self._server = create_server(
            app,
            map=self._sockets,
            sockets=[_listen(host, port)],
            threads=THREADS,
            ident=None,
            connection_limit=2 * CONNECTIONS,  # never reached: there it would accept none at all
            max_request_header_size=MAX_HEADER,
            max_request_body_size=app.config["MAX_CONTENT_LENGTH"] + 1,  # the first size that it refuses
            clear_untrusted_proxy_headers=True,
            **believed,
        )
        files = frozenset(path for (_, path), line in app.config["ACCESS"].items() if line.upload)
        parser = partial(_Request, files, app.config["MAX_UPLOAD"] + 1)
        self._server.channel_class = type("_Channel", (_Connection,), {"parser_class": staticmethod(parser)})
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
            try:
                wasyncore.loop(timeout=LOOK, use_poll=True, map=self._sockets, count=1)
                self._make_room()
            except Exception:  # else nobody would answer any more, and the server go on without pages
                log.exception("pages: a mistake of ours; the others are answered")
                sleep(LOOK)
        self._end()

    def _make_room(self) -> None:
        """Close who has waited for too long, and of too many the longest; not who is being answered."""
        channels = list(self._server.active_channels.values())
        waiting = sorted((channel for channel in channels if not channel.requests), key=lambda channel: channel.since)
        too_many, too_late = len(channels) - CONNECTIONS, monotonic() - WHOLE
        for number, channel in enumerate(waiting):
            if number < too_many or channel.since < too_late:
                channel.handle_close()

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
