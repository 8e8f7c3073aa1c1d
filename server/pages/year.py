"""What do we tell the general meeting, and the town? /chiffres: a year on one sheet, beside the year before."""

from datetime import date

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from server.queries.past_days import Once
from server.queries.people import day_of
from server.queries.year import Year, before, first_months, known_since, year
from server.text import chart
from server.text import year as text
from server.text.bank import month
from server.text.sheets import csv_file, xlsx_file
from server.web.sessions import context

page = Blueprint("year", __name__)

BEGINS = 9
"""The month in which a year begins where none is asked for: September."""


@page.get("/chiffres", endpoint="page")
def show() -> ResponseReturnValue:
    """`?from=2025-09` shows the twelve months that begin then."""
    known = context()
    today = day_of(known.current(), known.clock())
    found, past, years = _asked()
    called = known.current().called
    return render_template(
        "year.html",
        found=found,
        figures=text.figures(found, past),
        bars=text.chart(found),
        chart=chart,
        months=[(month(one.first), text.visits(one, today)) for one in found.months],
        tiers=text.tiers(found, called),
        happened=text.happened(found, called),
        notes=text.notes(found),
        years=[
            (one, text.since(one) if before(one).replace(year=one.year + 1) > today else text.named(one))
            for one in years
        ],
        starts=text.starts(),
        date=text.day,
        number=text.number,
        today=today,
    )


@page.get("/chiffres/file", endpoint="file")
def download() -> ResponseReturnValue:
    """Month by month as CSV, or everything as XLSX (`?format=xlsx`)."""
    found, past, _ = _asked()
    name = f"chiffres-{found.first:%Y-%m}"
    if request.args.get("format") == "xlsx":
        return xlsx_file(text.sheets(found, past, context().current().called), name)
    return csv_file(text.by_month(found, past), name)


def _asked() -> tuple[Year, Year | None, list[date]]:
    """The year that is asked for, the one before where that is known whole, and the first days of those to choose."""
    known = context()
    current, at = known.current(), known.clock()
    today = day_of(current, at)
    with known.database.reading() as session:
        once = Once()
        since = known_since(session, current.calendar, once) or today
        asked = _first(request.args.get("from", ""))
        begins = asked.month if asked is not None else BEGINS
        years = first_months(since, today, begins)
        found = year(session, current, asked or years[-1], at, once)
        past = year(session, current, before(found.first), at, once) if since <= before(found.first) else None
    return found, past if past is not None and past.whole else None, years


def _first(said: str) -> date | None:
    try:
        found = date.fromisoformat(f"{said}-01")
    except ValueError:
        return None
    return found if 2000 <= found.year < 2100 else None
