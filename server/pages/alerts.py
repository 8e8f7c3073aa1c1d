"""Who looks after what is wrong? *Je m'en occupe* on the page of the place: one press, and one back."""

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session
from werkzeug.exceptions import NotFound

from policy.instants import of
from policy.terms import Instant
from server.audit import Decided
from server.changes import alerts as changes
from server.errors import ChangeRefusedError
from server.queries.alerts import PERSONAL, Alert, alerts
from server.queries.current import Current
from server.queries.now import edge_lines
from server.roles import STAFF
from server.text.refusals import refusal
from server.web.sessions import context, roles, signed_in

page = Blueprint("alerts", __name__)


@page.post("/alerts/take")
def take() -> ResponseReturnValue:
    known, me = context(), signed_in()
    key, at = request.form.get("key", ""), known.clock()
    with known.database.reading() as session:
        if key not in {one.key for one in there(session, known.current(), at)}:
            raise NotFound
    try:
        with known.database.transaction() as session:
            changes.take(session, Decided(me.login, at), me.name, key, request.form.get("instead_of", ""))
    except ChangeRefusedError as error:
        flash(refusal(error.why))
    known.live.changed()
    return redirect(url_for("now.page"), 303)


@page.post("/alerts/give-back")
def give_back() -> ResponseReturnValue:
    known = context()
    with known.database.transaction() as session:
        changes.give_back(session, Decided(signed_in().login, known.clock()), request.form.get("key", ""))
    known.live.changed()
    return redirect(url_for("now.page"), 303)


def there(session: Session, current: Current, at: Instant) -> list[Alert]:
    """The alerts of this moment that whoever asks may see."""
    late = [None if each.at is None else of(each.at) for each in context().health().late]
    found = alerts(session, current, edge_lines(session, current.version, context().troubles, at), at, late)
    return [one for one in found if one.sort not in PERSONAL or roles() & STAFF]
