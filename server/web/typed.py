"""What was typed in a form? Dates and hours, whom somebody means, and the thing as the page showed it.

By that last one two who change the same thing learn of each other.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeVar

import msgspec
from flask import request

from policy.bundle import HourRange
from policy.calendar import minutes
from policy.instants import in_our_years
from server.queries.people import Person
from server.text.dates import no_such_day, read_date
from server.text.hours import read_spans
from server.web.sessions import context

Known = TypeVar("Known")
MOST_OFFERED = 20
"""People of one name."""


def line_in(field: str) -> str:
    """What a field holds, on one line."""
    return " ".join(request.form.get(field, "").split())


def date_in(field: str, wrong: list[str], *, needed: bool = True) -> date | None:
    """The date in a field; where there is none as there should be, the field is noted as wrong."""
    try:
        day = read_date(request.form.get(field, ""))
    except ValueError:
        day, needed = None, True
    if day is None and needed:
        wrong.append(field)
    return day


def day_in(field: str, wrong: list[str], *, needed: bool = True) -> date | None:
    """The same, of a year in which something can be."""
    day = date_in(field, wrong, needed=needed)
    try:
        return None if day is None else in_our_years(day)
    except ValueError:
        wrong.append(field)
        return None


def beside(fields: Iterable[str], said: Callable[[str], str]) -> dict[str, str]:
    """What stands beside each field that is wrong: that there is no such day, where one was typed that no calendar has;
    else what the form says of it."""
    return {field: no_such_day(request.form.get(field, "")) or said(field) for field in fields}


def hours_in(wrong: list[str]) -> HourRange | None:
    """From one hour to another, of the field `hours`; where that is not said, the field is noted as wrong."""
    try:
        [hours] = read_spans(request.form.get("hours", ""))
    except ValueError:
        wrong.append("hours")
        return None
    return hours


def typed(day: date) -> str:
    """A date as a field shows it."""
    return f"{day:%d/%m/%Y}"


def at_hour(day: date, hour: str) -> str:
    """A date and an HH:MM as a bundle writes them; 24:00 is the next day's beginning."""
    return (datetime.combine(day, time()) + timedelta(minutes=minutes(hour, as_end=True))).strftime("%Y-%m-%dT%H:%M")


def from_to(first: date, hours: HourRange, last: date | None = None) -> tuple[str, str]:
    """Start and end as a bundle writes them. Within one date an end that is not after its start is the next day's."""
    start, end = hours
    if last is None or last == first:
        last = first + timedelta(days=minutes(end, as_end=True) <= minutes(start))
    return at_hour(first, start), at_hour(last, end)


def people_meant(name: str = "who", which: str = "member") -> list[Person]:
    """Who is meant: all of that name, or the one of them who was chosen; another name typed since is meant anew.

    name, which: the fields of server/templates/who.html.
    """
    asked = request.form.get(name, "").strip()[:200]
    found = context().current().people.find(asked) if asked else []
    chosen = [one for one in found if one.member.id == request.form.get(which)]
    exactly = [one for one in found if one.member.name == asked]
    return chosen or (exactly if len(exactly) == 1 else found)


def offered(found: Sequence[Person]) -> dict[str, object]:
    """Several whom somebody may mean, for server/templates/who.html."""
    tier = context().current().called.tier
    choices = [(one.member.id, one.member.name, tier(one.member.tier)) for one in found[:MOST_OFFERED]]
    return {"choices": choices, "more": max(0, len(found) - MOST_OFFERED)}


def written(one: object) -> str:
    """A thing as a form keeps it, for seen()."""
    return msgspec.json.encode(one).decode()


def seen(kind: type[Known]) -> Known | None:
    """The thing as the page showed it; None of a new one, and of what is none."""
    try:
        return msgspec.json.decode(request.form.get("was", ""), type=kind)
    except msgspec.MsgspecError:
        return None
