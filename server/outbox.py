"""How do messages leave? One by one, each by its channel; what its server says, or does not, is noted on the disk.

Mail is here (SMTP), the other channels in server/channels.py.
"""

import logging
import re
import smtplib
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from socket import gethostname

from server.changes.messages import Channel, State, found_at_start, settle, take
from server.config import SmtpConfig
from server.database.engine import Database
from server.models import Message
from server.queries.messages import ADDRESS

log = logging.getLogger("loquet.server")

PATIENCE = 30.0
"""Seconds that the mail server has for each answer."""
SEVEN_BIT = SMTP.clone(cte_type="7bit")
"""What every mail server passes on."""


LOGIN, CERTIFICATE, NO_TLS = "login", "certificate", "starttls"
"""What a reason begins with where whoever administers can mend it (server/text/messages.py). Where the address takes no
mail: server/queries/messages.py:ADDRESS."""
POLICY = re.compile(rb"5\.7\.|.*\b(relay|authentica)", re.IGNORECASE | re.DOTALL)
"""A refusal that is the mail server's own policy, whatever the address: by its number (RFC 3463), or by its words where
it gives none, as Exim does."""
Carrier = Callable[[Message], tuple[State, str]]
"""Sends one message: what became of it, and why where it was not sent."""


def by_mail(smtp: SmtpConfig) -> dict[str, Carrier]:
    return {Channel.MAIL: lambda message: send(smtp, letter(smtp, message), message.to)}


class Outbox:
    """`start` once, then `tick` from time to time, from one thread."""

    def __init__(self, database: Database, carriers: Mapping[str, Carrier], clock: Callable[[], datetime]) -> None:
        self._database, self._carriers, self._clock = database, carriers, clock

    def start(self) -> None:
        with self._database.transaction() as session:
            unsure = found_at_start(session, self._clock())
        if unsure:
            log.warning("messages: of %d nobody knows whether they were sent; /messages shows which", unsure)

    def tick(self) -> int:
        """Send all that is due; how many were tried. Raises DatabaseError: nothing is lost, none sent twice."""
        tried = 0
        while message := self._next():
            state, why = self._sent(message)
            with self._database.transaction() as session:
                settle(session, message.id or 0, self._clock(), state, why)
            tried += 1
            if state is not State.SENT:
                log.warning("message %s: %s (%s)", message.id, state, why)
        return tried

    def _sent(self, message: Message) -> tuple[State, str]:
        carrier = self._carriers.get(message.channel)
        if carrier is None:
            return State.REFUSED, f"server.toml names no {message.channel} any more"
        return carrier(message)

    def _next(self) -> Message | None:
        with self._database.transaction() as session:
            return take(session, self._clock())


def letter(smtp: SmtpConfig, message: Message) -> EmailMessage:
    """As mail programs read it."""
    made = EmailMessage(policy=SEVEN_BIT)
    made["From"], made["To"], made["Subject"] = smtp.sender, message.to, message.subject
    made["Date"] = format_datetime(message.made)
    made["Message-ID"] = f"<{message.name}@{smtp.sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(message.body)
    return made


def send(smtp: SmtpConfig, made: EmailMessage, to: str) -> tuple[State, str]:
    """What became of it, and why where it was not sent. WAITING: the mail server never had the text."""
    try:
        server = _connected(smtp)
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        return State.WAITING, _told(error)
    try:
        return _handed_over(server, smtp.sender, to, made.as_bytes())
    finally:
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
        server.close()


def _connected(smtp: SmtpConfig) -> smtplib.SMTP:
    trust = ssl.create_default_context(cafile=smtp.ca)
    if smtp.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(smtp.host, smtp.port, gethostname(), timeout=PATIENCE, context=trust)
    else:
        server = smtplib.SMTP(smtp.host, smtp.port, gethostname(), timeout=PATIENCE)
    try:
        if smtp.security == "starttls":
            server.starttls(context=trust)
        if smtp.username:
            server.login(smtp.username, smtp.password)
    except BaseException:
        server.close()
        raise
    return server


def _handed_over(server: smtplib.SMTP, sender: str, to: str, text: bytes) -> tuple[State, str]:
    try:
        server.ehlo_or_helo_if_needed()
        code, said = server.mail(sender)
        if code // 100 != 2:
            return _refused(code, said)
        code, said = server.rcpt(to)
        if code // 100 != 2:
            state, why = _refused(code, said)
            of_address = state is State.REFUSED and not POLICY.match(said)
            return state, f"{ADDRESS}: {why}" if of_address else why
        server.putcmd("data")
        code, said = server.getreply()
        if code != 354:
            return _refused(code, said)
    except (OSError, smtplib.SMTPException) as error:
        return State.WAITING, _told(error)
    try:
        server.send(_quoted(text))
        code, said = server.getreply()
    except (OSError, smtplib.SMTPException) as error:
        return State.UNSURE, _told(error)
    return (State.SENT, "") if code // 100 == 2 else _refused(code, said)


def _quoted(text: bytes) -> bytes:
    """With a line that is a dot alone at the end, and no other one (RFC 5321, 4.5.2)."""
    lines = text.rstrip(b"\r\n").split(b"\r\n")
    return b"".join(b"." + line + b"\r\n" if line.startswith(b".") else line + b"\r\n" for line in lines) + b".\r\n"


def _refused(code: int, said: bytes) -> tuple[State, str]:
    return State.REFUSED if code // 100 == 5 else State.WAITING, f"{code} {said.decode('utf-8', 'replace')}"


def _told(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        said = error.smtp_error
        return f"{LOGIN}: {error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    if isinstance(error, UnicodeError):  # smtplib logs in with ASCII alone
        return f"{LOGIN}: outside ASCII"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{CERTIFICATE}: {error.verify_message}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"{NO_TLS}: {error}"
    return str(error) or type(error).__name__
