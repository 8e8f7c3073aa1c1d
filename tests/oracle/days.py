"""When is it? Local calendar arithmetic for the slow reading of the rules, done afresh at each question.

Instants are aware datetimes in UTC; a site is the `site` object of a bundle, as parsed from JSON.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAY = timedelta(days=1)
Span = tuple[datetime, datetime]


def instant(site: dict[str, Any], local: datetime, *, end: bool) -> datetime:
    """The instant that a local time means, read as an end or as a start (`day_cutoff` is read as a start)."""
    zone = ZoneInfo(site["timezone"])
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    # "A local time that DST skips means the instant of the jump" (of the two readings, one lies on each side of it)
    if first.astimezone(zone).replace(tzinfo=None) != local:
        before = min(first, second)
        jump = before
        while jump.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset():
            jump += timedelta(minutes=1)
        return jump
    # "one that it repeats means its first occurrence for a start and for `day_cutoff`, its second for an end"
    return second if end else first


def moment(site: dict[str, Any], text: str, *, end: bool) -> datetime:
    """The instant of a bundle's time. "Times without an offset are local to the site"."""
    when = datetime.fromisoformat(text)
    if when.tzinfo is not None:
        return when.astimezone(UTC)
    return instant(site, when, end=end)


def local_date(site: dict[str, Any], t: datetime) -> date:
    """The calendar date of the site at an instant."""
    return t.astimezone(ZoneInfo(site["timezone"])).date()


def cutoff(site: dict[str, Any], day: date) -> datetime:
    """The instant at which the site day of this date begins."""
    return instant(site, datetime.combine(day, clock(site.get("day_cutoff", "04:00"))), end=False)


def clock(text: str) -> time:
    """An `HH:MM` of a bundle."""
    return time.fromisoformat(text)


def site_day(site: dict[str, Any], t: datetime) -> date:
    """The site day of an instant."""
    # "A site day runs from `day_cutoff` (04:00 local) to the next and bears the date on which it starts"
    day = local_date(site, t) + DAY
    while cutoff(site, day) > t:
        day -= DAY
    return day


def half_day(site: dict[str, Any], t: datetime) -> str:
    """`am` or `pm` of the site day."""
    # "am before `half_day_split`, 13:00; pm from it to the next `day_cutoff`"
    local = datetime.combine(site_day(site, t), clock(site.get("half_day_split", "13:00")))
    return "am" if t < instant(site, local, end=False) else "pm"


def spans_of_date(site: dict[str, Any], day: date, ranges: list[list[str]]) -> list[Span]:
    """The half-open intervals that hour ranges mean on a date."""
    spans = []
    for start, end in ranges:
        # "A range belongs to the date on which it starts, past midnight too."
        # "An hour range whose end is not after its start runs past midnight into the next day."
        last = day if clock(end) > clock(start) else day + DAY
        opens = instant(site, datetime.combine(day, clock(start)), end=False)
        closes = instant(site, datetime.combine(last, clock(end)), end=True)
        spans.append((opens, closes))
    return spans


def days_around(site: dict[str, Any], t: datetime) -> list[date]:
    """The dates whose hours may reach an instant."""
    today = local_date(site, t)
    return [today + n * DAY for n in (-2, -1, 0, 1, 2)]


def week_spans(site: dict[str, Any], week: dict[str, Any], t: datetime) -> list[Span]:
    """The intervals of weekly hours on the dates around an instant."""
    spans = []
    for day in days_around(site, t):
        spans += spans_of_date(site, day, week.get(WEEKDAYS[day.weekday()], []))
    return spans


def in_week(site: dict[str, Any], week: dict[str, Any], t: datetime) -> bool:
    """Whether weekly hours cover an instant."""
    return any(start <= t < end for start, end in week_spans(site, week, t))


def is_holiday(site: dict[str, Any], day: date) -> bool:
    """Whether a date is a public holiday for the site's code."""
    # "the public ones of the Python library `holidays` for the site's code"
    if "holidays" not in site:
        return False
    return day in holidays_of(site["holidays"], day.year)


@cache
def holidays_of(code: str, year: int) -> frozenset[date]:
    """Those of a year; remembered, for the library reckons them anew for every date."""
    country, _, subdivision = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


def staff_hours(site: dict[str, Any], day: date) -> list[list[str]]:
    """The staff hours of a date."""
    # "those of an exceptional opening on that date if there is one, else none on a holiday or closure, else the week's"
    for opening in site.get("openings", []):
        if date.fromisoformat(opening["date"]) == day:
            return list(opening["hours"])
    if is_holiday(site, day):
        return []
    for closure in site.get("closures", []):
        if date.fromisoformat(closure["from"]) <= day <= date.fromisoformat(closure["to"]):
            return []
    return list(site.get("staff_hours", {}).get(WEEKDAYS[day.weekday()], []))


def is_staffed(site: dict[str, Any], t: datetime) -> bool:
    """Whether the place is staffed at an instant."""
    # "staffed: inside the staff hours of the date"
    for day in days_around(site, t):
        for start, end in spans_of_date(site, day, staff_hours(site, day)):
            if start <= t < end:
                return True
    return False


def hours_end(site: dict[str, Any], week: dict[str, Any], t: datetime) -> datetime | None:
    """The end of the weekly hours that cover an instant; None where they never end."""
    # "the end of the machine's hours (ranges that touch count as one)"
    end = t
    while end < t + 30 * DAY:
        further = [closes for opens, closes in week_spans(site, week, end) if opens <= end < closes]
        if not further:
            return end
        end = max(further)
    return None


def period(site: dict[str, Any], name: str, t: datetime) -> Span:
    """The quota period that an instant lies in."""
    # "`week` from Monday 00:00 local, or `month`"
    today = local_date(site, t)
    if name == "week":
        first = today - today.weekday() * DAY
        after = first + 7 * DAY
    else:
        first = today.replace(day=1)
        after = (first + 31 * DAY).replace(day=1)
    midnight = time(0, 0)
    starts = instant(site, datetime.combine(first, midnight), end=False)
    ends = instant(site, datetime.combine(after, midnight), end=False)
    return starts, ends
