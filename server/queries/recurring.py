"""On which days does an event recur? By a rule of RFC 5545, in the site's local time: 18 h is 18 h in summer."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Literal

import msgspec
from dateutil.rrule import rrulestr
from msgspec import UNSET, UnsetType
from sqlmodel import Session, col, select

from policy.bundle import Event, Part
from policy.calendar import WEEKDAYS, moment
from server.models import EventSeries

AHEAD = timedelta(days=366)
"""So far ahead the times of a series are made."""
UNTIL = "%Y%m%dT235959"
LAST_WEEK = 5
"""The fifth of a weekday in its month is its last: a rule says that, so that it comes each month."""


class Series(Part, frozen=True):
    """start, end: of the first time, local. rule: the value of an RRULE."""

    id: str
    title: str
    start: str
    end: str
    rule: str
    audience: Literal["members", "public"]
    free: bool = False
    access_points: tuple[str, ...] | UnsetType = UNSET


class Repeat(StrEnum):
    """How people say it."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY_WEEKDAY = "monthly_weekday"
    MONTHLY_DATE = "monthly_date"
    YEARLY = "yearly"


def rule_of(repeat: Repeat, first: date, until: date | None) -> str:
    """The rule by which something recurs from its first date to its last, both included. Empty for NEVER."""
    week = (first.day - 1) // len(WEEKDAYS) + 1
    weekday = f"{-1 if week == LAST_WEEK else week}{WEEKDAYS[first.weekday()][:2].upper()}"
    rule = {
        Repeat.NEVER: "",
        Repeat.DAILY: "FREQ=DAILY",
        Repeat.WEEKLY: "FREQ=WEEKLY",
        Repeat.FORTNIGHTLY: "FREQ=WEEKLY;INTERVAL=2",
        Repeat.MONTHLY_WEEKDAY: f"FREQ=MONTHLY;BYDAY={weekday}",
        Repeat.MONTHLY_DATE: "FREQ=MONTHLY",
        Repeat.YEARLY: "FREQ=YEARLY",
    }[repeat]
    return f"{rule};UNTIL={until.strftime(UNTIL)}" if rule and until else rule


def read_rule(rule: str, first: date) -> tuple[Repeat, date | None]:
    """How it recurs, and its last date, of a rule that rule_of made."""
    bare, _, until = rule.partition(";UNTIL=")
    repeat = next(one for one in Repeat if rule_of(one, first, None) == bare)
    return repeat, date.fromisoformat(until[:8]) if until else None


def times(series: Series, since: date, until: date) -> Iterator[Event]:
    """Those that begin from the one date to the other, both included."""
    first = moment(series.start)
    length = moment(series.end) - first
    for start in rrulestr(series.rule, dtstart=first).xafter(datetime.combine(since, time()), inc=True):
        if start.date() > until:
            return
        yield Event(
            id=f"{series.id}/{start.date()}",
            title=series.title,
            start=start.isoformat(timespec="minutes"),
            end=(start + length).isoformat(timespec="minutes"),
            audience=series.audience,
            free=series.free,
            access_points=series.access_points,
        )


def series_of(event: str) -> str:
    """The id of the series that an event would be a time of; empty of one that stands alone."""
    return event.rpartition("/")[0]


def all_series(session: Session) -> list[Series]:
    """Those that go on, by title."""
    asked = select(EventSeries).where(col(EventSeries.ended).is_(None)).order_by(EventSeries.title, EventSeries.id)
    return [said(row) for row in session.exec(asked)]


def said(row: EventSeries) -> Series:
    values = {name: value for name in Series.__struct_fields__ if (value := getattr(row, name)) is not None}
    return msgspec.convert(values, Series)
