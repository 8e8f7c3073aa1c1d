"""How does a site begin? As a name alone, before anybody said more; then each step of the first start is a plan."""

from collections.abc import Sequence
from zoneinfo import available_timezones

from msgspec.structs import replace
from sqlmodel import Session

from policy.bundle import AccessPoint, Bundle, Kind, Machine, Part, Site
from policy.forms import LONGEST_NAME
from policy.presets import PRESETS
from server.audit import Decided
from server.changes.bundle import import_bundle
from server.changes.outcomes import Meanwhile, Wrong
from server.changes.planned import Plan, Planned
from server.errors import ImportRefusedError
from server.queries.public_holidays import holidays_of

ZONE = "Europe/Paris"
"""Until somebody says another."""
LARGEST = 1_000_000
"""The most people that a bundle knows a site for."""


class Facts(Part, frozen=True):
    """What a site says of itself first. holidays: FR or FR-57."""

    name: str
    timezone: str
    holidays: str | None
    capacity: int | None


class Places(Part, frozen=True):
    """The doors and machines of a site."""

    doors: tuple[AccessPoint, ...] = ()
    machines: tuple[Machine, ...] = ()


def begin(session: Session, site: str, decided: Decided) -> None:
    """A site that has nothing yet, and lets nobody in; its id is that of the keys."""
    import_bundle(session, Bundle(format="loquet.bundle/1", site=Site(site, site, ZONE, holidays="FR")), decided)


def zones(kept: str = "") -> set[str]:
    """Those of a place that somebody may choose, and the one that the site has, however old its name."""
    return {name for name in available_timezones() if "/" in name} | {"UTC"} | ({kept} if kept else set())


def facts_of(site: Site) -> Facts:
    return Facts(site.name, site.timezone, site.holidays, site.capacity)


def facts(seen: Facts, wanted: Facts) -> Plan:
    """seen, here and below: as whoever decides has seen it."""

    def plan(bundle: Bundle) -> Planned | Wrong | Meanwhile:
        if facts_of(bundle.site) not in (seen, wanted):
            return Meanwhile()
        if wrong := _wrong_facts(wanted, bundle.site.timezone):
            return Wrong(wrong)
        site = replace(
            bundle.site,
            name=wanted.name,
            timezone=wanted.timezone,
            holidays=wanted.holidays,
            capacity=wanted.capacity,
        )
        return Planned(replace(bundle, site=site), (("site.name", "name"),))

    return plan


def places(seen: Places, wanted: Places, rows: Sequence[str], names: Sequence[str]) -> Plan:
    """All doors and machines; what hangs in the machines' kinds comes with them.

    rows: the row of the form in which each door, then each machine stands. names: of each machine's kind.
    """

    def plan(bundle: Bundle) -> Planned | Wrong | Meanwhile:
        if Places(bundle.access_points, bundle.machines) not in (seen, wanted):
            return Meanwhile()
        known = {kind.id for kind in bundle.kinds}
        fresh = {
            machine.kind: Kind(machine.kind, name=name)
            for machine, name in zip(wanted.machines, names, strict=True)
            if machine.kind not in known
        }
        after = replace(
            bundle,
            access_points=wanted.doors,
            machines=wanted.machines,
            kinds=(*bundle.kinds, *fresh.values()),
        )
        return Planned(after, tuple(_fields(wanted, rows)))

    return plan


def tiers(preset: str) -> Plan:
    """Those of the preset that are not there yet."""

    def plan(bundle: Bundle) -> Planned | Wrong | Meanwhile:
        if preset not in PRESETS:
            return Wrong(("preset",))
        known = {tier.id for tier in bundle.tiers}
        more = tuple(tier for tier in PRESETS[preset] if tier.id not in known)
        return Planned(replace(bundle, tiers=(*bundle.tiers, *more)))

    return plan


def _wrong_facts(wanted: Facts, kept: str) -> tuple[str, ...]:
    wrong = ["name"] if len(wanted.name) > LONGEST_NAME else []
    if wanted.timezone not in zones(kept):
        wrong.append("timezone")
    try:
        holidays_of(wanted.holidays)
    except ImportRefusedError:
        wrong.append("holidays")
    if wanted.capacity is not None and not 1 <= wanted.capacity <= LARGEST:
        wrong.append("capacity")
    return tuple(wrong)


def _fields(wanted: Places, rows: Sequence[str]) -> list[tuple[str, str]]:
    """Where in a bundle each field of the form stands."""
    found = []
    for index, row in enumerate(rows[: len(wanted.doors)]):
        spot = f"access_points[{index}]"
        found += [(f"{spot}.readers.in", f"reader-{row}"), (f"{spot}.readers.out", f"out-{row}")]
        found += [(f"{spot}.name", f"name-{row}"), (spot, f"id-{row}")]
    for index, row in enumerate(rows[len(wanted.doors) :]):
        spot = f"machines[{index}]"
        found += [(f"{spot}.reader", f"reader-{row}"), (f"{spot}.name", f"name-{row}")]
        found += [(f"{spot}.kind", f"kind-{row}"), (spot, f"id-{row}")]
    return found
