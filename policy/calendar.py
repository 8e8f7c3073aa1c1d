"""Which instant is this local time? Site days, hour ranges and daylight saving.

The caller gives the time zone: to open one is to read a file.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from msgspec import Struct

from policy import instants
from policy.bundle import HourRange, Site, Week, Weekday
from policy.sitedays import SiteDay
from policy.spans import Spans, spans
from policy.terms import MINUTE, Instant

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local times are reckoned without a zone until one is applied
_MILLISECOND = timedelta(milliseconds=1)
_HOUR = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=1 << 16)
def minutes(hour: str, *, as_end: bool = False) -> int:
    """Minutes from local midnight to an HH:MM, 24:00 as an end only. Raises ValueError for any other text."""
    if as_end and hour == "24:00":
        return 24 * 60
    match = _HOUR.fullmatch(hour)
    if match is None:
        raise ValueError(f"write an hour from 00:00 to {'24:00' if as_end else '23:59'}, as HH:MM")
    return int(match[1]) * 60 + int(match[2])


def moment(written: str) -> datetime:
    """The date and time, aware when an offset is written. Raises ValueError for one that nobody can mean."""
    if not _MOMENT.fullmatch(written):
        raise ValueError("write a local time as 2026-11-24T18:00, or one with its offset as 2026-11-24T18:00+01:00")
    return instants.in_our_years(datetime.fromisoformat(written))


@lru_cache(maxsize=1 << 16)
def instant_of(local: datetime, zone: tzinfo, *, last: bool = False) -> Instant:
    """The instant of a naive local time.

    One that the clocks skip is the instant of their jump; of one that they repeat it is the first occurrence, with
    `last` the second (docs/rules.md, "Words"; the meaning of fold is PEP 495's). Remembered: a site
    asks the same at each change.
    """
    naive = (local - _EPOCH) // _MILLISECOND
    first, second = (_offset(local.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if first < second:
        return _jump(naive - second, naive - first, zone)
    return naive - (second if last else first)


@lru_cache(maxsize=1 << 16)
def resolve(written: str, zone: tzinfo, *, last: bool = False) -> Instant:
    """The instant of a time in a bundle, local or with an offset. last: it is an end. Raises ValueError as moment."""
    when = moment(written)
    return instants.of(when) if when.tzinfo else instant_of(when, zone, last=last)


def _offset(moment: datetime) -> int:
    """Milliseconds by which local time is ahead of UTC."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError(f"{moment.tzinfo!r} gives no offset from UTC")
    return offset // _MILLISECOND


def _jump(before: Instant, after: Instant, zone: tzinfo) -> Instant:
    """The first instant with the offset that holds at `after`, when the offset changes once since `before`."""

    def offset_at(at: Instant) -> int:
        return _offset((_EPOCH.replace(tzinfo=UTC) + at * _MILLISECOND).astimezone(zone))

    new = offset_at(after)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if offset_at(middle) == new else (middle, after)
    return after


class Calendar(Struct, frozen=True):
    """How a site reckons time. cutoff: HH:MM at which its days begin."""

    zone: tzinfo
    cutoff: str

    def date_at(self, at: Instant) -> date:
        """The local date at the instant."""
        return self.local(at).date()

    def local(self, at: Instant) -> datetime:
        """The instant as the clock on the wall shows it."""
        return datetime.fromtimestamp(at / 1000, self.zone)

    def midnight(self, day: date) -> Instant:
        """The first instant of the date, by the clock on the wall."""
        return instant_of(_at(day, 0), self.zone)

    def day_at(self, at: Instant) -> date:
        """The date of the site day that holds the instant."""
        day = self.date_at(at)
        return day if self.day_start(day) <= at else day - timedelta(days=1)

    def day_start(self, day: date) -> Instant:
        """The first instant of the site day that bears this date."""
        return instant_of(_at(day, minutes(self.cutoff)), self.zone)

    def day_end(self, day: date) -> Instant | None:
        """The first instant after the site day of this date. None after the last date that there is."""
        return self.day_start(day + timedelta(days=1)) if day < date.max else None

    def half_day(self, day: date, split: str) -> Instant:
        """The instant at which the afternoon of the site day of this date begins. split: HH:MM."""
        late = minutes(split) < minutes(self.cutoff)
        return instant_of(_at(day + timedelta(days=late), minutes(split)), self.zone)

    def site_day(self, day: date, split: str) -> SiteDay:
        """The site day of this date. split: HH:MM at which its afternoon begins. Raises OverflowError on the last date
        that there is."""
        return SiteDay(
            day.toordinal(), self.day_start(day), self.half_day(day, split), self.day_start(day + timedelta(days=1))
        )

    def week(self, dates: Iterable[date], hours: Week) -> Spans:
        """The weekly hours of these dates; holidays do not change them."""
        return spans(part for day in dates for part in self.hours(day, hours.get(WEEKDAYS[day.weekday()], ())))

    def hours(self, day: date, ranges: Iterable[HourRange]) -> Iterator[tuple[Instant, Instant]]:
        """The hour ranges of a date as intervals. One whose end is not after its start ends on the next day."""
        for start, end in ranges:
            begin, finish = minutes(start), minutes(end, as_end=True)
            if finish <= begin:
                finish += 24 * 60
            yield instant_of(_at(day, begin), self.zone), instant_of(_at(day, finish), self.zone, last=True)


@lru_cache(maxsize=1 << 16)
def _at(day: date, minutes: int) -> datetime:
    return datetime.combine(day, datetime.min.time()) + timedelta(milliseconds=minutes * MINUTE)


def staff_hours(site: Site, holidays: Collection[date], day: date) -> tuple[HourRange, ...]:
    """The staff hours of a date: an opening's, else none on a holiday or closure, else the week's."""
    for opening in site.openings:
        if opening.date == day:
            return opening.hours
    if day in holidays or any(closure.first <= day <= closure.last for closure in site.closures):
        return ()
    return site.staff_hours.get(WEEKDAYS[day.weekday()], ())
