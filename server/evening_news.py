"""Who is told that this evening is another than it was? Each change once, and by morning it is forgotten who asked."""

from datetime import timedelta

from flask import Flask
from sqlmodel import Session, select

from policy.terms import SECOND, Instant
from server.changes import evening_watch as changes
from server.changes.notices import tell_member
from server.models import EveningWatch
from server.queries.evening import Evening, evening
from server.queries.now import Picture, picture
from server.text import evening as text
from server.text.translate import gettext, in_french
from server.web.context import Context
from server.web.sessions import now as wall

EVERY: Instant = 20 * SECOND
"""Between two looks, by the site's clock."""
BY = "server"


class EveningNews:
    """`tick` from time to time, from one thread."""

    def __init__(self, app: Flask, context: Context) -> None:
        self._app, self._context = app, context

    def tick(self) -> int:
        """How many were told. Raises DatabaseError: it is tried again, and nobody hears twice."""
        at, current = self._context.clock(), self._context.current()
        with self._context.database.reading() as session:
            wanted = session.exec(select(EveningWatch.member).limit(1)).first() is not None
        told = 0
        if wanted:
            with self._app.app_context(), in_french(), self._context.database.transaction() as session:
                changes.forget(session, current.rules.day_start(at))
                seen = picture(session, current, at)
                now = evening(seen, current.rules.day_end(at))
                due = changes.to_tell(session, now, at)
                told = sum(self._tell(session, who, before, now, seen) for who, before in due)
        return told

    def _tell(self, session: Session, who: str, before: Evening, now: Evening, seen: Picture) -> bool:
        """Nobody wants it later than the site day."""
        at, known = wall(), self._context
        body = gettext(text.BODY, now=text.lines(now, seen.at), before=text.lines(before, seen.at))
        body += known.link("/me")
        until = at + timedelta(milliseconds=known.current().rules.day_end(seen.at) - seen.at)
        subject = text.headline(before, now, seen)
        return tell_member(
            session, BY, at, who, known.channels, about="evening", subject=subject, body=body, until=until
        )
