"""How is the place locked down from a page, and opened again? Two presses, and no password: it must go fast."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.queries.site_state import locked_down_since
from server.text.translate import gettext, ngettext
from server.web.sessions import context, signed_in

page = Blueprint("lockdown", __name__)


@page.get("/lockdown")
def ask() -> ResponseReturnValue:
    with context().database.reading() as session:
        on = locked_down_since(session) is not None
    if on:
        question = gettext("Lever le confinement ?")
        said = gettext(
            "Les badges ouvrent de nouveau, selon les règles. Une porte qui était tenue ouverte reste fermée."
        )
        press = gettext("Oui, lever")
    else:
        question = gettext("Confiner le lieu ?")
        said = gettext(
            "Seule l’équipe entre ; tout le monde peut sortir. Les portes tenues ouvertes se verrouillent. La page de "
            "tous dit que le lieu est confiné, jusqu’à ce que l’équipe le lève."
        )
        press = gettext("Oui, confiner")
    return render_template("second_step.html", question=question, said=said, press=press, on="" if on else "1")


@page.post("/lockdown")
def declare() -> ResponseReturnValue:
    on = bool(request.form.get("on"))
    away = len(context().lock_down(on, signed_in().login))
    said = gettext("Le lieu est confiné.") if on else gettext("Le confinement est levé.")
    if away:
        said += " " + ngettext(
            "%(num)s boîtier ne répond pas : il l’apprendra dès qu’il sera joint.",
            "%(num)s boîtiers ne répondent pas : ils l’apprendront dès qu’ils seront joints.",
            away,
        )
    flash(said)
    return redirect(url_for("now.page"), 303)
