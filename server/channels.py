"""How does a message leave otherwise than by mail? One HTTP request to ntfy, a Matrix server or a webhook.

What a server said is believed as far as it can be: that it has the message, that it will never take it, that it may
take it later. Where it had the request and nobody heard an answer, the message is not sent again but where the server
itself knows a repetition (Matrix, by the message's name). No address and no token stands in what is noted.
"""

import http.client
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from server.changes.messages import Channel, State
from server.config import HttpConfig, ServerConfig
from server.models import Message
from server.outbox import Carrier, by_mail
from server.outgoing import Answer, asked

LATER = frozenset({408, 425, 429, 500, 502, 503})
"""Answers after which it is tried again."""
NOT_THERE = 403
Said = tuple[State, str]


def carriers(config: ServerConfig) -> dict[str, Carrier]:
    """Of each channel that server.toml names what sends by it."""
    found = dict(by_mail(config.smtp)) if config.smtp is not None else {}
    made: tuple[tuple[Channel, HttpConfig | None, Callable[[HttpConfig, Message], Said]], ...] = (
        (Channel.NTFY, config.ntfy, ntfy),
        (Channel.MATRIX, config.matrix, matrix),
        (Channel.WEBHOOK, config.webhook, webhook),
    )
    for channel, known, send in made:
        if known is not None:
            found[channel] = _carrier(known, send)
    return found


def _carrier(known: HttpConfig, send: Callable[[HttpConfig, Message], Said]) -> Carrier:
    return lambda message: send(known, message)


def ntfy(known: HttpConfig, message: Message) -> Said:
    """https://docs.ntfy.sh/publish, as JSON; its answer has the message's id."""
    told = {"topic": message.to, "title": message.subject, "message": message.body}
    return _judged(_asked(known, "POST", "/", told), wants="id")


def matrix(known: HttpConfig, message: Message) -> Said:
    """Into a room, which is joined first where Loquet's account has only been invited."""
    room = quote(message.to, safe="")
    path = f"/_matrix/client/v3/rooms/{room}/send/m.room.message/{message.name}"
    told = {"msgtype": "m.text", "body": f"{message.subject}\n\n{message.body}"}
    answer = _asked(known, "PUT", path, told)
    if (
        answer.status == NOT_THERE
        and _asked(known, "POST", f"/_matrix/client/v3/join/{room}", {}).status == http.client.OK
    ):
        answer = _asked(known, "PUT", path, told)
    state, why = _judged(answer, wants="event_id")
    return (State.WAITING, why) if state is State.UNSURE else (state, why)


def webhook(known: HttpConfig, message: Message) -> Said:
    """Whoever receives it knows a repetition by its id."""
    told = {"id": message.name, "to": message.to, "subject": message.subject, "text": message.body}
    return _judged(_asked(known, "POST", "", told))


def _asked(known: HttpConfig, method: str, path: str, told: Mapping[str, Any]) -> Answer:
    headers = {"Content-Type": "application/json"}
    if known.token:
        headers["Authorization"] = f"Bearer {known.token}"
    return asked(method, known.url.rstrip("/") + path, json.dumps(told).encode(), headers, known.ca)


def _judged(answer: Answer, wants: str = "") -> Said:
    """wants: what stands in the answer of a server of that kind that has the message."""
    if answer.status == 0:
        return (State.UNSURE if answer.had else State.WAITING), answer.why
    said = f"answered {answer.status}"
    if answer.status in LATER:
        return State.WAITING, said
    if answer.status == http.client.GATEWAY_TIMEOUT:
        return State.UNSURE, said
    if answer.status // 100 != 2:
        return State.REFUSED, said
    if wants and wants not in _read(answer.body):
        return State.REFUSED, f"{said}, but not as such a server does: is the address in server.toml the right one?"
    return State.SENT, ""


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
