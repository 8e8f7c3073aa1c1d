"""May I have this machine, and what do I need to know of it? /machines/<id>, which the QR on the wall opens."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from policy.bundle import Machine
from policy.extend import may_go_on
from server.audit import Decided
from server.changes import machine_sheet as changes
from server.errors import ChangeRefusedError
from server.queries import machine_sheet as queries
from server.queries.booking_waits import waits
from server.queries.feeds import What, feeds_of, stored
from server.queries.machine_service import services
from server.queries.machine_week import week
from server.queries.machines import RUNS, views
from server.queries.now import picture
from server.queries.quotas import quotas_of
from server.queries.site_state import machines_at
from server.queries.training_sessions import coming
from server.roles import FAB_MANAGERS
from server.text import booking_waits, devices, machine_service, machine_week
from server.text import machine as text
from server.text.machine_out import name_of
from server.text.machines import CARDS, Audience, card
from server.text.my_trainings import offered
from server.text.qr import qr
from server.text.refusals import refusal
from server.text.translate import gettext
from server.web.sessions import context, roles, signed_in
from server.web.told import tell
from server.web.typed import line_in

page = Blueprint("machine", __name__)

FIELDS = (*changes.WRITTEN, *changes.PLANNED)
"""Of a machine's sheet."""
HEADLINES = {"alert": "need", "fault-card": "no", "": "shut"}
"""The colour of the headline card, by that of the machine's card on the board."""


@page.get("/machines/<path:machine>", endpoint="page")
def show(machine: str) -> ResponseReturnValue:
    return _page(known_machine(machine))


@page.post("/machines/<path:machine>/faults")
def report(machine: str) -> ResponseReturnValue:
    one, known, me = known_machine(machine), context(), signed_in()
    what = line_in("what")
    try:
        with known.database.transaction() as session:
            name = name_of(me, known.current().called)
            said = changes.report(session, Decided(me.login, known.clock()), machine, me.member, name, what)
    except ChangeRefusedError as error:
        return _page(one, refused=refusal(error.why)), 409
    if not said:
        return _page(one, wrong=gettext("Dites en une phrase ce qui ne va pas, 200 signes au plus.")), 400
    known.live.changed()
    tell(gettext("C’est noté : les responsables du fablab le voient."))
    return redirect(url_for("machine.page", machine=machine), 303)


@page.post("/machines/<path:machine>/faults/<int:which>")
def answer(machine: str, which: int) -> ResponseReturnValue:
    """A fab manager has seen a report, or settled it: `done`."""
    one, known, me = known_machine(machine), context(), signed_in()
    said, done = line_in("answer"), bool(request.form.get("done"))
    try:
        with known.database.transaction() as session:
            decided = Decided(me.login, known.clock())
            changes.answer(session, decided, machine, which, name_of(me, known.current().called), said, done=done)
    except ChangeRefusedError as error:
        return _page(one, refused=refusal(error.why)), 409
    known.live.changed()
    tell(gettext("C’est réglé.") if done else gettext("C’est noté comme vu."))
    return redirect(url_for("machine.page", machine=machine), 303)


@page.get("/machines/<path:machine>/sheet")
def ask_sheet(machine: str) -> ResponseReturnValue:
    known_machine(machine)
    with context().database.reading() as session:
        row = queries.sheet(session, machine)
    kept = {name: getattr(row, name) for name in FIELDS}
    return _sheet(machine, {name: "" if said is None else str(said) for name, said in kept.items()})


@page.post("/machines/<path:machine>/sheet")
def write_sheet(machine: str) -> ResponseReturnValue:
    known_machine(machine)
    known = context()
    wanted = {name: request.form.get(name, "").strip() for name in FIELDS}
    if wrong := changes.wrong(wanted):
        return _sheet(machine, wanted, wrong), 400
    with known.database.transaction() as session:
        changes.describe(session, Decided(signed_in().login, known.clock()), machine, wanted)
    known.live.changed()
    tell(gettext("La fiche est à jour."))
    return redirect(url_for("machine.page", machine=machine), 303)


