"""When is the team there, and when not? /hours: the week, closures, exceptional openings; each seen, added, changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from policy.bundle import Closure, Opening, Part, Site, Week
from policy.calendar import WEEKDAYS, staff_hours
from server.changes import hours as plans
from server.changes.outcomes import Meanwhile, Wrong
from server.changes.planned import Plan
from server.pages.what_changes import decide
from server.queries.public_holidays import holidays_of
from server.text import hours as text
from server.text.dates import calendar_day
from server.text.doors import doors
from server.text.translate import gettext
from server.web.deciding import today
from server.web.sessions import context
from server.web.typed import beside, date_in, line_in, typed, written
from server.web.typed import seen as seen_in

page = Blueprint("hours", __name__)

NEW = "new"
"""The form of one that is not there yet."""


@dataclass(frozen=True, slots=True)
class Line:
    """One closure or opening. key: of its form. was: as it is, for the form. fields: what its form holds."""

    key: str
    words: str
    was: str
    fields: dict[str, str]
    running: bool = False


@page.get("/hours", endpoint="page")
def show() -> ResponseReturnValue:
    return _page(200)


@page.post("/hours/week")
def week() -> ResponseReturnValue:
    seen = seen_in(Week)
    wanted: Week = {}
    wrong = []
    for day in WEEKDAYS:
        try:
            ranges = text.read_spans(request.form.get(day, ""))
        except ValueError:
            wrong.append(day)
        else:
            wanted |= {day: ranges} if ranges else {}
    if wrong:
        return _refused(Wrong(tuple(wrong)), "week", "")
    lines = text.changed(seen or {}, wanted) or [gettext("Rien ne change.")]
    return _decide(plans.week(seen or {}, wanted), gettext("Horaires de la semaine"), lines, "week", "week")


@page.post("/hours/closures")
def closure() -> ResponseReturnValue:
    seen, form = seen_in(Closure), request.form
    if "end" in form and seen is not None:
        plan = plans.closure(seen, None, today())
        return _decide(plan, gettext("Lever une fermeture"), [text.closure(seen)], "closures", "reopened")
    why = line_in("why")
    wrong = ["why"] if len(why) > text.LONGEST_WHY else []
    first, last = date_in("first", wrong), date_in("last", wrong, needed=False)
    if first is None or wrong:
        return _refused(Wrong(tuple(wrong)), "closures", _key(seen))
    wanted = Closure(first, last or first, why or None)
    lines = _from_to(text.closure(seen) if seen else "", text.closure(wanted))
    return _decide(plans.closure(seen, wanted, today()), gettext("Fermeture"), lines, "closures", "closure", seen)


@page.post("/hours/openings")
def opening() -> ResponseReturnValue:
    seen, form = seen_in(Opening), request.form
    if "end" in form and seen is not None:
        plan, title = plans.opening(seen, None, today()), gettext("Retirer une ouverture exceptionnelle")
        return _decide(plan, title, [text.opening(seen)], "openings", "withdrawn")
    wrong: list[str] = []
    day = date_in("date", wrong)
    try:
        ranges = text.read_spans(form.get("hours", ""))
    except ValueError:
        wrong.append("hours")
    if day is None or wrong:
        return _refused(Wrong(tuple(wrong)), "openings", _key(seen))
    wanted = Opening(day, ranges)
    lines = _from_to(text.opening(seen) if seen else "", text.opening(wanted))
    title = gettext("Ouverture exceptionnelle")
    return _decide(plans.opening(seen, wanted, today()), title, lines, "openings", "opening", seen)


def _decide(
    plan: Plan, title: str, lines: Sequence[str], form: str, done: str, seen: Part | None = None
) -> ResponseReturnValue:
    outcome = decide(plan, title, lines, url_for("hours.page"))
    if isinstance(outcome, str):
        return outcome
    if isinstance(outcome, Wrong | Meanwhile):
        return _refused(outcome, form, _key(seen))
    return redirect(url_for("hours.page", done=done, rules=context().current().version), 303)


def _refused(outcome: Wrong | Meanwhile, form: str, key: str) -> ResponseReturnValue:
    """The page as it is now, with what was typed, and what is wrong beside it."""
    if isinstance(outcome, Meanwhile):
        return _page(409, form, NEW if form != "week" else "", meanwhile=True)
    return _page(400, form, key, wrong=beside(outcome.fields, text.wrong))


def _page(status: int, form: str = "", key: str = "", **told: object) -> ResponseReturnValue:
    known = context()
    current, day = known.current(), today()
    site = current.bundle.site
    done = text.DONE.get(request.args.get("done", ""))
    with known.database.reading() as session:
        knowing = doors(session, current, request.args.get("rules", "")) if done else None
    said: dict[str, object] = {
        "today": text.said(_hours_of(site, day)),
        "today_date": calendar_day(day),
        "week": [(day, text.weekday(day), text.said(site.staff_hours.get(day, ()))) for day in WEEKDAYS],
        "week_fields": {day: text.spans(site.staff_hours.get(day, ())) for day in WEEKDAYS},
        "week_was": written(site.staff_hours),
        "closures": [_closure(one, day) for one in sorted(site.closures, key=_first) if one.last >= day],
        "openings": [_opening(one) for one in sorted(site.openings, key=_date_of) if one.date >= day],
        "has_holidays": site.holidays is not None,
        "toast": gettext(done) if done and knowing else "",
        "doors": knowing,
        "form": form,
        "key": key,
        "typed": request.form,
        "wrong": {},
        "meanwhile": False,
        "new": NEW,
    }
    return render_template("hours.html", **said | told), status


def _closure(one: Closure, day: date) -> Line:
    fields = {"first": typed(one.first), "last": typed(one.last), "why": one.why or ""}
    return Line(_key(one), text.closure(one), written(one), fields, one.first <= day)


def _opening(one: Opening) -> Line:
    return Line(_key(one), text.opening(one), written(one), {"date": typed(one.date), "hours": text.spans(one.hours)})


def _hours_of(site: Site, day: date) -> tuple[tuple[str, str], ...]:
    return staff_hours(site, holidays_of(site.holidays, kept=True)(day.year), day)


def _from_to(before: str, after: str) -> list[str]:
    return [gettext("%(before)s → %(after)s", before=before, after=after) if before else after]


def _first(one: Closure) -> tuple[date, date]:
    return one.first, one.last


def _date_of(one: Opening) -> date:
    return one.date


def _key(one: Part | None) -> str:
    """Which form of the page is meant: one's own, or that of a new one."""
    match one:
        case Closure(first, last):
            return f"{first}_{last}"
        case Opening(day):
            return f"{day}"
    return NEW
