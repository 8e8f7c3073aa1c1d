"""Which evenings want a gardien each week? /gardiens/evenings, for the team: added, changed from a day on, ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from policy.bundle import Pattern
from policy.calendar import WEEKDAYS
from policy.rota import first_turn
from server.audit import Decided
from server.changes import rota_patterns as changes
from server.changes.outcomes import Done, Meanwhile, Wrong
from server.errors import Refused
from server.queries.rota_days import gardiens
from server.text import rota as text
from server.text import rota_patterns as words
from server.text.hours import spans, weekday
from server.text.refusals import refusal
from server.text.translate import gettext
from server.web.deciding import decide, form_token, rules_changed, today
from server.web.sessions import context
from server.web.told import tell
from server.web.typed import beside, day_in, hours_in, typed, written
from server.web.typed import seen as seen_in

page = Blueprint("rota_patterns", __name__)
NEW = "new"
FIELDS = {"long": "hours", "twice": "hours"}
"""Of what is wrong: beside which field it is said, where that has another name."""


@dataclass(frozen=True, slots=True)
class Line:
    """A pattern in words."""

    key: str
    words: str
    who: str


@page.get("/gardiens/evenings", endpoint="page")
def show() -> ResponseReturnValue:
    """`?evening=` that pattern with its form."""
    return _page(200, request.args.get("evening", ""))


@page.post("/gardiens/evenings")
def save() -> ResponseReturnValue:
    """A new one, or one that is another from a day on."""
    seen, wrong = seen_in(Pattern), list[str]()
    wanted = _typed(seen.id if seen else f"rota-{form_token()}", wrong)
    key, later = seen.id if seen else NEW, _later(seen)
    if wanted is None:
        return _page(400, key, wrong)

    def change(session: Session, decided: Decided) -> Done | Wrong | Meanwhile:
        if seen is None:
            return changes.add(session, decided, wanted)
        return changes.change(session, decided, seen, wanted, later)

    kept = wanted if seen is None else changes.in_its_weeks(seen, wanted, later)
    return _ended(decide(change), key, gettext("Enregistré : %(what)s.", what=words.said(kept)))


@page.post("/gardiens/evenings/end")
def stop() -> ResponseReturnValue:
    seen, wrong = seen_in(Pattern), list[str]()
    last = day_in("last", wrong)
    if seen is None or last is None:
        return _page(400, seen.id if seen else NEW, wrong)
    outcome = decide(lambda session, decided: changes.stop(session, decided, seen, last))
    return _ended(outcome, seen.id, gettext("Enregistré : %(what)s finit.", what=words.said(seen)))


def _ended(outcome: Done | Wrong | Meanwhile | Refused, key: str, said: str) -> ResponseReturnValue:
    if isinstance(outcome, Wrong):
        return _page(400, key, outcome.fields)
    if isinstance(outcome, Meanwhile):
        return _page(409, refused=gettext("Pas enregistré : quelqu’un a changé cette soirée entre-temps. La voici."))
    if isinstance(outcome, Refused):
        return _page(409, refused=refusal(outcome))
    rules_changed()
    tell(said)
    return redirect(url_for("rota_patterns.page"), 303)


def _later(seen: Pattern | None) -> int:
    """How many weeks after its own it shall be, of one that is not in each week."""
    offered = range(1 if seen is None else seen.every)
    return next((one for one in offered if str(one) == request.form.get("weeks")), 0)


def _typed(which: str, wrong: list[str]) -> Pattern | None:
    """The pattern in the form; wrong: the fields that cannot be read."""
    form, hours = request.form, hours_in(wrong)
    since, until = day_in("since", wrong), day_in("until", wrong, needed=False)
    every, day = form.get("every", "1").strip(), next((one for one in WEEKDAYS if one == form.get("weekday")), None)
    if not every.isdecimal() or not 1 <= int(every[:4]) <= 52:
        wrong.append("every")
    if since is not None and until is not None and until < since:
        wrong.append("until")
    if wrong or hours is None or day is None:
        return None
    gardien = form.get("gardien") or None
    return Pattern(
        which, day, *hours, every=int(every), since=since, until=until, gardien=gardien, holidays="holidays" in form
    )


def _page(status: int, key: str = "", wrong: Sequence[str] = (), refused: str = "") -> ResponseReturnValue:
    current, day = context().current(), today()
    live = [one for one in current.bundle.rota if one.until is None or one.until >= day]
    order = sorted(live, key=lambda one: (WEEKDAYS.index(one.weekday), one.start, one.since or date.min, one.id))
    people, asked = current.people.people, next((one for one in order if one.id == key), None)
    return render_template(
        "rota_patterns.html",
        lines=[Line(one.id, words.said(one), _who(one)) for one in order],
        was=written(asked) if asked else "",
        fields=_fields(asked, day) if asked else {},
        weeks=words.weeks(asked, max(day, asked.since or day)) if asked else [],
        weekdays=[(one, weekday(one)) for one in WEEKDAYS],
        choices=[(who, people[who].member.name) for who in gardiens(current, day)],
        today=typed(day),
        key=key,
        new=NEW,
        typed=request.form,
        wrong={FIELDS.get(one, one): said for one, said in beside(wrong, _wrong).items()},
        refused=refused,
    ), status


def _wrong(field: str) -> str:
    return gettext(words.WRONG.get(field, words.WRONG["hours"]))


def _who(one: Pattern) -> str:
    return text.name(context().current(), one.gardien) if one.gardien else gettext("sans gardien")


def _fields(one: Pattern, day: date) -> dict[str, str]:
    """What its form holds: it is another from today on, or from its first day; one of each second week from its next
    evening on."""
    since = max(one.since or day, day)
    return {
        "weekday": one.weekday,
        "hours": spans(((one.start, one.end),)),
        "every": str(one.every),
        "since": typed(since if one.every == 1 else first_turn(one, since)),
        "until": typed(one.until) if one.until else "",
        "gardien": one.gardien or "",
        "holidays": "1" if one.holidays else "",
    }
