"""Who is written to when little is left on their carnet, or when it ends soon? By day, within minutes of the fact."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Flask
from sqlmodel import Session

from policy.terms import MINUTE, Instant
from server.changes.carnet_mail import Due, due, note
from server.changes.notices import tell_member
from server.database.types import moment
from server.reminders import BY, FROM, UNTIL
from server.text.carnets import ENDS_MAIL, LOW_MAIL, said
from server.text.dates import calendar_day
from server.text.translate import gettext, in_french
from server.web.context import Context

EVERY: Instant = 5 * MINUTE
"""Between two looks, by the site's clock."""
WANTED = timedelta(days=7)


class CarnetNews:
    """`tick` from time to time, from one thread. wall: the clock by which mail goes."""

    def __init__(self, app: Flask, context: Context, wall: Callable[[], datetime]) -> None:
        self._app, self._context, self._wall = app, context, wall

    def tick(self) -> int:
        """How many were written to. Raises DatabaseError: it is tried again, and nobody hears twice."""
        at, current = self._context.clock(), self._context.current()
        if not FROM <= moment(at).astimezone(current.zone).hour < UNTIL:
            return 0
        with self._context.database.reading() as session:
            wanted = bool(due(session, current, at))
        told = 0
        if wanted:
            with self._app.app_context(), in_french(), self._context.database.transaction() as session:
                for one in due(session, current, at):
                    told += self._tell(session, one)
                    note(session, one)
        return told

    def _tell(self, session: Session, one: Due) -> bool:
        """Whether there is an address. Nobody wants it later than in a week."""
        at, known = self._wall(), self._context
        left = said(known.current(), one.member, one.units)
        subject, words = left[:1].upper() + left[1:], LOW_MAIL
        if one.until is not None:
            words, day = ENDS_MAIL, calendar_day(one.until)
            subject = gettext("%(count)s, jusqu’au %(day)s", count=subject, day=day)
        body = gettext(words, left=subject)
        body += known.link("/me")
        return tell_member(
            session,
            BY,
            at,
            one.member,
            self._context.channels,
            about="carnet",
            subject=subject,
            body=body,
            until=at + WANTED,
        )
