"""Where do the demo's messages go? Into a box on this machine: a small mail server, an ntfy and a robot that take all.

Nothing leaves the machine: whoever tries the demo reads here what the invented people would have been sent. The server
sends as to any mail server, ntfy or webhook.
"""

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from policy.terms import Instant
from server.changes.messages import Channel
from server.config import HttpConfig, SmtpConfig
from simulator.loopback import HOST, free_port

SENDER = "loquet@casaco.example"
KEPT = 200
"""Letters; the oldest go first."""
LARGEST = 64 * 1024
"""Bytes of a request to the robot or ntfy that are read; theirs never hold so many."""
ROBOT = "/robot"


@dataclass(frozen=True, slots=True)
class Letter:
    """What arrived. at: by the demo's time, ms since 1970 UTC. to: an address, a topic, a name."""

    at: Instant
    channel: Channel
    to: str
    subject: str
    body: str


class Letters:
    """What has arrived. For any thread."""

    def __init__(self, clock: Callable[[], Instant]) -> None:
        self._clock = clock
        self._kept: deque[Letter] = deque(maxlen=KEPT)

    def take(self, channel: Channel, to: str, subject: str, body: str) -> None:
        self._kept.append(Letter(self._clock(), channel, to, subject, body))

    def latest_first(self) -> tuple[Letter, ...]:
        return tuple(reversed(self._kept.copy()))


class Mailbox:
    """The servers that take what is sent into `letters`: `start` once, `stop` at the end."""

    def __init__(self, letters: Letters) -> None:
        self._letters = letters
        self._mail = Controller(self, hostname=HOST, port=free_port())
        self._http = ThreadingHTTPServer((HOST, 0), _handler(letters))
        self._thread = threading.Thread(target=self._http.serve_forever, name="mailbox", daemon=True)

    def start(self) -> None:
        self._mail.start()
        self._thread.start()

    def stop(self) -> None:
        self._mail.stop()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def smtp(self) -> SmtpConfig:
        return SmtpConfig(HOST, self._mail.port, SENDER, "none")

    @property
    def ntfy(self) -> HttpConfig:
        return HttpConfig(f"http://{HOST}:{self._http.server_port}")

    @property
    def webhook(self) -> HttpConfig:
        return HttpConfig(f"http://{HOST}:{self._http.server_port}{ROBOT}")

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """As aiosmtpd's handler."""
        content = envelope.content
        read = message_from_bytes(content if isinstance(content, bytes) else b"", EmailMessage, policy=default)
        plain = read.get_body(("plain",))
        body = "\n".join(plain.get_content().splitlines()) if plain is not None else ""
        for to in envelope.rcpt_tos:
            self._letters.take(Channel.MAIL, to, str(read["Subject"] or ""), body)
        return "250 OK"


def _handler(letters: Letters) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = self._told()
            if told is None:
                self._answer(400, {"error": "not a message"})
            elif self.path == ROBOT:
                letters.take(Channel.WEBHOOK, told.get("to", ""), told.get("subject", ""), told.get("text", ""))
                self._answer(200, {})
            else:
                letters.take(Channel.NTFY, told.get("topic", ""), told.get("title", ""), told.get("message", ""))
                self._answer(200, {"id": "demo", "event": "message"})

        def _told(self) -> dict[str, str] | None:
            try:
                said = json.loads(self.rfile.read(min(LARGEST, int(self.headers["Content-Length"] or 0))))
            except ValueError:
                return None
            return {key: str(value) for key, value in said.items()} if isinstance(said, dict) else None

        def _answer(self, status: int, told: dict[str, str]) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """The page shows it."""

    return Handler
