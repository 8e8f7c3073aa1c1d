"""A fablab for tests of pages: the small site with four machines at the edge of the front door.

Brigitte and Rémy may use them all, Fabien is their fab manager. The laser cuts and is attended, the printers only warn,
the saw has hours.
"""

from msgspec.structs import replace
from sqlmodel import select

from policy.bundle import Booking as Booked
from policy.bundle import Bundle, Certification, Kind, LockOut, Machine, Member, Quota, Role
from policy.instants import text
from policy.terms import Instant
from server.changes.bundle import import_bundle
from server.models import Edge
from tests.support_pages import Place
from tests.support_server import DECIDED, WORKDAYS, small_bundle
from wire import row as rows

MACHINES = (
    Machine(id="laser", kind="laser", reader="laser-tap", on_end="cut", name="Découpe laser"),
    Machine(id="printer", kind="printer", reader="printer-tap", name="Imprimante 1"),
    Machine(id="printer-2", kind="printer", reader="printer-2-tap", name="Imprimante 2"),
    Machine(
        id="saw",
        kind="saw",
        reader="saw-tap",
        name="Scie",
        hours=dict.fromkeys(WORKDAYS, (("09:00", "19:00"),)),
    ),
)


def lab_bundle(*bookings: Booked, out: dict[str, LockOut] | None = None) -> Bundle:
    """out: the machines that are locked out."""
    small, locked = small_bundle(), out or {}
    return replace(
        small,
        members=(
            *small.members,
            Member(id="fabien", name="Fabien Roche", tier="nomad", roles=(Role.FAB_MANAGER,)),
        ),
        machines=tuple(replace(one, locked_out=locked.get(one.id)) for one in MACHINES),
        kinds=(Kind(id="laser", name="Découpe laser"), Kind(id="printer", name="Impression 3D")),
        certifications=tuple(
            Certification(member=who, kind=kind) for who in ("brigitte", "remy") for kind in ("laser", "printer", "saw")
        ),
        quotas=(Quota(kind="printer", minutes=240, period="month"),),
        bookings=bookings,
    )


def booked(which: str, machine: str, member: str, start: str, end: str) -> Booked:
    """On that Tuesday; start, end: HH:MM."""
    return Booked(id=which, machine=machine, member=member, start=f"2026-11-24T{start}", end=f"2026-11-24T{end}")


def furnish(place: Place, bundle: Bundle, *, owned: bool = True) -> None:
    """The site gets the fablab, and its edge says that it is there. owned: whether it has the machines."""
    with place.database.transaction() as session:
        import_bundle(session, bundle, DECIDED)
        edge = session.exec(select(Edge).where(Edge.id == "front")).one()
        edge.access_points = ["front", *(machine.id for machine in bundle.machines if owned)]
        session.add(edge)
    place.publish()
    place.desk.ingest.reload()
    place.speak()


def runs(
    place: Place,
    machine: str,
    member: str,
    start: Instant,
    until: Instant | None = None,
    ended: Instant | None = None,
    *,
    cuts: bool | None = None,
) -> None:
    """A session begins, and perhaps ends; the edge tells. cuts: as the machine does, if not given."""
    known = next(one for one in place.publisher.current.bundle.machines if one.id == machine)
    said = {
        "access_point": machine,
        "member": member,
        "started": text(start),
        "until": None if until is None else text(until),
        "machine_kind": known.kind,
        "cuts": known.on_end == "cut" if cuts is None else cuts,
    }
    place.journal.add(start, rows.Kind.SESSION_STARTED, **said)
    if ended is not None:
        place.journal.add(ended, rows.Kind.SESSION_ENDED, **said, ended=text(ended))
    place.tell()