@page.post("/machines/<path:machine>/serviced")
def serviced(machine: str) -> ResponseReturnValue:
    """Its maintenance is done, says a fab manager."""
    one, known, me = known_machine(machine), context(), signed_in()
    with known.database.transaction() as session:
        decided = Decided(me.login, known.clock())
        name = name_of(me, known.current().called)
        said = changes.serviced(session, decided, machine, name, line_in("note"))
    if not said:
        return _page(one, unnoted=gettext("Dites en une phrase ce qui a été fait, 200 signes au plus.")), 400
    known.live.changed()
    tell(gettext("L’entretien est noté : heures et jours comptent de nouveau."))
    return redirect(url_for("machine.page", machine=machine), 303)


@page.get("/machines/<path:machine>/slip")
def slip(machine: str) -> ResponseReturnValue:
    """For the wall beside it: a QR that opens its page."""
    known_machine(machine)
    known = context()
    base = known.address or request.host_url.rstrip("/")
    address = base + url_for("machine.page", machine=machine)
    return render_template(
        "machine_slip.html", name=known.current().called.place(machine), address=address, picture=qr(address)
    )


def known_machine(machine: str) -> Machine:
    """As the rules in force have it. Raises NotFound."""
    found = context().current().machines.get(machine)
    if found is None:
        raise NotFound
    return found


def _sheet(machine: str, typed: dict[str, str], wrong: tuple[str, ...] = ()) -> str:
    link = gettext("L’adresse d’une page, qui commence par https://, ou rien. 1000 signes au plus.")
    number = gettext("Un nombre entier, comme 50, ou rien.")
    said = {one: number if one in changes.PLANNED else link for one in wrong}
    name = context().current().called.place(machine)
    return render_template("machine_sheet.html", machine=machine, name=name, typed=typed, wrong=said)


def _page(one: Machine, *, wrong: str = "", refused: str = "", unnoted: str = "") -> str:
    known, me = context(), signed_in()
    current, at, manages = known.current(), known.clock(), bool(roles() & FAB_MANAGERS)
    audience = Audience(me.member, named=manages)
    with known.database.reading() as session:
        seen = picture(session, current, at)
        view = next(view for view in views(session, current, seen.opening, at) if view.machine.id == one.id)
        machines = machines_at(session, at, me.member or "")
        days = week(current, seen.known, machines, one.id, at)
        service = services(session, current.calendar, at, one.id)[one.id]
        quotas = quotas_of(current, machines, me.member or "", at)
        said, training = card(view, current, audience, at), text.training(one, current, me.member)
        lacks = me.member is not None and training[0] != "good"
        return render_template(
            "machine.html",
            at=at,
            machine=one,
            said=said,
            colour=HEADLINES[CARDS.get(view.state, "alert" if view.machine.locked_out else "")],
            out=view.machine.locked_out is not None,
            use=view.use if view.state in RUNS else None,
            goes_on=view.use is not None and may_go_on(current.rules, machines, view.use, at),
            me_member=me.member,
            training=training,
            offer=offered(coming(session, at), one.kind, current.called, me.member or "") if lacks else None,
            quota=next((text.quota(left, current) for left in quotas if left.kind == one.kind), None),
            waits=booking_waits.rows(waits(session, at, member=me.member or "", machines=[one.id]), current),
            days=machine_week.listed(days, me.member, dict(current.called.members) if manages else {}),
            week=machine_week.picture(days, me.member),
            rules=text.rules(current.bundle.site, one, current, prints=view.printer is not None),
            machine_hours=text.hours(one),
            plug=devices.plug(view.plug, at, manages=manages) if view.plug is not None else (),
            sheet=service.sheet,
            service=machine_service.said(service),
            last_service=machine_service.last(service) if manages else "",
            unnoted=unnoted,
            faults=text.faults(queries.faults(session, one.id), me.member, manages=manages),
            feed=stored(What.MACHINE, one.id) in feeds_of(session, me.member) if me.member else None,
            manages=manages,
            wrong=wrong,
            refused=refused,
        )
