"""How does somebody open a door from a page, keep it unlocked, and lock it again? Each a press; what opens, two.

The page of the place says what became of it, once the door has answered.
"""

from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from policy.instants import of
from policy.terms import MINUTE, Instant
from server.errors import OrderRefusedError
from server.queries.site_state import is_locked_down
from server.roles import STAFF
from server.text.dates import hour, local, when, zone
from server.text.hours import read_hour
from server.text.named import the_door
from server.text.translate import gettext
from server.web.sessions import confirmed_lately, context, roles, signed_in
from wire.messages import LONGEST_UNLOCK
from wire.row import Order

page = Blueprint("doors", __name__)

ANSWER_WITHIN = 2.0
"""Seconds for which the answer of a door is waited for; a slower one is told when it comes."""
OFFERED = 15
"""Minutes for which a door is kept unlocked in one press."""


@page.get("/doors/<path:place>/open")
def ask_open(place: str) -> ResponseReturnValue:
    return _ask(
        gettext("Ouvrir %(door)s ?", door=the_door(_name(place))),
        gettext("Elle se déverrouille quelques secondes : qui se tient devant entre, sans badge, et n’est pas compté."),
        gettext("Oui, ouvrir"),
    )


@page.post("/doors/<path:place>/open")
def open_door(place: str) -> ResponseReturnValue:
    _name(place)
    with context().database.reading() as session:
        locked_down = is_locked_down(session)
    if locked_down and not roles() & STAFF:  # whoever holds the place may not, as their badge may not
        flash(gettext("Le lieu est confiné : seule l’équipe ouvre une porte."))
        return redirect(url_for("now.page"), 303)
    return _order(Order.OPEN, place)


@page.get("/doors/<path:place>/unlock")
def ask_unlock(place: str) -> ResponseReturnValue:
    return _ask_unlock(place)


@page.post("/doors/<path:place>/unlock")
def unlock(place: str) -> ResponseReturnValue:
    _name(place)
    now = context().clock()
    until = _until(now)
    if until is None or not now < until <= now + LONGEST_UNLOCK:
        latest = hour(now + LONGEST_UNLOCK)
        return _ask_unlock(place, gettext("Une heure avant %(latest)s, comme 18:30 : 4 heures au plus.", latest=latest))
    return _order(Order.UNLOCK, place, until)


@page.post("/doors/<path:place>/relock")
def relock(place: str) -> ResponseReturnValue:
    _name(place)
    return _order(Order.RELOCK, place)


def _ask_unlock(place: str, wrong: str = "") -> ResponseReturnValue:
    now, door = context().clock(), the_door(_name(place))
    minutes = request.values.get("minutes")
    question = gettext("Tenir %(door)s ouverte ?", door=door)
    if minutes:
        until = hour(now + OFFERED * MINUTE)
        question = gettext("Tenir %(door)s ouverte 15 min, jusqu’à %(until)s ?", door=door, until=until)
    said = gettext(
        "N’importe qui peut entrer, sans badge. Elle se verrouille à cette heure, ou avant : par « Refermer », par un "
        "confinement, ou quand la dernière personne de l’équipe ou gardienne sort."
    )
    return _ask(question, said, gettext("Oui, la tenir ouverte"), minutes=minutes, wrong=wrong)


def _ask(question: str, said: str, press: str, **more: object) -> ResponseReturnValue:
    now = context().clock()
    hints = {
        "offered": f"{local(now + 60 * MINUTE):%H:%M}",
        "latest": when(now + LONGEST_UNLOCK, now),
        "again": not confirmed_lately(),
        "wants_hour": request.path.endswith("/unlock") and not more.get("minutes"),
    }
    told = {"question": question, "said": said, "press": press} | hints | more
    return render_template("second_step.html", **told), 400 if more.get("wrong") else 200


def _order(order: Order, place: str, until: Instant | None = None) -> ResponseReturnValue:
    me = signed_in()
    try:
        given = context().orders.give(order, place, me.login, told=f"account {me.account}", until=until)
    except OrderRefusedError:
        return render_template("unsent.html", door=_name(place)), 503
    given.wait(ANSWER_WITHIN)
    return redirect(url_for("now.page", order=given.nonce), 303)


def _until(now: Instant) -> Instant | None:
    """What the form says: so many minutes, or an hour of today, else of tomorrow; None for what is none."""
    if request.form.get("minutes"):
        return now + OFFERED * MINUTE
    try:
        written = read_hour(request.form.get("until", ""))
    except ValueError:
        return None
    today = local(now)
    until = datetime.combine(today.date(), written, zone())
    return of(until if until > today else until + timedelta(days=1))


def _name(place: str) -> str:
    """What the door is called. Raises NotFound."""
    current = context().current()
    if place not in {point.id for point in current.bundle.access_points}:
        raise NotFound
    return current.called.place(place) or place
