"""Which evenings does the rota make, and who holds each? Worked out for the dates that are asked about, not stored."""

from collections.abc import Callable, Collection, Iterator
from datetime import date, timedelta, tzinfo
from typing import TypeAlias

from msgspec import UNSET, Struct

from policy.bundle import Bundle, Closure, Pattern, RotaChange
from policy.calendar import WEEKDAYS, Calendar
from policy.terms import Instant

Holidays: TypeAlias = Callable[[int], Collection[date]]
"""The public holidays of a year."""
SlotKey: TypeAlias = tuple[str, date]
"""The pattern's id and the date on which the slot starts."""
WEEK = timedelta(weeks=1)


class Slot(Struct, frozen=True):
    """An evening that wants a gardien; with one it is a shift, without a gap. Lead and grace are not in [start, end).

    A slot that the jump of the clocks swallows ends where it starts.
    """

    rota: str
    date: date
    gardien: str | None
    start: Instant
    end: Instant

    @property
    def key(self) -> SlotKey:
        return self.rota, self.date

    @property
    def id(self) -> str:
        return f"{self.rota}/{self.date}"


class Rota(Struct, frozen=True):
    """All that the slots of a site follow from. changes: by pattern and date. holidays: the public ones, by year."""

    calendar: Calendar
    holidays: Holidays
    closures: tuple[Closure, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    changes: dict[SlotKey, RotaChange] = {}


def rota_of(bundle: Bundle, zone: tzinfo, holidays: Holidays) -> Rota:
    """The rota of a checked bundle."""
    changes = {(change.rota, change.date): change for change in bundle.rota_changes}
    return Rota(Calendar(zone, bundle.site.day_cutoff), holidays, bundle.site.closures, bundle.rota, changes)


def slots(rota: Rota, first: date, last: date) -> Iterator[Slot]:
    """The slots of these dates, both included, pattern by pattern."""
    for pattern in rota.patterns:
        day, step = first_turn(pattern, max(first, pattern.since or first)), pattern.every * WEEK
        end = min(last, pattern.until or last)
        while day <= end:
            if (slot := _slot(rota, pattern, day)) is not None:
                yield slot
            day += step


def first_turn(pattern: Pattern, day: date) -> date:
    """The first date of the pattern on that day or after it.

    Weeks are counted from that of `since`: one that numbers them by the year goes wrong where a year has 53.
    """
    day += timedelta((WEEKDAYS.index(pattern.weekday) - day.weekday()) % 7)
    if pattern.since is None:
        return day
    return day + -((monday(day) - monday(pattern.since)) // WEEK) % pattern.every * WEEK


def monday(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(day.weekday())


def slot_on(rota: Rota, pattern: Pattern, day: date) -> Slot | None:
    """The slot that a pattern makes on a date; None where it makes none, or it was cancelled."""
    if (pattern.since and day < pattern.since) or (pattern.until and day > pattern.until):
        return None
    return _slot(rota, pattern, day) if first_turn(pattern, day) == day else None


def _slot(rota: Rota, pattern: Pattern, day: date) -> Slot | None:
    """The same on one of the pattern's own dates."""
    change = rota.changes.get((pattern.id, day))
    if change is not None and change.cancelled:
        return None
    if any(closure.first <= day <= closure.last for closure in rota.closures):
        return None
    if not pattern.holidays and day in rota.holidays(day.year):
        return None
    start, end, gardien = pattern.start, pattern.end, pattern.gardien
    if change is not None:
        start, end = change.start or start, change.end or end
        gardien = gardien if change.gardien is UNSET else change.gardien
    ((begins, ends),) = rota.calendar.hours(day, ((start, end),))
    return Slot(pattern.id, day, gardien, begins, ends)
