"""How are the machines used, and what do they want? /machines/chiffres, for fab managers; as a list too."""

from itertools import islice

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from policy.terms import DAY, Instant
from server.queries import machine_sheet
from server.queries.machine_figures import figures
from server.queries.machine_service import services
from server.queries.names import alphabetical
from server.queries.now import picture
from server.queries.start import unopened
from server.text import machine_figures as text
from server.text import machine_service
from server.text.bank import month as full_month
from server.text.bank import short_month
from server.text.machine import faults
from server.text.sheets import csv_file
from server.text.start import closed
from server.web.sessions import context, signed_in

page = Blueprint("machine_figures", __name__)

AHEAD: Instant = 14 * DAY
"""How far ahead bookings are looked at that nobody opens for."""
MOST_WAITING = 30
"""Of these so many are listed, the first ones."""


@page.get("/machines/chiffres", endpoint="page")
def show() -> ResponseReturnValue:
    """`?month=2026-11` shows that month."""
    known = context()
    current, at = known.current(), known.clock()
    with known.database.reading() as session:
        found = figures(session, current, at, known.retention_days, request.args.get("month", ""))
        now = picture(session, current, at).known
        waiting = list(islice(unopened(session, current, now, at + AHEAD), MOST_WAITING + 1))
        kept = services(session, current.calendar, at)
        reported = machine_sheet.faults(session)
    month, called = found.month, current.called
    absent = [(called.member(who) or who, number) for who, number in found.absent.items()]
    return render_template(
        "machine_figures.html",
        at=at,
        headline=text.headline(found, month),
        ground=text.ground(found, month),
        named=full_month(month),
        months=[(f"{one:%Y-%m}", short_month(one), one == month) for one in found.months],
        lines=text.lines(found, month, called),
        totals=text.totals(found, called),
        due=[machine_service.said(one) for one in kept.values() if one.sheet.machine in current.machines],
        waiting=[
            (
                one,
                called.place(one.machine),
                called.member(one.member) or one.member,
                closed(shut) if shut else "",
                current.calendar.date_at(one.start),
            )
            for one, shut in waiting[:MOST_WAITING]
        ],
        more=len(waiting) > MOST_WAITING,
        absent=sorted(absent, key=lambda one: alphabetical(one[0])),
        reported=faults(reported, signed_in().member, manages=True),
    )


@page.get("/machines-csv")
def download() -> ResponseReturnValue:
    known = context()
    with known.database.reading() as session:
        found = figures(session, known.current(), known.clock(), known.retention_days)
    return csv_file(text.sheet(found, known.current().called), f"machines-{found.months[-1]:%Y-%m}")
