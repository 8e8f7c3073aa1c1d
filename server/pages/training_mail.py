"""Who hears by mail what became of a training session? In French: nobody knows another language of whoever reads it.

Queued in the transaction of the change: what was done is told, and nothing else. Each says whom no mail reaches.
"""

from collections.abc import Iterable
from datetime import timedelta

from flask import request, url_for
from sqlmodel import Session

from server.changes.notices import tell_member
from server.queries.training_sessions import Planned
from server.text import training_sessions as text
from server.text.translate import gettext, in_french
from server.web.sessions import context, now, signed_in


def tell_moved_up(session: Session, one: Planned, members: Iterable[str]) -> list[str]:
    """They waited, and have a place."""
    return _tell(session, one, members, text.MOVED_UP)


def tell_cancelled(session: Session, one: Planned, why: str) -> list[str]:
    """All who were on its list."""
    return _tell(
        session, one, [seat.member for seat in one.seats], text.CANCELLED, why=" ".join(why.split()).rstrip(".")
    )


def tell_changed(session: Session, before: Planned, one: Planned) -> list[str]:
    """All who are on its list; before: as it was."""
    with in_french():
        said = text.when(before)
    return _tell(session, one, [seat.member for seat in one.seats], text.CHANGED, before=said)


def _tell(session: Session, one: Planned, members: Iterable[str], words: tuple[str, str], **more: str) -> list[str]:
    """Until the session begins. Those whom no mail reaches."""
    known, left = context(), one.start - context().clock()
    to = list(members)
    if not known.channels or not to or left <= 0:
        return to if left > 0 else []
    address = f"{known.address or request.host_url.rstrip('/')}{url_for('training_sessions.page')}"
    subject, body = words
    with in_french():
        said = {"kind": known.current().called.kind(one.kind), "when": text.when(one), "address": address} | more
        mail = {"subject": gettext(subject, **said), "body": gettext(body, **said)}
        by, at = signed_in().login, now()
        until = at + timedelta(milliseconds=left)
        return [
            one
            for one in to
            if not tell_member(session, by, at, one, known.channels, about="training", until=until, **mail)
        ]
