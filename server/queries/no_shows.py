"""Who reserved a machine and did not come? Asked of bookings, sessions and lock-outs; nothing follows by itself."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

from sqlmodel import Session, col, or_, select

from policy.bookings import RELEASE_AFTER
from policy.instants import of
from policy.sessions import Session as Use
from policy.terms import Instant
from server.database.types import moment
from server.models import Booking, MachineBusy, MachineOut

Spans: TypeAlias = Mapping[tuple[str, str], list[tuple[Instant, Instant]]]
"""By machine and member."""


def no_shows(session: Session, uses: Iterable[Use], since: Instant, at: Instant) -> list[Booking]:
    """Bookings that began since then: nobody came to them, by no fault of the machine, or cancelled them too late.

    uses: the sessions since then. Whoever found the machine busy did come.
    """
    there, row = _there(session, uses, since, at), Booking
    outs = [(one.machine, one.since, one.back) for one in session.exec(select(MachineOut))]
    asked = select(row).where(col(row.start_at) >= moment(since), col(row.start_at) <= moment(at - RELEASE_AFTER))
    held = session.exec(asked.where(or_(col(row.ended).is_(None), col(row.late))).order_by(col(row.start_at)))
    return [one for one in held if one.late or not (_came(one, there) or _was_out(one, outs))]


def _there(session: Session, uses: Iterable[Use], since: Instant, at: Instant) -> Spans:
    found: defaultdict[tuple[str, str], list[tuple[Instant, Instant]]] = defaultdict(list)
    for use in uses:
        found[use.machine, use.member].append((use.start, at if use.over is None else use.over))
    for one in session.exec(select(MachineBusy).where(col(MachineBusy.at) >= moment(since))):
        found[one.machine, one.member].append((of(one.at), of(one.at) + 1))
    return found


def _came(booking: Booking, there: Spans) -> bool:
    start, end = of(booking.start_at), of(booking.end_at)
    return any(begun < end and over > start for begun, over in there.get((booking.machine, booking.member), ()))


def _was_out(booking: Booking, outs: Iterable[tuple[str, datetime, datetime | None]]) -> bool:
    return any(
        machine == booking.machine and since < booking.end_at and (back is None or back > booking.start_at)
        for machine, since, back in outs
    )
