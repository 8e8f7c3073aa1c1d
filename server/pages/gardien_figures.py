"""Is the rota fair? /gardiens/chiffres: hours by gardien, evenings held and not, and who came in vain."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.queries.gardien_figures import Evening, figures
from server.queries.names import alphabetical
from server.text import bank as text
from server.text.dates import calendar_day, clock, hour
from server.text.sheets import Cell, Sheet, csv_file
from server.text.translate import gettext
from server.web.sessions import context

page = Blueprint("gardien_figures", __name__)


@page.get("/gardiens/chiffres", endpoint="page")
def show() -> ResponseReturnValue:
    known = context()
    current, now = known.current(), known.clock()
    with known.database.reading() as session:
        found = figures(session, current, now, known.retention_days)
    called = current.called.member
    first = min((month for months in found.hours.values() for month in months), default=None)
    people = [(called(who) or who, months, sum(months.values())) for who, months in found.hours.items()]
    return render_template(
        "gardien_figures.html",
        found=found,
        months=[(one, text.short_month(one)) for one in found.months if first is None or one >= first],
        people=sorted(people, key=lambda one: alphabetical(one[0])),
        by_month=[
            (text.month(month), evenings, sum(one.held for one in evenings))
            for month, evenings in _by_month(found.evenings)
        ],
        held=sum(one.held for one in found.evenings),
        gaps=sum(one.turn.gardien is None for one in found.evenings),
        in_vain=[(clock(f"{half // 60:02}:{half % 60:02}"), count) for half, count in found.in_vain.items()],
        calendar_day=calendar_day,
        plain=text.plain,
    )


def _by_month(evenings: Sequence[Evening]) -> list[tuple[date, list[Evening]]]:
    """In the order in which they are listed."""
    return [(month, list(found)) for month, found in groupby(evenings, key=lambda one: one.turn.day.replace(day=1))]


@page.get("/gardiens/chiffres-csv", endpoint="file")
def download() -> ResponseReturnValue:
    """Evening by evening, for a spreadsheet; fewer than three people are not counted there either."""
    known = context()
    current = known.current()
    with known.database.reading() as session:
        found = figures(session, current, known.clock(), known.retention_days)
    headings = [gettext("Jour"), gettext("De"), gettext("Jusqu’à"), gettext("Gardien"), gettext("Minutes")]
    headings.append(gettext("Personnes"))
    rows: list[list[Cell]] = [
        [
            one.turn.day,
            hour(one.turn.start),
            hour(one.turn.end),
            "" if one.turn.gardien is None else current.called.member(one.turn.gardien) or one.turn.gardien,
            one.minutes,
            gettext("moins de 3") if one.people is None else one.people,
        ]
        for one in found.evenings
    ]
    return csv_file(Sheet(gettext("Soirée par soirée"), headings, rows), "soirees")
