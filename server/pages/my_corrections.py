"""Is it right what somebody wrote down of me? A member says why not; the team reads it and answers."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from server.audit import Decided
from server.changes.corrections import contest
from server.changes.outcomes import Wrong
from server.errors import ChangeRefusedError
from server.queries.corrections import noted
from server.text.corrections import to_member
from server.text.refusals import refusal
from server.text.translate import gettext
from server.web.deciding import MOST_WHY, why_in
from server.web.sessions import context, signed_in

page = Blueprint("my_corrections", __name__)


@page.get("/me/corrections/<int:which>")
def ask(which: int) -> ResponseReturnValue:
    return _form(which)


@page.post("/me/corrections/<int:which>")
def say(which: int) -> ResponseReturnValue:
    known, me = context(), signed_in()
    why = why_in()
    try:
        with known.database.transaction() as session:
            outcome = contest(session, Decided(me.login, known.clock(), why), me.member or "", which)
    except ChangeRefusedError as error:
        flash(refusal(error.why))
        return redirect(url_for("me.page"), 303)
    if isinstance(outcome, Wrong):
        return _form(which, gettext("Dites ce qui est juste, à votre avis."), 400)
    flash(gettext("C’est écrit à l’équipe. La réponse sera ici."))
    known.live.changed()
    return redirect(url_for("me.page"), 303)


def _form(which: int, wrong: str = "", status: int = 200) -> ResponseReturnValue:
    """Raises NotFound for what is none of theirs, or not kept any more."""
    known = context()
    with known.database.reading() as session:
        one = next((one for one in noted(session, signed_in().member or "") if one.noted.seq == which), None)
    if one is None:
        raise NotFound
    said = to_member(one, known.clock())
    return render_template("my_correction.html", one=one, said=said, wrong=wrong, most=MOST_WHY), status
