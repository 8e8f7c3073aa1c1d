"""What becomes of a message to somebody? Queued, tried, tried again, and over; each function is one change.

It is noted on the disk that a message is being sent before the server that it goes to hears of it. So one whose end
nobody knows (the power went, the line broke after the text) is never sent a second time: it is told as such, and a
person decides.
"""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from sqlmodel import Session, col, select

from policy.instants import of
from server.audit import Change, Decided, record
from server.errors import ChangeRefusedError, Refused
from server.models import Message

FIRST_AGAIN, LAST_AGAIN = timedelta(minutes=1), timedelta(hours=4)
"""After the first try that failed it is tried again so much later, then twice as much, up to the second."""


class Channel(StrEnum):
    """How a message goes."""

    MAIL = "mail"
    NTFY = "ntfy"
    MATRIX = "matrix"
    WEBHOOK = "webhook"


ADDRESSES = {
    Channel.MAIL: re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,180}\.[A-Za-z]{2,24}"),
    Channel.NTFY: re.compile(r"[A-Za-z0-9_-]{8,64}"),
    Channel.MATRIX: re.compile(r"![!-9;-~]{1,200}(:[A-Za-z0-9.:\[\]-]{1,200})?"),
    Channel.WEBHOOK: re.compile(r"[\w@.+-]{1,64}"),
}
"""Where each reaches somebody: an address, a topic, a room, the name by which the webhook's receiver knows them.

None of them is a server: those are server.toml's alone, and no member has Loquet, or what the webhook feeds, call
another. So a name has neither a colon nor a slash.
"""


class State(StrEnum):
    """WAITING and SENDING are those that are not over."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    """The server that it goes to will never take it."""
    LATE = "late"
    """It could not be sent while anybody wanted it."""
    UNSURE = "unsure"
    """That server had the text, and nobody heard what it said."""


def queue(
    session: Session,
    decided: Decided,
    at: datetime,
    *,
    about: str,
    to: str,
    subject: str,
    body: str,
    until: datetime,
    channel: Channel = Channel.MAIL,
    due: datetime | None = None,
) -> Message:
    """Keep a message to be sent. at: the wall clock's. due: not before then. Raises ChangeRefusedError for an address
    that is none. Of other channels than mail the audit keeps no address: whoever knows it can read along."""
    if not ADDRESSES[channel].fullmatch(to):
        raise ChangeRefusedError(Refused.MAIL_BAD)
    message = Message(
        state=State.WAITING,
        about=about,
        by=decided.by,
        to=to,
        subject=" ".join(subject.split()),
        body=body,
        name=uuid4().hex,
        made=at,
        due=due or at,
        until=until,
        channel=channel,
    )
    session.add(message)
    session.flush()
    record(
        session,
        decided,
        [Change(Message, (message.id,), "queue", None, {"to": shown(channel, to), "subject": message.subject})],
    )
    return message


def shown(channel: str, to: str) -> str:
    """An address as the team and the audit read it."""
    return to if channel == Channel.MAIL else channel


def take(session: Session, at: datetime) -> Message | None:
    """The next message to send, noted as being sent; None while there is none. Those that are too late are over."""
    waiting = select(Message).where(Message.state == State.WAITING).order_by(col(Message.due), col(Message.id))
    for late in session.exec(waiting.where(col(Message.until) <= at)):
        _over(session, late, at, State.LATE, late.why)
    message = session.exec(waiting.where(col(Message.due) <= at, col(Message.until) > at).limit(1)).first()
    if message is not None:
        message.state, message.tries = State.SENDING, message.tries + 1
        session.add(message)
        session.flush()
        session.refresh(message)
        session.expunge(message)
    return message


def settle(session: Session, which: int, at: datetime, state: State, why: str = "") -> None:
    """What became of the message that was being sent. WAITING: it is tried again later."""
    message = session.get_one(Message, which)
    if state is not State.WAITING:
        _over(session, message, at, state, why)
        return
    pause = min(LAST_AGAIN, FIRST_AGAIN * 2 ** min(message.tries - 1, 16))
    message.state, message.due, message.why = state, at + pause, why
    session.add(message)


def found_at_start(session: Session, at: datetime) -> int:
    """Nobody knows what became of those that were being sent when the server stopped. How many there were."""
    found = session.exec(select(Message).where(Message.state == State.SENDING)).all()
    for message in found:
        _over(session, message, at, State.UNSURE, "the server stopped while it was sent")
    return len(found)


def _over(session: Session, message: Message, at: datetime, state: State, why: str) -> None:
    message.state, message.ended, message.why, message.body = state, at, why, ""
    session.add(message)


def decided_at(by: str, at: datetime) -> Decided:
    """By whom, at the wall clock's instant."""
    return Decided(by, of(at))
