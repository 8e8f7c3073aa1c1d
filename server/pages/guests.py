"""Who is a guest today? /guests: noted in two presses by the desk or a gardien, by agreement, and counted."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from server.audit import Decided
from server.changes import guests as changes
from server.changes.evacuation import LONGEST
from server.changes.guests import Noted, UsedUp
from server.errors import Refused
from server.queries.guests import agreements, by_month
from server.queries.people import day_of
from server.roles import STAFF
from server.text.refusals import refusal
from server.text.sheets import Cell, Sheet, csv_file
from server.text.translate import gettext, ngettext
from server.web.deciding import decide, today
from server.web.sessions import context, roles
from server.web.typed import line_in

page = Blueprint("guests", __name__)

SHOWN = 20
"""Characters of what was typed that a refusal repeats."""


@page.get("/guests", endpoint="page")
def show() -> ResponseReturnValue:
    return _page()


@page.post("/guests")
def note() -> ResponseReturnValue:
    which, name, day = _number("agreement"), line_in("name"), today()
    outcome = decide(lambda session, decided: changes.note_day(session, decided, which, name, day))
    if isinstance(outcome, Refused):
        return _page(refusal(outcome), 400)
    if isinstance(outcome, UsedUp):
        said = gettext(
            "Pas noté : %(name)s a eu ses %(days)s journées de %(year)s (%(agreement)s).",
            name=outcome.name, days=outcome.days, year=day.year, agreement=outcome.agreement,
        )  # fmt: skip
        return _page(said, 409)
    flash(_said(outcome))
    context().live.changed()
    return redirect(url_for("guests.page"), 303)


@page.post("/guests/<int:which>/back")
def take_back(which: int) -> ResponseReturnValue:
    day = today()
    outcome = decide(lambda session, decided: changes.take_back(session, decided, which, day))
    if isinstance(outcome, Refused):
        return _page(refusal(outcome), 409)
    flash(gettext("Retiré : cette journée ne compte plus."))
    context().live.changed()
    return redirect(url_for("guests.page"), 303)


@page.post("/guests/agreements")
def agree() -> ResponseReturnValue:
    """A new one, or other days of the one of that name."""
    name, days = line_in("name"), _number("days")
    outcome = decide(lambda session, decided: changes.agree(session, decided, name, days))
    if outcome is Refused.AGREEMENT_WRONG:
        return _page(_no_agreement(name), 400)
    if isinstance(outcome, Refused):
        return _page(refusal(outcome), 400)
    flash(
        ngettext(
            "Noté : %(name)s, %(num)s journée par personne et par an.",
            "Noté : %(name)s, %(num)s journées par personne et par an.",
            days,
            name=name,
        )
    )
    return redirect(url_for("guests.page"), 303)


@page.post("/guests/agreements/<int:which>/end")
def end(which: int) -> ResponseReturnValue:
    def change(session: Session, decided: Decided) -> None:
        changes.end_agreement(session, decided, which)

    outcome = decide(change)
    if isinstance(outcome, Refused):
        return _page(refusal(outcome), 409)
    flash(gettext("Cet accord est terminé ; ce qui est compté reste."))
    return redirect(url_for("guests.page"), 303)


@page.get("/guests/export")
def download() -> ResponseReturnValue:
    """Days by agreement and month of this year and the last one, without names."""
    day = today()
    with context().database.reading() as session:
        found = by_month(session, day.replace(year=day.year - 1, month=1, day=1), day.replace(month=12, day=31))
    rows: list[list[Cell]] = [[agreement, month, days] for agreement, month, days in found]
    headings = [gettext("Accord"), gettext("Mois"), gettext("Journées")]
    return csv_file(Sheet(gettext("Invités"), headings, rows), f"invites-{day:%Y}")


def _said(noted: Noted) -> str:
    told = {"name": noted.name, "number": noted.number, "days": noted.days, "agreement": noted.agreement}
    if not noted.fresh:
        return gettext("%(name)s est déjà noté·e aujourd’hui : %(number)s sur %(days)s (%(agreement)s).", **told)
    return gettext("%(name)s est là : journée %(number)s sur %(days)s (%(agreement)s).", **told)


def _no_agreement(name: str) -> str:
    """Which of what was typed is wrong, and what to write."""
    if not 0 < len(name) <= LONGEST:
        return gettext("Pas fait : écrivez avec qui est l’accord, en %(most)s caractères au plus.", most=LONGEST)
    typed, most = request.form.get("days", "").strip()[:SHOWN], changes.MOST_DAYS
    if not typed:
        return gettext("Pas fait : écrivez combien de journées, de 1 à %(most)s, en chiffres.", most=most)
    return gettext(
        "Pas fait : vous avez écrit « %(typed)s ». Écrivez un nombre de journées, de 1 à %(most)s.",
        typed=typed,
        most=most,
    )


def _number(field: str) -> int:
    written = request.form.get(field, "").strip()
    return int(written) if written.isascii() and written.isdigit() and len(written) < 9 else 0


def _page(refused: str = "", status: int = 200) -> ResponseReturnValue:
    known = context()
    day = day_of(known.current(), known.clock())
    with known.database.reading() as session:
        found = agreements(session, day)
    here = [(line, one) for line in found for one in line.guests if one.today is not None]
    return render_template(
        "guests.html",
        lines=found,
        here=here,
        names=sorted({one.name for line in found for one in line.guests}),
        year=day.year,
        staff=bool(roles() & STAFF),
        refused=refused,
        typed=request.form,
    ), status
