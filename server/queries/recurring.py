"""On which days does an event recur? By a rule of RFC 5545 (rhythm.py), in local time: 18 h is 18 h in summer."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Literal

import msgspec
from dateutil.rrule import rrulestr
from msgspec import UNSET, UnsetType
from sqlmodel import Session, col, select

from policy.bundle import Event, Part
from policy.calendar import moment
from server.models import EventSeries

AHEAD = timedelta(days=366)
"""So far ahead the times of a series are made."""


class Series(Part, frozen=True):
    """start, end: of the first time, local. rule: the value of an RRULE, as rhythm.rule_of writes it."""

    id: str
    title: str
    start: str
    end: str
    rule: str
    audience: Literal["members", "public"]
    free: bool = False
    access_points: tuple[str, ...] | UnsetType = UNSET


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
