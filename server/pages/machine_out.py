"""How is a machine taken out of service from a page, and put back? Why, the second step with whom it hits, the toast.

Out of service "at once" is an order, too: the edge cuts the power and says so. Nothing here starts a machine.
"""

from datetime import date, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from policy.bundle import LockOut
from policy.ruleset import Booking
from policy.terms import Instant
from server.audit import Decided
from server.changes import machines as changes
from server.changes.machines import Wanted
from server.changes.outcomes import Done, Meanwhile, Wrong
from server.errors import OrderRefusedError
from server.pages.booking_mail import tell_out
from server.pages.machine import known_machine
from server.queries.booking_outcomes import kept
from server.queries.booking_waits import waits
from server.queries.machines import bookings_in
from server.text import machine_out as text
from server.text.dates import local
from server.text.translate import gettext
from server.web.deciding import rules_changed
from server.web.sessions import context, signed_in
from server.web.typed import beside, date_in, line_in, seen, written
from server.web.unreached import tell_unreached
from wire.row import Order

page = Blueprint("machine_out", __name__)

SURE = "sure"
"""The field of the second press."""
ANSWER_WITHIN = 2.0
"""Seconds for which the answer of a machine is waited for; a slower one is told when it comes."""


@page.get("/machines/<path:machine>/out")
def ask(machine: str) -> ResponseReturnValue:
    known = known_machine(machine)
    return _gone(machine) if known.locked_out is not None else _form(machine)


@page.post("/machines/<path:machine>/out")
def lock_out(machine: str) -> ResponseReturnValue:
    """Without the second press nothing is done yet: the page says whose bookings fall into that time."""
    known_machine(machine)
    known, me, wrong = context(), signed_in(), list[str]()
    wanted = Wanted(
        text.name_of(me, known.current().called),
        line_in("why"),
        request.form.get("when") == "now",
        date_in("until", wrong, needed=False),
    )
    if wrong or SURE not in request.form:
        wrong += changes.wrong(wanted, _today())
        return _form(machine, wrong) if wrong else _second_step(machine, wanted)
    unreached: list[str] = []
    with known.database.transaction() as session:
        decided = Decided(me.login, known.clock(), wanted.why)
        outcome = changes.lock_out(session, decided, machine, wanted, _today())
        if isinstance(outcome, Done):
            hit = _hit(session, machine, wanted)
            unreached = tell_out(session, machine, wanted.why, hit, ends=wanted.until is not None)
    if isinstance(outcome, Wrong):
        return _form(machine, outcome.fields)
    if isinstance(outcome, Meanwhile):
        rules_changed()
        return _gone(machine)
    rules_changed()
    tell_unreached(unreached)
    return _done("out", machine, _cut(machine) if wanted.urgent else None)


@page.get("/machines/<path:machine>/back")
def ask_back(machine: str) -> ResponseReturnValue:
    known = known_machine(machine).locked_out
    if known is None:
        return _gone(machine)
    said, more = text.before_back(known)
    return render_template(
        "second_step.html",
        question=gettext("Remettre en service : %(machine)s ?", machine=context().current().called.place(machine)),
        said=said,
        more=more,
        press=gettext("Oui, la remettre"),
        carried=[("was", written(known))],
        back=url_for("machines.page"),
    )


@page.post("/machines/<path:machine>/back")
def put_back(machine: str) -> ResponseReturnValue:
    known_machine(machine)
    known, me, was = context(), signed_in(), seen(LockOut)
    if was is None:
        return redirect(url_for("machine_out.ask_back", machine=machine), 303)
    with known.database.transaction() as session:
        name = text.name_of(me, known.current().called)
        outcome = changes.put_back(session, Decided(me.login, known.clock()), machine, name, was)
    rules_changed()
    return _done("back", machine) if isinstance(outcome, Done) else _gone(machine)


def _hit(session: Session, machine: str, wanted: Wanted) -> list[Booking]:
    """Whose bookings fall with it: nobody is told of one that others may have already."""
    known = context()
    at = known.clock()
    return kept(session, machine, bookings_in(known.current(), machine, at, _end(wanted)), at)


def _form(machine: str, wrong: list[str] | tuple[str, ...] = ()) -> ResponseReturnValue:
    name = context().current().called.place(machine)
    said = beside(wrong, text.wrong)
    return render_template("machine_out.html", name=name, typed=request.form, wrong=said), 400 if wrong else 200


def _second_step(machine: str, wanted: Wanted) -> ResponseReturnValue:
    known = context()
    current, at = known.current(), known.clock()
    with known.database.reading() as session:
        hit = _hit(session, machine, wanted)
        waiting = len(waits(session, at, machines=[machine]))
    said, more = text.before_out(wanted.urgent, hit, current.called, at)
    more += text.who_waits(waiting)
    carried = [(name, request.form.get(name, "")) for name in ("why", "when", "until")]
    return render_template(
        "second_step.html",
        question=gettext("Mettre hors service : %(machine)s ?", machine=current.called.place(machine)),
        said=said,
        more=more,
        press=gettext("Oui, hors service"),
        carried=[*carried, (SURE, "1")],
        back=url_for("machines.page"),
    )


def _end(wanted: Wanted) -> Instant | None:
    """When the last day is over, where one is known."""
    if wanted.until is None:
        return None
    return context().current().calendar.midnight(wanted.until + timedelta(days=1))


def _cut(machine: str) -> str | None:
    """Order the machine's edge to cut its power now; None where the order could not be sent."""
    me = signed_in()
    try:
        given = context().orders.give(Order.LOCK_OUT, machine, me.login, told=f"account {me.account}")
    except OrderRefusedError:
        flash(text.not_sent(context().current().called.place(machine)))
        return None
    given.wait(ANSWER_WITHIN)
    return given.nonce


def _done(done: str, machine: str, order: str | None = None) -> ResponseReturnValue:
    rules = context().current().version
    return redirect(url_for("machines.page", done=done, machine=machine, rules=rules, order=order), 303)


def _gone(machine: str) -> ResponseReturnValue:
    """Somebody else did it, or something else: the board says how it is now."""
    flash(text.meanwhile(context().current().called.place(machine), known_machine(machine).locked_out))
    return redirect(url_for("machines.page"), 303)


def _today() -> date:
    return local(context().clock()).date()
