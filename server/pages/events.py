"""What takes place, and who gets in for it? /events: what is to come and what recurs; added, changed, moved, ended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import token_hex

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from msgspec import UNSET
from msgspec.structs import replace
from sqlmodel import Session
from werkzeug.exceptions import NotFound

from policy.bundle import Event
from policy.calendar import moment, resolve
from server.audit import Decided
from server.changes import events as plans
from server.changes.outcomes import Done, Meanwhile, Wrong
from server.changes.planned import Plan
from server.pages.what_changes import Outcome, decide
from server.queries.recurring import Repeat, Series, all_series, read_rule, rule_of, series_of
from server.text import events as text
from server.text.dates import local, zone
from server.text.doors import doors
from server.text.hours import spans
from server.text.translate import gettext
from server.web.deciding import today
from server.web.sessions import context
from server.web.typed import date_in, day_in, from_to, hours_in, line_in, seen, typed, written

page = Blueprint("events", __name__)

SHOWN = 20
"""Events to come that the list shows."""
MOST_TITLE = 200
FIELDS = ("title", "date", "hours", "until")
BLANK = Event("", "", "", "", "members")
Again = Callable[..., ResponseReturnValue]
"""The page with what was typed: its status, the fields that are wrong, whether somebody else changed it."""
Save = Callable[[Session, Decided], Outcome]


@dataclass(frozen=True, slots=True)
class Line:
    """One event to come, or one series. address: of its page."""

    title: str
    when: str
    about: str
    address: str
    recurs: bool = False


@page.get("/events", endpoint="page")
def show() -> ResponseReturnValue:
    return _list(200)


@page.post("/events")
def add() -> ResponseReturnValue:
    wrong: list[str] = []
    wanted, rule = _event(replace(BLANK, id=f"e-{token_hex(6)}"), wrong), _rule(wrong)
    if wrong:
        return _list(400, wrong)
    title = gettext("Nouvel événement")
    if rule:
        return _series(None, _as_series(wanted, rule), title, url_for("events.page"), "added", _list)
    plan = plans.one(None, wanted, today())
    return _decide(plan, title, [_line(wanted)], url_for("events.page"), "added", _list)


@page.get("/events/<path:event>")
def one(event: str) -> ResponseReturnValue:
    """Raises NotFound for one that is not there, or no more."""
    return _one(_there(_event_of(event)), 200)


@page.post("/events/<path:event>")
def change(event: str) -> ResponseReturnValue:
    """One event, or one time of a series alone."""
    was, here = seen(Event), url_for("events.one", event=event)

    def again(status: int, wrong: Sequence[str] = (), *, meanwhile: bool = False) -> ResponseReturnValue:
        now = _event_of(event)
        return _one(now, status, wrong, meanwhile=meanwhile) if now else _list(status, wrong, meanwhile=meanwhile)

    if was is None or was.id != event:
        return again(409, meanwhile=True)
    if "end" in request.form:
        plan, title = plans.one(was, None, today()), gettext("Annuler un événement")
        return _decide(plan, title, [_line(was)], here, "cancelled", again)
    wrong: list[str] = []
    wanted = _event(was, wrong)
    if wrong:
        return again(400, wrong)
    lines = [gettext("%(before)s → %(after)s", before=_line(was), after=_line(wanted))]
    return _decide(plans.one(was, wanted, today()), gettext("Événement"), lines, here, "changed", again)


@page.get("/event-series/<path:series>")
def series(series: str) -> ResponseReturnValue:
    """Raises NotFound for one that is not there, or no more."""
    return _one(_there(_series_of(series)), 200)


@page.post("/event-series/<path:series>")
def change_series(series: str) -> ResponseReturnValue:
    """All times of a series from today on."""
    was, here = seen(Series), url_for("events.series", series=series)

    def again(status: int, wrong: Sequence[str] = (), *, meanwhile: bool = False) -> ResponseReturnValue:
        now = _series_of(series)
        return _one(now, status, wrong, meanwhile=meanwhile) if now else _list(status, wrong, meanwhile=meanwhile)

    if was is None or was.id != series:
        return again(409, meanwhile=True)
    if "end" in request.form:
        return _series(was, None, gettext("Finir une série"), here, "stopped", again)
    wrong: list[str] = []
    wanted, rule = _event(_first(was), wrong), _rule(wrong)
    if wrong or not rule:
        return again(400, wrong or ["repeat"])
    return _series(was, _as_series(wanted, rule), gettext("Série"), here, "changed", again)


def _series(
    was: Series | None,
    wanted: Series | None,
    title: str,
    here: str,
    done: str,
    again: Again,
) -> ResponseReturnValue:
    day = today()
    lines = [f"{one.title} : {text.recurs(one)}, {text.when(_first(one))}" for one in (was, wanted) if one is not None]
    return _decide(
        plans.series(was, wanted, day),
        title,
        [" → ".join(dict.fromkeys(lines))],
        here,
        done,
        again,
        more=lambda session, decided: plans.save_series(session, decided, was, wanted, day),
    )


def _decide(
    plan: Plan,
    title: str,
    lines: Sequence[str],
    here: str,
    done: str,
    again: Again,
    more: Save | None = None,
) -> ResponseReturnValue:
    outcome = decide(plan, title, lines, here, more)
    match outcome:
        case str():
            return outcome
        case Wrong(fields):
            return again(400, fields)
        case Meanwhile():
            return again(409, meanwhile=True)
        case Done():
            return redirect(url_for("events.page", done=done, rules=context().current().version), 303)


def _list(status: int, wrong: Sequence[str] = (), *, meanwhile: bool = False) -> ResponseReturnValue:
    known = context()
    current, now = known.current(), known.clock()
    coming = sorted(
        (resolve(event.start, zone()), event.id, event)
        for event in current.bundle.events
        if resolve(event.end, zone(), last=True) > now
    )
    done = text.DONE.get(request.args.get("done", ""))
    with known.database.reading() as session:
        knowing = doors(session, current, request.args.get("rules", "")) if done else None
        recurring = all_series(session)
    return render_template(
        "events.html",
        coming=[_coming(event) for *_, event in coming[:SHOWN]],
        more=max(0, len(coming) - SHOWN),
        series=[
            Line(one.title, text.recurs(one), text.about(one, current.called), url_for("events.series", series=one.id))
            for one in recurring
        ],
        toast=gettext(done) if done and knowing else "",
        doors=knowing,
        **_form(BLANK, wrong, meanwhile=meanwhile),
    ), status


def _one(
    known: Event | Series, status: int, wrong: Sequence[str] = (), *, meanwhile: bool = False
) -> ResponseReturnValue:
    if isinstance(known, Series):
        here = url_for("events.series", series=known.id)
    else:
        here = url_for("events.one", event=known.id)
    return render_template(
        "event.html",
        known=known,
        here=here,
        is_series=isinstance(known, Series),
        of_series=isinstance(known, Event) and bool(series_of(known.id)),
        when=text.recurs(known) if isinstance(known, Series) else text.when(known),
        about=text.about(known, context().current().called),
        **_form(known, wrong, meanwhile=meanwhile),
    ), status


def _form(known: Event | Series, wrong: Sequence[str], *, meanwhile: bool) -> dict[str, object]:
    """What the form holds: as it is, or as it was typed."""
    form, again = request.form, request.method == "POST"
    places = context().current().bundle.access_points
    where = tuple(place.id for place in places) if known.access_points is UNSET else known.access_points
    return {
        "fields": {field: form.get(field, "") for field in FIELDS} if again else _fields(known),
        "repeat": form.get("repeat", "") if again else _repeat(known),
        "repeats": {one.value: gettext(label) for one, label in text.REPEATS.items()},
        "audience": form.get("audience", "") if again else known.audience,
        "audiences": {one: gettext(label) for one, label in text.AUDIENCES.items()},
        "free": "free" in form if again else known.free,
        "places": [(place.id, place.name or place.id) for place in places],
        "where": form.getlist("access_points") if again else where,
        "wrong": {field: text.wrong(field) for field in wrong},
        "meanwhile": meanwhile,
        "was": written(known) if known.id else "",
    }


def _fields(known: Event | Series) -> dict[str, str]:
    if not known.start:
        return {}
    start, end = local(resolve(known.start, zone())), local(resolve(known.end, zone(), last=True))
    until = read_rule(known.rule, start.date())[1] if isinstance(known, Series) else None
    return {
        "title": known.title,
        "date": typed(start.date()),
        "hours": spans(((f"{start:%H:%M}", f"{end:%H:%M}"),)),
        "until": typed(until) if until else "",
    }


def _repeat(known: Event | Series) -> str:
    if isinstance(known, Series):
        return read_rule(known.rule, moment(known.start).date())[0]
    return Repeat.NEVER


def _event(before: Event, wrong: list[str]) -> Event:
    """The event as the form says, over what it was; wrong: the fields that cannot be read."""
    form = request.form
    title = line_in("title")
    if not 0 < len(title) <= MOST_TITLE:
        wrong.append("title")
    day, hours = day_in("date", wrong), hours_in(wrong)
    if hours is None:
        return before
    audience = form.get("audience", "")
    if audience not in text.AUDIENCES:
        wrong.append("audience")
    if day is None or wrong:
        return before
    start, end = from_to(day, hours)
    places = tuple(place.id for place in context().current().bundle.access_points)
    where = tuple(form.getlist("access_points"))
    return replace(
        before,
        title=title,
        start=start,
        end=end,
        audience=audience,
        free="free" in form,
        access_points=UNSET if not where or set(where) == set(places) else where,
    )


def _rule(wrong: list[str]) -> str:
    """How it recurs, as the form says; empty where it does not."""
    first, until = date_in("date", []), date_in("until", wrong, needed=False)
    try:
        repeat = Repeat(request.form.get("repeat", Repeat.NEVER))
    except ValueError:
        wrong.append("repeat")
        return ""
    if first is None:
        return ""
    if until is not None and until < first:
        wrong.append("until")
    return rule_of(repeat, first, until)


def _as_series(event: Event, rule: str) -> Series:
    return Series(event.id, event.title, event.start, event.end, rule, event.audience, event.free, event.access_points)


def _first(series: Series) -> Event:
    """The first time of a series, as an event that is called as the series."""
    return Event(series.id, series.title, series.start, series.end, series.audience, series.free, series.access_points)


def _coming(event: Event) -> Line:
    about = text.about(event, context().current().called)
    address = url_for("events.one", event=event.id)
    return Line(event.title, text.when(event), about, address, bool(series_of(event.id)))


def _line(event: Event) -> str:
    return f"{event.title}, {text.when(event)}, {text.about(event, context().current().called)}"


def _event_of(which: str) -> Event | None:
    return next((event for event in context().current().bundle.events if event.id == which), None)


def _series_of(which: str) -> Series | None:
    with context().database.reading() as session:
        return next((one for one in all_series(session) if one.id == which), None)


def _there(known: Event | Series | None) -> Event | Series:
    if known is None:
        raise NotFound
    return known
