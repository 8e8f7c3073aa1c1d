"""How is a session that runs let go on, or ended, from a page? Orders to the machine's edge; nothing here starts one.

Its holder lets it go on, and fab managers any; to end one takes a fab manager and a second step.
"""

from time import monotonic

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from policy.bookings import next_of_others
from policy.instants import instant, text
from policy.reasons import Reason
from policy.sessions import Session as Use
from policy.terms import Instant
from server.changes import machines as changes
from server.errors import OrderRefusedError
from server.pages.machine import known_machine
from server.pages.machine_out import ANSWER_WITHIN
from server.publish.orders import Given
from server.queries.bookings import Slot, slots
from server.queries.devices import keeps_power
from server.queries.machines import printer_of
from server.queries.orders import is_told
from server.queries.site_state import machines_at
from server.roles import FAB_MANAGERS
from server.text import machine_session as words
from server.text.devices import no_end
from server.web.sessions import context, roles, signed_in
from server.web.told import tell

page = Blueprint("machine_session", __name__)


@page.post("/machines/<path:machine>/extend")
def extend(machine: str) -> ResponseReturnValue:
    """The edge works out until when. On to where the press stood: `from` is `me`, or it is the machine's page."""
    known_machine(machine)
    known, me = context(), signed_in()
    holder = "" if roles() & FAB_MANAGERS else (me.member or "-")
    told, before = f"account {me.account}", _running(machine)
    try:
        given = changes.extend(
            known.database, known.orders, known.current(), machine, me.login, told, known.clock(), holder=holder
        )
    except OrderRefusedError:
        return _on(machine, words.not_sent(_name(machine)))
    return _on(machine, _extended(machine, given, before))


@page.get("/machines/<path:machine>/end")
def ask_end(machine: str) -> ResponseReturnValue:
    known_machine(machine)
    known, running = context(), _running(machine)
    if running is None:
        return _on(machine, words.nothing_runs(_name(machine)))
    if _prints(machine):
        return _on(machine, no_end(_name(machine)))
    question, said = words.before_end(_name(machine), known.current().called.member(running.member), running)
    return render_template(
        "second_step.html",
        question=question,
        said=said,
        press=words.yes_end(),
        carried=[("began", text(running.start))],
        back=url_for("machine.page", machine=machine),
    )


@page.post("/machines/<path:machine>/end")
def end(machine: str) -> ResponseReturnValue:
    """began: of the session that was asked about; another one goes on."""
    known_machine(machine)
    known, me = context(), signed_in()
    began = _instant(request.form.get("began", ""))
    if began is None:
        return redirect(url_for("machine_session.ask_end", machine=machine), 303)
    if _prints(machine):
        return _on(machine, no_end(_name(machine)))
    try:
        told = f"account {me.account}"
        given = changes.end(known.database, known.orders, machine, me.login, told, began, known.clock())
    except OrderRefusedError:
        return _on(machine, words.not_sent(_name(machine)))
    if given is None:
        return _on(machine, words.nothing_runs(_name(machine)))
    reply = given.wait(ANSWER_WITHIN)
    return _on(machine, words.ended(_name(machine), None if reply is None else reply.done))


def _extended(machine: str, given: Given | Reason | None, before: Use | None) -> str:
    """before: the session as it was."""
    if given is None:
        return words.nothing_runs(_name(machine))
    if isinstance(given, Reason):
        return words.not_extended(given)
    reply, at = given.wait(ANSWER_WITHIN), context().clock()
    if reply is not None and not reply.done:
        return words.not_extended(next((one for one in Reason if one == reply.why), None))
    told = reply is not None and _is_told(given)
    after = _running(machine)
    if not told or before is None or after is None:
        return words.no_answer()
    if after.until == before.until:
        return words.as_before(after.until, at, _booked_next(machine, after))
    return words.extended(after.until, at)


def _is_told(given: Given) -> bool:
    """Whether what the edge did is in its rows here: it answers first, and they follow at once."""
    known, ends = context(), monotonic() + ANSWER_WITHIN
    while True:
        seen, now = known.live.version, known.clock()
        with known.database.reading() as session:
            if is_told(session, given.nonce, given.edge, now):
                return True
        left = ends - monotonic()
        if left <= 0:
            return False
        known.live.wait(seen, left)


def _booked_next(machine: str, use: Use) -> Slot | None:
    """The booking of somebody else that ends the session, if one does."""
    known = context()
    at = known.clock()
    end = next_of_others(known.current().rules, machine, use.member, at)
    if end is None or end != use.until:
        return None
    with known.database.reading() as session:
        return next((one for one in slots(session, end, machines=[machine]) if one.start == end), None)


def _running(machine: str) -> Use | None:
    known = context()
    with known.database.reading() as session:
        return machines_at(session, known.clock()).sessions.running(machine, known.clock())


def _prints(machine: str) -> bool:
    """Whether a printer stands there that is not idle: its edge would refuse to end the session."""
    known = context()
    with known.database.reading() as session:
        return keeps_power(printer_of(session, machine, known.clock()))


def _instant(written: str) -> Instant | None:
    try:
        return instant(written)
    except (ValueError, OverflowError):
        return None


def _name(machine: str) -> str:
    return context().current().called.place(machine)


def _on(machine: str, said: str) -> ResponseReturnValue:
    tell(said)
    if request.form.get("from") == "me":
        return redirect(url_for("me.page"), 303)
    return redirect(url_for("machine.page", machine=machine), 303)
