"""Who waits for a slot that is taken, takes what is offered, or waits no more? Presses on /calendar, /me, /machines."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from policy.booking_terms import Against
from policy.calendar import resolve
from server.changes.booking_waits import leave, take, wait
from server.changes.bookings import Booked, Taken, Wanted
from server.pages.booking_changes import stored
from server.text import booking_waits as text
from server.text import start as words
from server.text.dates import day, hours
from server.text.translate import gettext
from server.web.sessions import context, signed_in
from server.web.told import tell

page = Blueprint("booking_waits", __name__)


@page.post("/waits")
def put_down() -> ResponseReturnValue:
    me, current = signed_in().member, context().current()
    machine, zone = current.machines.get(request.form.get("machine", "")), current.zone
    try:
        start = resolve(request.form.get("start", ""), zone)
        end = resolve(request.form.get("end", ""), zone, last=True)
    except ValueError:
        raise BadRequest from None
    if me is None or machine is None:
        raise BadRequest
    outcome = stored(lambda session, decided: wait(session, decided, Wanted((machine.id,), me, start, end)))
    if isinstance(outcome, Against):
        tell(words.term(outcome.rule, outcome.limit))
    elif isinstance(outcome, Taken):
        tell(words.taken(outcome, current))
    else:
        turn = text.state(outcome, current)[1]
        said = {"machine": current.called.place(machine.id), "when": text.when(outcome), "turn": turn}
        tell(gettext("Vous attendez %(machine)s, %(when)s : %(turn)s.", **said))
    return _back()


@page.post("/waits/<int:which>/take")
def accept(which: int) -> ResponseReturnValue:
    me = signed_in().member
    if me is None:
        raise BadRequest
    outcome = stored(lambda session, decided: take(session, decided, which, me))
    if isinstance(outcome, Booked):
        slot = outcome.slot
        when = f"{day(slot.start)}, {hours(slot.start, slot.end)}"
        name = context().current().called.place(slot.machine)
        tell(gettext("Réservée pour vous : %(machine)s, %(when)s.", machine=name, when=when))
    elif isinstance(outcome, Taken):
        tell(words.taken(outcome, context().current()))
    else:
        tell(text.not_taken(outcome))
    return _back()


@page.post("/waits/<int:which>/leave")
def drop(which: int) -> ResponseReturnValue:
    me = signed_in().member
    if me is None:
        raise BadRequest
    stored(lambda session, decided: leave(session, decided, which, me))
    tell(gettext("Vous n’attendez plus ce créneau."))
    return _back()


def _back() -> ResponseReturnValue:
    """To where it was pressed."""
    back, machine = request.form.get("back"), request.form.get("machine", "")
    if back == "machine" and machine in context().current().machines:
        return redirect(url_for("machine.page", machine=machine), 303)
    if back == "calendar":
        return redirect(url_for("calendar.page", day=request.form.get("day"), machine=machine or None), 303)
    return redirect(url_for("me.page"), 303)
