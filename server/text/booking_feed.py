"""Which bookings does a calendar program show? One's own, or when each machine is taken, without names."""

from collections.abc import Collection
from dataclasses import replace

from sqlmodel import Session

from policy.terms import DAY, Instant
from server.queries.bookings import Slot, cancelled, slots
from server.queries.current import Current
from server.queries.feeds import Feed, What
from server.text.icalendar import Entry
from server.text.translate import N_, gettext

MINE, ALL, ONE = N_("Mes réservations"), N_("Toutes les machines"), N_("Une machine")
NAMES = {What.MY_BOOKINGS: MINE, What.MACHINES: ALL}
BACK: Instant = 31 * DAY
CANCELLED: Instant = 7 * DAY
"""So long a booking that was cancelled is told as such."""


def mine(session: Session, current: Current, feed: Feed, at: Instant) -> list[Entry]:
    """Of the last month, and all that are to come. One whose machine is out of service is in doubt."""
    return _entries(session, current, at, member=feed.member)


def all_(session: Session, current: Current, _feed: Feed, at: Instant) -> list[Entry]:
    """The same of everybody, without names."""
    return _entries(session, current, at, machines=[*current.machines])


def one(session: Session, current: Current, feed: Feed, at: Instant) -> list[Entry]:
    """The same of one machine; nothing once it is gone from the site."""
    return _entries(session, current, at, machines=[feed.machine] if feed.machine in current.machines else [])


def _entries(
    session: Session,
    current: Current,
    at: Instant,
    *,
    member: str | None = None,
    machines: Collection[str] | None = None,
) -> list[Entry]:
    held = slots(session, at - BACK, machines=machines, member=member)
    gone = cancelled(session, at - CANCELLED, machines=machines, member=member)
    made = [_entry(current, slot, own=member is not None) for slot in held]
    return made + [replace(_entry(current, slot, own=member is not None), cancelled=True) for slot in gone]


def _entry(current: Current, one: Slot, *, own: bool) -> Entry:
    site, machine, title = current.bundle.site, current.machines.get(one.machine), current.called.place(one.machine)
    if not own:
        title = gettext("%(machine)s, réservée", machine=title)
    out = machine is None or machine.locked_out is not None
    return Entry(f"booking:{one.id}@{site.id}.loquet", one.start, one.end, f"{title} · {site.name}", sure=not out)
