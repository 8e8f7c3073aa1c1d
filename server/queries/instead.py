"""Which other machine of the kind is free when somebody's own is out of service?"""

from sqlmodel import Session

from server.queries.bookings import Slot, next_free
from server.queries.current import Current


def instead(session: Session, current: Current, slot: Slot, at: int) -> str | None:
    """For the whole of the booking; None where its own machine is in service, or none is free."""
    own = current.machines.get(slot.machine)
    if own is None or own.locked_out is None or slot.start <= at:
        return None
    others = [one for one in current.bundle.machines if one.kind == own.kind and one.locked_out is None]
    site, calendar = current.bundle.site, current.calendar
    free = next_free(session, site, calendar, others, slot.member, slot.start, slot.end, at)
    return free.machine if free is not None and free.start == slot.start else None
