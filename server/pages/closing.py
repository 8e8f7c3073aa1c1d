"""Is anybody still inside? For the gardien who closes: who has gone is written down, the others badge out."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as browser
from flask.typing import ResponseReturnValue

from policy.terms import HOUR, Instant
from server.audit import Decided
from server.changes import corrections as changes
from server.changes.outcomes import Wrong
from server.errors import ChangeRefusedError
from server.queries.bank_tonight import counted
from server.queries.closing import Person, evening
from server.queries.machines import RUNS, View, views
from server.queries.now import picture
from server.text.dates import hour, lasting, when
from server.text.refusals import refusal
from server.text.translate import gettext
from server.web import step_up
from server.web.deciding import decided, presence_changed
from server.web.sessions import context, signed_in

page = Blueprint("closing", __name__)

HERE, MOST_HERE = "here", 50
"""Whom the gardien has seen: kept by the browser alone, as it changes nothing."""
OFFERED = 3
"""The last full hours at which somebody may have gone; more would be a guess."""


@page.get("/fermer", endpoint="page")
def show() -> ResponseReturnValue:
    return _page()


@page.post("/fermer/<path:member>")
def gone(member: str) -> ResponseReturnValue:
    """Somebody who is noted inside is there still, or has gone, at an hour or nobody knows when."""
    known, written = context(), request.form.get("at", "")
    if written == HERE:
        browser[HERE] = [*browser.get(HERE, [])[-MOST_HERE:], member]
        return redirect(url_for("closing.page"), 303)
    if written and not (written.isascii() and written.isdigit() and len(written) < 15):
        return _page(member, gettext("Choisissez une heure, après son arrivée et pas plus tard que maintenant."), 400)
    why = gettext("badge oublié, réglé à la fermeture") if written else gettext("badge oublié, heure inconnue")
    by: Decided = decided(why)
    try:
        with known.database.reading() as session:
            asks = changes.require_may_correct(session, signed_in(), member)
        if asks and (question := step_up.ask_again()):
            return question
        with known.database.transaction() as session:
            at, day_start = int(written or by.at), known.current().rules.day_start(by.at)
            outcome = changes.has_left(session, signed_in(), by, member, at, day_start)
    except ChangeRefusedError as error:
        return _page(member, refusal(error.why), 409)
    if isinstance(outcome, Wrong):
        return _page(member, gettext("Choisissez une heure, après son arrivée et pas plus tard que maintenant."), 400)
    presence_changed()
    flash(gettext("%(name)s est noté·e parti·e. Sa page le lui dit.", name=known.current().called.member(member)))
    return redirect(url_for("closing.page"), 303)


@page.post("/fermer")
def close() -> ResponseReturnValue:
    """All are settled: that the place is closed, and by whom, is written down. It changes no shift."""
    known, by = context(), decided()
    with known.database.transaction() as session:
        waits = evening(session, known.current(), by.at, signed_in().member).waits
        if not waits:
            changes.close(session, by, signed_in().member)
    if waits:
        return _page(fault=gettext("Pas encore fermé : quelqu’un est toujours noté dedans."), status=409)
    presence_changed()
    flash(gettext("Fermeture notée à %(hour)s. Sortez et badgez : c’est votre badge qui ferme.", hour=hour(by.at)))
    return redirect(url_for("now.page"), 303)


def _page(of: str = "", fault: str = "", status: int = 200) -> ResponseReturnValue:
    """of: about whom the fault is."""
    known = context()
    current, at = known.current(), known.clock()
    with known.database.reading() as session:
        seen = evening(session, current, at, signed_in().member)
        opening = picture(session, current, at).opening
        counts = counted(session, current, signed_in().member or "", at)
        running = [view for view in views(session, current, opening, at) if view.state in RUNS]
    return render_template(
        "closing.html",
        at=at,
        waits=[(one, _hours(one, at), one.member in browser.get(HERE, [])) for one in seen.waits],
        counts=_counts(counts),
        stays=seen.stays,
        settled=seen.settled,
        until=seen.until,
        machines=[(view.machine.name or view.machine.id, _runs_until(view, at)) for view in running],
        of=of,
        fault=fault,
    ), status


def _runs_until(view: View, at: Instant) -> str:
    """With the day when it is another; empty of a session without an end."""
    return when(view.use.until, at) if view.use is not None and view.use.until is not None else ""


def _counts(minutes: int | None) -> str:
    """What the evening earns; empty where nobody counts."""
    if minutes is None:
        return ""
    if minutes == 0:
        return gettext("Votre soirée ne comptera pas : c’est une trop petite part de la garde.")
    return gettext("Votre soirée comptera %(time)s.", time=lasting(minutes))


def _hours(one: Person, at: Instant) -> list[Instant]:
    """The last full hours since they came."""
    last = at - at % HOUR
    return sorted(hour for hour in (last - n * HOUR for n in range(OFFERED)) if hour > one.at)
