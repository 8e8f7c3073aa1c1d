"""What takes place, and who gets in for it? /events: what is to come and what recurs; added, changed, moved, ended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import token_hex

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from msgspec.structs import replace
from sqlmodel import Session
from werkzeug.exceptions import NotFound

from policy.bundle import Event
from policy.calendar import moment, resolve
from server.audit import Decided
from server.changes import events as plans
from server.changes.outcomes import Done, Meanwhile, Wrong
from server.changes.planned import Plan
from server.pages import event_form as forms
from server.pages.what_changes import Outcome, decide
from server.queries.recurring import AHEAD, Series, all_series, series_of, times
from server.queries.rhythm import Repeat
from server.text import events as text
from server.text.dates import zone
from server.text.doors import doors
from server.text.rhythm import coming, recurs
from server.text.translate import gettext
from server.web.deciding import today
from server.web.sessions import context
from server.web.typed import seen

page = Blueprint("events", __name__)

SHOWN = 20
"""Events to come that the list shows, and as many later times of series, folded."""
NEXT = 5
"""Times of a series that its page shows."""
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
    wanted, rhythm = forms.event_in(replace(forms.BLANK, id=f"e-{token_hex(6)}"), wrong), forms.rhythm_in(wrong)
    if wrong:
        return _list(400, wrong)
    title = gettext("Nouvel événement")
    if rhythm.repeat is not Repeat.NEVER:
        return _series(None, forms.series_of(wanted, rhythm), title, url_for("events.page"), "added", _list)
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
    wanted = forms.event_in(was, wrong)
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

    if was is None or was != _series_of(series):
        return again(409, meanwhile=True)
    if "end" in request.form:
        return _series(was, None, gettext("Finir une série"), here, "stopped", again)
    wrong: list[str] = []
    wanted, rhythm = forms.event_in(forms.first_of(was), wrong), forms.rhythm_in(wrong)
    if wrong or rhythm.repeat is Repeat.NEVER:
        return again(400, wrong or ["repeat"])
    return _series(was, forms.series_of(wanted, rhythm), gettext("Série"), here, "changed", again)


def _series(
    was: Series | None,
    wanted: Series | None,
    title: str,
    here: str,
    done: str,
    again: Again,
) -> ResponseReturnValue:
    day = today()
    lines = [f"{one.title} : {recurs(one)}, {text.when(forms.first_of(one))}" for one in (was, wanted) if one]
    days = [moment(one.start).date() for one in times(wanted, day, day + AHEAD)] if wanted else []
    return _decide(
        plans.series(was, wanted, day),
        title,
        [" → ".join(dict.fromkeys(lines)), *([coming(days)] if days else [])],
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
    first, later = _by_series([event for *_, event in coming])
    done = text.DONE.get(request.args.get("done", ""))
    with known.database.reading() as session:
        knowing = doors(session, current, request.args.get("rules", "")) if done else None
        recurring = all_series(session)
    return render_template(
        "events.html",
        coming=[_coming(event) for event in first[:SHOWN]],
        more=max(0, len(first) - SHOWN),
        later=[_coming(event) for event in later[:SHOWN]],
        later_more=max(0, len(later) - SHOWN),
        series=[
            Line(one.title, recurs(one), text.about(one, current.called), url_for("events.series", series=one.id))
            for one in recurring
        ],
        toast=gettext(done) if done and knowing else "",
        doors=knowing,
        **forms.shown(forms.BLANK, wrong, meanwhile=meanwhile),
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
        coming=_next_of(known) if isinstance(known, Series) else [],
        takes_place=recurs(known) if isinstance(known, Series) else text.when(known),
        about=text.about(known, context().current().called),
        **forms.shown(known, wrong, meanwhile=meanwhile),
    ), status


def _by_series(coming: Sequence[Event]) -> tuple[list[Event], list[Event]]:
    """What is to come but for the times of a series after its next one; those."""
    known, first, later = set[str](), list[Event](), list[Event]()
    for event in coming:
        series = series_of(event.id)
        (later if series in known else first).append(event)
        known |= {series} - {""}
    return first, later


def _coming(event: Event) -> Line:
    about = text.about(event, context().current().called)
    address = url_for("events.one", event=event.id)
    return Line(event.title, text.when(event), about, address, bool(series_of(event.id)))


def _next_of(series: Series) -> list[Line]:
    """Its next times, as the doors have them: also one that was moved."""
    known = context()
    mine = [event for event in known.current().bundle.events if series_of(event.id) == series.id]
    coming = sorted((resolve(event.start, zone()), event.id, event) for event in mine)
    return [_coming(event) for start, _, event in coming if start > known.clock()][:NEXT]


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
