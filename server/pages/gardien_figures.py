"""Is the rota fair? /gardiens/chiffres: hours by gardien, evenings held and not, and who came in vain."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.queries.gardien_figures import figures
from server.queries.names import alphabetical
from server.text import bank as text
from server.text.dates import calendar_day, clock
from server.web.sessions import context

page = Blueprint("gardien_figures", __name__)


@page.get("/gardiens/chiffres", endpoint="page")
def show() -> ResponseReturnValue:
    known = context()
    current, now = known.current(), known.clock()
    with known.database.reading() as session:
        found = figures(session, current, now, known.retention_days)
    called = current.called.member
    people = [(called(who) or who, months, sum(months.values())) for who, months in found.hours.items()]
    return render_template(
        "gardien_figures.html",
        found=found,
        months=[(one, text.short_month(one)) for one in found.months],
        people=sorted(people, key=lambda one: alphabetical(one[0])),
        held=sum(one.held for one in found.evenings),
        gaps=sum(one.turn.gardien is None for one in found.evenings),
        in_vain=[(clock(f"{half // 60:02}:{half % 60:02}"), count) for half, count in found.in_vain.items()],
        calendar_day=calendar_day,
        plain=text.plain,
    )
