"""Which bookings does a calendar program show? One's own, or when each machine is taken, without names."""

from sqlmodel import Session

from policy.terms import DAY, Instant
from server.queries.bookings import Slot, slots
from server.queries.current import Current
from server.queries.feeds import What
from server.text.icalendar import Entry
from server.text.translate import N_, gettext

MINE, ALL = N_("Mes réservations"), N_("Toutes les machines")
NAMES = {What.MY_BOOKINGS: MINE, What.MACHINES: ALL}
BACK: Instant = 31 * DAY


def mine(session: Session, current: Current, member: str, at: Instant) -> list[Entry]:
    """Of the last month, and all that are to come. One whose machine is out of service is in doubt."""
    return [_entry(current, one, _name(current, one)) for one in slots(session, at - BACK, member=member)]


def all_(session: Session, current: Current, _member: str, at: Instant) -> list[Entry]:
    """The same of everybody, without names."""
    found = slots(session, at - BACK)
    return [
        _entry(current, one, gettext("%(machine)s, réservée", machine=_name(current, one)))
        for one in found
        if one.machine in current.machines
    ]


def _name(current: Current, one: Slot) -> str:
    return current.called.place(one.machine)


def _entry(current: Current, one: Slot, title: str) -> Entry:
    site, machine = current.bundle.site, current.machines.get(one.machine)
    out = machine is None or machine.locked_out is not None
    return Entry(f"booking:{one.id}@{site.id}.loquet", one.start, one.end, f"{title} · {site.name}", sure=not out)
