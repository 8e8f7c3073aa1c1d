"""A mail server within the test's own process, that does as it is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from server.config import SmtpConfig
from simulator.loopback import free_port

OK = "250 OK"


@dataclass
class MailServer:
    """rcpt, data: what it answers to the address, and to the text. breaks: it hangs up once it has the text."""

    port: int = field(default_factory=free_port)
    rcpt: str = OK
    data: str = OK
    breaks: bool = False
    taken: list[EmailMessage] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt == OK:
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data == OK:
            content = envelope.content
            assert isinstance(content, bytes)
            read = message_from_bytes(content, policy=default)
            assert isinstance(read, EmailMessage)
            self.taken.append(read)
        if self.breaks:
            assert server.transport is not None
            server.transport.abort()
        return self.data

    @property
    def config(self) -> SmtpConfig:
        return SmtpConfig("127.0.0.1", self.port, "loquet@casaco.example", "none")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    told = MailServer()
    controller = Controller(told, hostname="127.0.0.1", port=told.port, server_hostname="localhost")
    controller.start()
    try:
        yield told
    finally:
        controller.stop()
