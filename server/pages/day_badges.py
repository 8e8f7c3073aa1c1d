"""Which badges of the house are there, and who has them? /day-badges: the stock; lent on a member's page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from policy.uids import Doubt
from server.changes import day_badges as changes
from server.changes.outcomes import Wrong
from server.changes.people import Choose, Done, InStock, Outcome, Taken
from server.errors import Refused
from server.pages.member_changes import back, say_why, whose
from server.queries.day_badges import InHouse, stock
from server.queries.people import Person
from server.text import people as text
from server.text.dates import calendar_day
from server.text.refusals import refusal
from server.text.translate import gettext
from server.web.deciding import decide, today
from server.web.sessions import context

page = Blueprint("day_badges", __name__)


@dataclass(frozen=True, slots=True)
class Line:
    """One badge of the stock. holder: who has it, None when nobody. said, colour: how it stands."""

    id: int
    number: int
    end: str
    holder: str | None
    name: str
    said: str
    colour: str


@page.get("/day-badges", endpoint="page")
def show() -> ResponseReturnValue:
    return _page(200)


@page.post("/day-badges")
def add() -> ResponseReturnValue:
    written, number = request.form.get("uid", ""), request.form.get("number", "").strip()
    wanted = int(number) if number.isdecimal() and len(number) < 6 else 0
    outcome = decide(lambda session, decided: changes.add(session, decided, wanted, written))
    match outcome:
        case Done():
            return _done(gettext("Badge du jour %(number)s ajouté.", number=wanted))
        case Wrong(fields):
            return _page(400, wrong={field: text.wrong(field) for field in fields})
        case Choose(uids):
            return _page(400, choose=uids)
        case Doubt():
            return _page(400, wrong={"uid": text.doubt(outcome)})
        case InStock() | Taken():
            return _page(409, wrong={"uid": whose("", outcome)})
    return _refused(outcome)


@page.post("/day-badges/<int:which>/back")
def give_back(which: int) -> ResponseReturnValue:
    """To the page on which it was pressed."""
    outcome = decide(lambda session, decided: changes.give_back(session, decided, which))
    if not isinstance(outcome, Done):
        return _refused(outcome)
    if request.form.get("member") and outcome.member:
        return back(Done(outcome.member), "given_back_badge")
    return _done(gettext("Badge du jour %(number)s rendu : il n’ouvre plus rien.", number=outcome.badge))


@page.post("/day-badges/<int:which>/end")
def retire(which: int) -> ResponseReturnValue:
    outcome = decide(lambda session, decided: changes.retire(session, decided, which))
    if not isinstance(outcome, Done):
        return _refused(outcome)
    return _done(gettext("Badge du jour %(number)s retiré.", number=outcome.badge))


@page.post("/members/<path:member>/day-badge")
def lend(member: str) -> ResponseReturnValue:
    written = request.form.get("which", "")
    which = int(written) if written.isdecimal() and len(written) < 10 else 0
    outcome = decide(lambda session, decided: changes.lend(session, decided, member, which, today()))
    return back(Done(member), "lent") if isinstance(outcome, Done) else say_why(member, "lend", outcome)


def _done(sentence: str) -> ResponseReturnValue:
    flash(sentence)
    return redirect(url_for("day_badges.page"), 303)


def _refused(outcome: Outcome | Refused) -> ResponseReturnValue:
    return _page(409, refused=refusal(outcome) if isinstance(outcome, Refused) else "")


def _page(status: int, **told: object) -> ResponseReturnValue:
    known = context()
    people, day = known.current().people.people, today()
    with known.database.reading() as session:
        badges = stock(session)
    lines = [
        Line(one.id, one.number, text.badge(one.uid), one.holder, _name(people, one), *_said(one, day))
        for one in badges
    ]
    shown = {
        "lines": lines,
        "typed": request.form,
        "wrong": {},
        "next": max((one.number for one in badges), default=0) + 1,
    }
    return render_template("day_badges.html", **shown | told), status


def _name(people: Mapping[str, Person], one: InHouse) -> str:
    holder = people.get(one.holder or "")
    return holder.member.name if holder is not None else ""


def _said(one: InHouse, day: date) -> tuple[str, str]:
    """How it stands in words, and the colour of these."""
    if one.holder is None or one.status is None:
        return gettext("libre"), "good"
    if one.status != "active":
        label = text.STATUSES[one.status]
        return gettext(label), "bad"
    if one.free(day) and one.until is not None:
        return gettext("pas rendu depuis le %(day)s", day=calendar_day(one.until)), "warn"
    return gettext("prêté aujourd’hui"), ""
