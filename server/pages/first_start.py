"""What does a new site still need to be told? /start: name, hours, doors and machines, tiers, people.

Each step is kept at once, and may be taken again later, in any order.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from msgspec.structs import replace

from policy.bundle import AccessPoint, Bundle, Machine, Readers
from policy.presets import PRESETS
from server.changes import first_start as plans
from server.changes.first_start import Facts, Places
from server.changes.outcomes import Meanwhile, Wrong
from server.changes.planned import Plan, made
from server.pages.what_changes import save
from server.queries.first_start import Offered, Step, offered, taken
from server.text import first_start as text
from server.text.translate import gettext
from server.web.sessions import context
from server.web.typed import line_in, seen, written

page = Blueprint("first_start", __name__)

MOST_ROWS = 200
"""Doors and machines in one form."""
LONGEST_NUMBER = 9
"""Digits of a number of people."""
FIELDS = ("id", "what", "name", "reader", "out", "kind", "known", "new")
DOOR, MACHINE = "door", "machine"


@dataclass(frozen=True, slots=True)
class Row:
    """A door or machine in the form. known: the site has it already; new: nobody has told of it."""

    id: str
    what: str
    name: str
    reader: str
    out: str = ""
    kind: str = ""
    known: bool = False
    new: bool = False


@page.get("/start", endpoint="page")
def show() -> ResponseReturnValue:
    return _page(200)


@page.post("/start/facts")
def facts() -> ResponseReturnValue:
    country, region, most = line_in("country"), line_in("region").upper(), line_in("capacity")
    holidays = f"{country}-{region}" if country and region else country or None
    capacity = (int(most) if most.isdecimal() and len(most) < LONGEST_NUMBER else 0) if most else None
    wanted = Facts(line_in("name"), line_in("timezone"), holidays, capacity)
    return _save(plans.facts(seen(Facts) or wanted, wanted), Step.FACTS)


@page.post("/start/places")
def places() -> ResponseReturnValue:
    rows = [row for row in _typed_rows() if row.id]
    doors = [row for row in rows if row.what == DOOR]
    machines = [row for row in rows if row.what == MACHINE]
    current, bundle = seen(Places) or Places(), context().current().bundle
    kinds = {name: kind.id for kind in bundle.kinds for name in (kind.id, kind.name) if name}
    for row in machines:
        kinds.setdefault(row.kind or row.name or row.id, row.id)
    wanted = Places(
        tuple(AccessPoint(row.id, Readers(row.reader, row.out or None), row.name or None) for row in doors),
        tuple(_machine(row, current, kinds) for row in machines),
    )
    numbers = {row.id: str(number) for number, row in enumerate(_typed_rows())}
    order = [numbers[row.id] for row in (*doors, *machines)]
    names = [row.kind or row.name or row.id for row in machines]
    return _save(plans.places(current, wanted, order, names), Step.PLACES)


@page.post("/start/tiers")
def tiers() -> ResponseReturnValue:
    return _save(plans.tiers(line_in("preset")), Step.TIERS)


def _save(plan: Plan, step: Step) -> ResponseReturnValue:
    outcome = save(lambda session, decided: made(session, decided, plan))
    if isinstance(outcome, Meanwhile):
        return _page(409, step, meanwhile=True)
    if isinstance(outcome, Wrong):
        return _page(400, step, wrong={field: text.wrong(field) for field in outcome.fields})
    return redirect(url_for("first_start.page", done=step.value), 303)


def _page(status: int, opened: Step | None = None, **told: object) -> ResponseReturnValue:
    known = context()
    bundle = known.current().bundle
    done, kept = taken(bundle), text.DONE.get(request.args.get("done", ""))
    step = opened or next((step for step in Step if step not in done), None)
    country, _, region = (bundle.site.holidays or "").partition("-")
    with known.database.reading() as session:
        found = list(offered(session, bundle))
    said: dict[str, object] = {
        "steps": [(step.value, *map(gettext, text.STEPS[step]), step in done) for step in Step],
        "left": sum(step not in done for step in Step),
        "opened": step.value if step else "",
        "facts": request.form
        if opened is Step.FACTS
        else {
            "name": "" if bundle.site.name == bundle.site.id else bundle.site.name,
            "timezone": bundle.site.timezone,
            "country": country,
            "region": region,
            "capacity": bundle.site.capacity or "",
        },
        "facts_was": written(plans.facts_of(bundle.site)),
        "countries": text.countries(country),
        "zones": sorted(plans.zones(bundle.site.timezone)),
        "rows": list(_typed_rows() if opened is Step.PLACES else _rows(bundle, found)),
        "places_was": written(Places(bundle.access_points, bundle.machines)),
        "tiers": [tier.name or tier.id for tier in bundle.tiers],
        "presets": [(name, gettext(text.PRESETS[name])) for name in PRESETS],
        "toast": gettext(kept) if kept else "",
        "wrong": {},
        "meanwhile": False,
    }
    return render_template("first_start.html", **said | told), status


def _rows(bundle: Bundle, found: list[Offered]) -> Iterator[Row]:
    kinds = {kind.id: kind.name or kind.id for kind in bundle.kinds}
    for door in bundle.access_points:
        yield Row(door.id, DOOR, door.name or "", door.readers.in_, door.readers.out or "", known=True)
    for machine in bundle.machines:
        kind = kinds.get(machine.kind, machine.kind)
        yield Row(machine.id, MACHINE, machine.name or "", machine.reader, kind=kind, known=True)
    for one in found:
        yield Row(one.id, MACHINE if one.machine else DOOR, "", one.reader, one.out)
    yield Row("", DOOR, "", "", new=True)


def _typed_rows() -> Iterator[Row]:
    """As the form has them; one without an id is none."""
    for number in range(MOST_ROWS):
        if f"id-{number}" not in request.form:
            return
        id_, what, name, reader, out, kind, known, new = (line_in(f"{field}-{number}") for field in FIELDS)
        yield Row(id_, MACHINE if what == MACHINE else DOOR, name, reader, out, kind, bool(known), bool(new))


def _machine(row: Row, seen_places: Places, kinds: dict[str, str]) -> Machine:
    """What its sheet says of it stays."""
    kind = kinds[row.kind or row.name or row.id]
    before = next((one for one in seen_places.machines if one.id == row.id), None)
    if before is None:
        return Machine(row.id, kind, row.reader, name=row.name or None)
    return replace(before, kind=kind, reader=row.reader, name=row.name or None)
