"""What does the form of an event hold, and what was typed in it? For one event and for a series."""

from collections.abc import Sequence
from datetime import datetime, time

from flask import request
from msgspec import UNSET
from msgspec.structs import replace

from policy.bundle import Event
from policy.calendar import moment, resolve
from server.queries.recurring import Series
from server.queries.rhythm import (
    MOST_COUNT,
    MOST_INTERVAL,
    WEEKS,
    Repeat,
    Rhythm,
    RuleRefused,
    first_from,
    read_rule,
    rule_of,
)
from server.text import events as text
from server.text import rhythm as rhythm_text
from server.text.dates import local, zone
from server.text.hours import spans
from server.text.translate import gettext
from server.web.sessions import context
from server.web.typed import beside, date_in, day_in, from_to, hours_in, line_in, typed, written

MOST_TITLE = 200
FIELDS = ("title", "date", "hours", "until", "interval", "times", "rule")
BLANK = Event("", "", "", "", "members")


def shown(known: Event | Series, wrong: Sequence[str], *, meanwhile: bool) -> dict[str, object]:
    """What the form holds: as it is, or as it was typed."""
    form, again = request.form, request.method == "POST"
    places = context().current().bundle.access_points
    where = tuple(place.id for place in places) if known.access_points is UNSET else known.access_points
    rhythm = _rhythm_of(known)
    ticked = {
        "weekdays": [str(day) for day in rhythm.weekdays],
        "weeks": [str(week) for week in rhythm.weeks],
        "access_points": list(where),
    }
    return {
        "fields": {field: form.get(field, "") for field in FIELDS} if again else _fields(known, rhythm),
        "repeat": form.get("repeat", "") if again else rhythm.repeat,
        "repeats": {one.value: gettext(label) for one, label in rhythm_text.REPEATS.items()},
        "weekdays": [(str(day), name) for day, name in enumerate(rhythm_text.names())],
        "weeks": [(str(week), gettext(name)) for week, name in rhythm_text.NTH.items()],
        "audience": form.get("audience", "") if again else known.audience,
        "audiences": {one: gettext(label) for one, label in text.AUDIENCES.items()},
        "free": "free" in form if again else known.free,
        "places": [(place.id, place.name or place.id) for place in places],
        "ticked": {name: form.getlist(name) for name in ticked} if again else ticked,
        "rule": known.rule if isinstance(known, Series) else "",
        "wrong": beside(wrong, lambda field: _why_not() if field == "rule" else text.wrong(field)),
        "meanwhile": meanwhile,
        "was": written(known) if known.id else "",
    }


def event_in(before: Event, wrong: list[str]) -> Event:
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


def rhythm_in(wrong: list[str]) -> Rhythm:
    """How often it recurs, as the form says; a rule that somebody wrote counts instead of what they chose."""
    if line_in("rule"):
        try:
            return _rule_in() or Rhythm(Repeat.NEVER)
        except RuleRefused:
            wrong.append("rule")
            return Rhythm(Repeat.NEVER)
    try:
        repeat = Repeat(request.form.get("repeat", Repeat.NEVER))
    except ValueError:
        wrong.append("repeat")
        return Rhythm(Repeat.NEVER)
    if repeat is Repeat.NEVER:
        return Rhythm(repeat)
    first, until = date_in("date", []), date_in("until", wrong, needed=False)
    interval, times = _number_in("interval", MOST_INTERVAL, wrong), _number_in("times", MOST_COUNT, wrong)
    if until is not None and times is not None:
        wrong.append("times")
    weekdays, weeks = _ticked("weekdays", range(7), wrong), _ticked("weeks", WEEKS, wrong)
    rhythm = Rhythm(repeat, interval or 1, weekdays, weeks, until, times)
    if first is not None and until is not None and until < first_from(rhythm, first):
        wrong.append("until")
    return rhythm


def series_of(event: Event, rhythm: Rhythm) -> Series:
    """The series that begins with this event, or on the first of its days after it."""
    start, end = moment(event.start), moment(event.end)
    first = first_from(rhythm, start.date())
    later = first - start.date()
    return Series(
        event.id,
        event.title,
        (start + later).isoformat(timespec="minutes"),
        (end + later).isoformat(timespec="minutes"),
        rule_of(rhythm, first),
        event.audience,
        event.free,
        event.access_points,
    )


def first_of(series: Series) -> Event:
    """The first time of a series, as an event that is called as the series."""
    return Event(series.id, series.title, series.start, series.end, series.audience, series.free, series.access_points)


def _rule_in() -> Rhythm | None:
    """How often by the rule that was written; None without a first day. Raises RuleRefused."""
    day, hours = date_in("date", []), hours_in([])
    if day is None:
        return None
    start = datetime.combine(day, time()) if hours is None else moment(from_to(day, hours)[0])
    return read_rule(line_in("rule"), start, zone())


def _why_not() -> str:
    """Why the rule that was written cannot be kept."""
    try:
        _rule_in()
    except RuleRefused as refused:
        return rhythm_text.refused(refused)
    return ""


def _number_in(field: str, most: int, wrong: list[str]) -> int | None:
    said = line_in(field)
    if not said:
        return None
    if said.isascii() and said.isdigit() and len(said) <= len(str(most)) and 0 < int(said) <= most:
        return int(said)
    wrong.append(field)
    return None


def _ticked(field: str, choices: Sequence[int], wrong: list[str]) -> tuple[int, ...]:
    said = request.form.getlist(field)
    if not {*said} <= {str(one) for one in choices}:
        wrong.append(field)
    return tuple(one for one in choices if str(one) in said)


def _rhythm_of(known: Event | Series) -> Rhythm:
    return read_rule(known.rule, moment(known.start)) if isinstance(known, Series) else Rhythm(Repeat.NEVER)


def _fields(known: Event | Series, rhythm: Rhythm) -> dict[str, str]:
    if not known.start:
        return {"interval": "1"}
    start, end = local(resolve(known.start, zone())), local(resolve(known.end, zone(), last=True))
    return {
        "title": known.title,
        "date": typed(start.date()),
        "hours": spans(((f"{start:%H:%M}", f"{end:%H:%M}"),)),
        "until": typed(rhythm.until) if rhythm.until else "",
        "interval": str(rhythm.interval),
        "times": str(rhythm.count or ""),
    }
