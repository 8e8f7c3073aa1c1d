"""Who is written to before a certification ends? Once a day, at an hour at which people read their mail."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from flask import Flask
from sqlmodel import Session

from server.audit import Decided
from server.changes.notices import tell_member
from server.changes.training_reminders import Due, due, note
from server.database.types import moment
from server.queries.training_sessions import Planned, coming, next_of
from server.text import training_sessions as text
from server.text.dates import calendar_day
from server.text.translate import gettext, in_french
from server.web.context import Context

FROM, UNTIL = 9, 19
"""Hours of the site between which it is done."""
BY = "server"
WANTED = timedelta(days=7)


class Reminders:
    """`tick` from time to time, from one thread. wall: the clock by which mail goes."""

    def __init__(self, app: Flask, context: Context, wall: Callable[[], datetime]) -> None:
        self._app, self._context, self._wall = app, context, wall
        self._done: date | None = None

    def tick(self) -> int:
        """How many were written to. Raises DatabaseError: it is tried again, and nobody hears twice."""
        now = self._context.clock()
        local = moment(now).astimezone(self._context.current().zone)
        if self._done == local.date() or not FROM <= local.hour < UNTIL:
            return 0
        with self._app.app_context(), in_french(), self._context.database.transaction() as session:
            ahead = coming(session, now)
            told = [one for one in due(session, local.date()) if self._tell(session, one, ahead)]
            for one in told:
                note(session, Decided(BY, now), one)
        self._done = local.date()
        return len(told)

    def _tell(self, session: Session, one: Due, ahead: list[Planned]) -> bool:
        """Whether there is an address. Nobody wants it later than in a week."""
        called, at = self._context.current().called, self._wall()
        said = {
            "kind": called.kind(one.kind),
            "day": calendar_day(one.until),
            "help": text.helps(next_of(ahead, one.kind, one.member), called),
        }
        subject, body = (gettext(words, **said) for words in text.REMINDER)
        body += self._context.link("/trainings")
        return tell_member(
            session,
            BY,
            at,
            one.member,
            self._context.channels,
            about="training",
            subject=subject,
            body=body,
            until=at + WANTED,
        )
