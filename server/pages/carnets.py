"""What was sold, used and is still owed on carnets? /carnets: for whoever keeps the accounts, and as files."""

from datetime import date

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from server.audit import Decided, looked
from server.queries.current import Current
from server.queries.people import day_of
from server.queries.treasury import FLOWS, MINTED, Held, Report, report
from server.text import carnets as text
from server.text.dates import no_such_day, read_date, whole_day
from server.text.sheets import Cell, Sheet, csv_file, xlsx_file
from server.text.translate import N_, gettext
from server.web.sessions import context, signed_in

page = Blueprint("carnets", __name__)

SHOWN = 50
"""Lines of a list on the page; all of them are in the files."""
HELD = (
    N_("Membre"),
    N_("Formule"),
    N_("Unité"),
    N_("Reste"),
    N_("Sur"),
    N_("Premier jour"),
    N_("Dernier jour"),
    N_("Carnet"),
)
SALES = (N_("Jour"), N_("Membre"), N_("Unité"), N_("Vendu"), N_("Prix"), N_("Par"))
"""The columns of the files."""


@page.get("/carnets", endpoint="page")
def show() -> ResponseReturnValue:
    known = context()
    asked, wrong = _asked()
    with known.database.reading() as session:
        found = report(session, known.current(), *asked)
    said = {
        "report": found,
        "units": [(text.UNITS[unit], totals) for unit, totals in found.totals.items()],
        "flows": [(did, text.FLOWS[did]) for did in _flows(found)],
        "counted": text.counted,
        "typed": request.args,
        "wrong": wrong,
        "shown": SHOWN,
        "ahead": found.last > day_of(known.current(), known.clock()),
        "written": "{:%d/%m/%Y}".format,
        "said": whole_day,
    }
    return render_template("carnets.html", **said), 400 if wrong else 200


@page.post("/carnets/export")
def export() -> ResponseReturnValue:
    """All carnets with something left, the sales, those that end: one file, or the first of them alone."""
    known = context()
    asked, wrong = _asked()
    if wrong:
        return show()
    with known.database.transaction() as session:
        looked(session, Decided(signed_in().login, known.clock()), "carnets", None)
        found = report(session, known.current(), *asked)
    name = f"carnets-{found.last.isoformat()}"
    if request.form.get("format") == "xlsx":
        return _book(found, known.current(), name)
    if request.form.get("list") == "sales":
        return csv_file(_sales(found), f"ventes-{name}")
    return csv_file(_owed(found.owed, known.current(), gettext("Reste")), f"reste-{name}")


def _book(found: Report, current: Current, name: str) -> Response:
    owed, ending = gettext("Reste"), gettext("Finissent bientôt")
    sheets = (_summary(found), _owed(found.owed, current, owed), _sales(found), _owed(found.ending, current, ending))
    return xlsx_file(sheets, name)


def _asked() -> tuple[tuple[date, date], dict[str, str]]:
    """From when to when, and what is wrong with it: by default this year until today."""
    today = day_of(context().current(), context().clock())
    days, wrong = {"from": today.replace(month=1, day=1), "to": today}, {}
    for field in days:
        try:
            days[field] = read_date(request.values.get(field, "")) or days[field]
        except ValueError:
            said = no_such_day(request.values.get(field, ""))
            wrong[field] = said or gettext("Écrivez le jour ainsi : 31/12/2026.")
    if not wrong and days["to"] < days["from"]:
        wrong["to"] = gettext("Le dernier jour est avant le premier : échangez-les.")
    return (days["from"], max(days.values())) if wrong else (days["from"], days["to"]), wrong


def _flows(found: Report) -> list[str]:
    """What changed how much is owed; what the bank of hours minted only where it did."""
    minted = any(MINTED in totals.flows for totals in found.totals.values())
    return [*FLOWS, MINTED] if minted else [*FLOWS]


def _summary(found: Report) -> Sheet:
    headings = [
        gettext("Unité"),
        gettext("Dû avant"),
        *(gettext(text.FLOWS[did]) for did in _flows(found)),
        gettext("Dû après"),
    ]
    rows: list[list[Cell]] = [
        [gettext(text.UNITS[unit]), totals.before, *(totals.flows.get(did, 0) for did in _flows(found)), totals.after]
        for unit, totals in found.totals.items()
    ]
    return Sheet(gettext("Total"), headings, rows)


def _owed(lines: tuple[Held, ...], current: Current, title: str) -> Sheet:
    headings = [gettext(one) for one in HELD]
    rows: list[list[Cell]] = [
        [one.name, current.called.tier(one.tier), gettext(text.UNITS[one.carnet.held.unit]), one.left,
         one.carnet.held.total, one.carnet.held.valid_from, one.carnet.held.valid_until, one.carnet.held.id]
        for one in lines
    ]  # fmt: skip
    return Sheet(title, headings, rows)


def _sales(found: Report) -> Sheet:
    headings = [gettext(one) for one in SALES]
    rows: list[list[Cell]] = [
        [one.day, one.name, gettext(text.UNITS[one.unit]) if one.unit else "", one.units, one.price, one.by]
        for one in found.sales
    ]
    return Sheet(gettext("Ventes"), headings, rows)
