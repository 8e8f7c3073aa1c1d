"""Who hears by mail that their booking falls? In French, queued in the transaction of the change that takes it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from flask import request, url_for
from sqlmodel import Session

from policy.ruleset import Booking
from policy.terms import DAY, Instant
from server.changes.notices import tell_member
from server.queries.bookings import Slot
from server.text import booking_mail as text
from server.text.translate import gettext, in_french
from server.web.sessions import context, now, signed_in

AHEAD: Instant = 7 * DAY
"""Of a machine that is out of service nobody knows until when, bookings so far ahead are told of."""


def tell_out(session: Session, machine: str, why: str, hit: Sequence[Booking], *, ends: bool) -> list[str]:
    """It is out of service. ends: until when is known, so all that are hit fall. Those whom no mail reaches."""
    at = context().clock()
    fallen = [one for one in hit if ends or one.start < at + AHEAD]
    return _tell(session, machine, ((one.member, one.start, one.end) for one in fallen), text.OUT, why)


def tell_cancelled(session: Session, one: Slot, why: str) -> list[str]:
    """Somebody of the fablab cancelled it."""
    return _tell(session, one.machine, [(one.member, one.start, one.end)], text.CANCELLED, why)


def _tell(
    session: Session,
    machine: str,
    bookings: Iterable[tuple[str, Instant, Instant]],
    words: tuple[str, str],
    why: str,
) -> list[str]:
    known, me, found = context(), signed_in(), list(bookings)
    if not known.channels:
        return list(dict.fromkeys(member for member, _, _ in found if member != me.member))
    address = f"{known.address or request.host_url.rstrip('/')}{url_for('me.page')}"
    unreached = []
    for member, start, end in found:
        with in_french():
            when = text.when(start, end)
            said = {"machine": known.current().called.place(machine), "when": when, "why": why, "address": address}
            mail = {"subject": gettext(words[0], **said), "body": gettext(words[1], **said)}
        until = now() + timedelta(milliseconds=max(end - known.clock(), 0))
        if member != me.member and not tell_member(
            session, me.login, now(), member, known.channels, about="booking", until=until, **mail
        ):
            unreached.append(member)
    return list(dict.fromkeys(unreached))
