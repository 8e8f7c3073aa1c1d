"""A mail server within the test's own process, that does as it is told."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keys.certificates import authority, issue, new_key
from server.config import SmtpConfig
from simulator.loopback import free_port

OK = "250 OK"
USER, PASSWORD = "loquet", "correct horse"


def certified(folder: Path, host: str) -> tuple[ssl.SSLContext, str]:
    """What a mail server of this name shows, and the file of the authority that vouches for it."""
    root, own = new_key(), new_key()
    ca = authority(root, "essai")
    issued = issue(root, ca, own.public_key(), "mail", [host])
    files = {name: folder / f"{name}.pem" for name in ("ca", "mail", "key")}
    files["ca"].write_bytes(ca.public_bytes(Encoding.PEM))
    files["mail"].write_bytes(issued.public_bytes(Encoding.PEM))
    files["key"].write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trust.load_cert_chain(files["mail"], files["key"])
    return trust, str(files["ca"])


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

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, said: object
    ) -> AuthResult:
        right = isinstance(said, LoginPassword) and (said.login, said.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)

    @property
    def config(self) -> SmtpConfig:
        return SmtpConfig("127.0.0.1", self.port, "loquet@casaco.example", "none")


@contextmanager
def mail_server(trust: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    """trust: of one that takes nothing before STARTTLS and a login."""
    told = MailServer()
    how = {"tls_context": trust, "require_starttls": True, "auth_required": True} if trust is not None else {}
    controller = Controller(
        told,
        hostname="127.0.0.1",
        port=told.port,
        server_hostname="localhost",
        authenticator=told.authenticate,
        **how,
    )
    controller.start()
    try:
        yield told
    finally:
        controller.stop()
