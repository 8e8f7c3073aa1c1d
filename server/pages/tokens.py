"""Which programs may ask, and what? /tokens, for administrators."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.changes import tokens as changes
from server.errors import ChangeRefusedError
from server.queries import accounts as queries
from server.roles import Scope
from server.text.refusals import refusal
from server.text.translate import N_, gettext
from server.web import sessions as auth
from server.web.told import tell

page = Blueprint("tokens", __name__)

SCOPES = {
    Scope.NOW: N_("lire qui tient le lieu et l’état des portes"),
    Scope.PASSAGES: N_("lire les passages, avec les noms"),
    Scope.MEMBERS: N_("lire la liste des membres"),
    Scope.BADGES: N_("lire les badges et leur état, sans les numéros"),
    Scope.PASSES: N_("lire les carnets et ce qu’il en reste"),
    Scope.BOOKINGS: N_("lire les réservations de machines, réserver et annuler"),
}


@page.get("/tokens", endpoint="page")
def show() -> ResponseReturnValue:
    return _page()


def _page(shown: str | None = None, wrong: str | None = None) -> str:
    with auth.context().database.reading() as session:
        tokens = queries.tokens(session)
    return render_template("tokens.html", tokens=tokens, scopes=SCOPES, shown=shown, wrong=wrong)


@page.post("/tokens")
def make() -> ResponseReturnValue:
    """The token is in the answer to this request, and nowhere else."""
    scopes = [scope for scope in Scope if scope in request.form.getlist("scope")]
    try:
        with auth.context().database.transaction() as session:
            name = request.form.get("name", "")
            token = changes.make_token(session, auth.signed_in(), auth.now(), name, scopes)
    except ChangeRefusedError as error:
        return _page(wrong=refusal(error.why)), 400
    return _page(shown=token)


@page.post("/tokens/<int:which>/end")
def end(which: int) -> ResponseReturnValue:
    with auth.context().database.transaction() as session:
        changes.end_token(session, auth.signed_in(), auth.now(), which)
    tell(gettext("Ce jeton ne sert plus."))
    return redirect(url_for("tokens.page"), 303)
