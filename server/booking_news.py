"""What becomes free without a press? A booking whose holder is done ends; who waited for a slot hears that it is theirs
to take. Each offer is told once, in French.
"""

from datetime import timedelta

from flask import Flask
from sqlmodel import Session

from policy.terms import SECOND, Instant
from server.audit import Decided
from server.changes.booking_ends import end_given_back, given_back
from server.changes.booking_waits import offer_due, tell_once
from server.changes.notices import tell_member
from server.queries.booking_waits import Wait, open_rows
from server.text import booking_waits as text
from server.text.translate import gettext, in_french
from server.web.context import Context
from server.web.sessions import now

EVERY: Instant = 5 * SECOND
"""Between two looks, by the site's clock."""
BY = "server"


class BookingNews:
    """`tick` from time to time, from one thread."""

    def __init__(self, app: Flask, context: Context) -> None:
        self._app, self._context = app, context

    def tick(self) -> int:
        """How many were told. Raises DatabaseError: it is tried again, and nobody hears twice."""
        known, at = self._context, self._context.clock()
        with known.database.reading() as session:
            nobody = not open_rows(session) and not given_back(session, at)
        if nobody:
            return 0
        with self._app.app_context(), in_french(), known.database.transaction() as session:
            made = end_given_back(session, Decided(BY, at)) + offer_due(session, Decided(BY, at))
            told = tell_once(session, Decided(BY, at))
            for one in told:
                self._tell(session, one, at)
        if made:
            known.site_changed()
            known.live.changed()
        return len(told)

    def _tell(self, session: Session, one: Wait, at: Instant) -> None:
        channels = self._context.channels
        if not channels or one.until is None:
            return
        said = text.of_offer(one, self._context.current().called)
        subject, body = (gettext(part, **said) for part in text.OFFER)
        body += self._context.link("/me")
        until = now() + timedelta(milliseconds=one.until - at)
        tell_member(session, BY, now(), one.member, channels, about="booking", subject=subject, body=body, until=until)
