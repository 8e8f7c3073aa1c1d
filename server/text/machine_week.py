"""How is a machine's week drawn? Days side by side, hours downwards: open hours behind, bookings before them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policy.terms import Instant
from server.queries.machine_week import Day
from server.text.dates import calendar_day, hours, local
from server.text.hours import weekday_of

LEFT, TOP, COLUMN, ROW = 36, 40, 50, 14
"""In the SVG's units: room for the hours, room for the days, width of a day, height of an hour."""
FIRST, LAST = 8, 22
"""Hours that are drawn at least."""


@dataclass(frozen=True, slots=True)
class Box:
    """sort: staffed, held, taken or own."""

    sort: str
    x: int
    y: float
    width: int
    height: float


@dataclass(frozen=True, slots=True)
class Picture:
    """days: place and words of each column. hours: place and number of some lines."""

    width: int
    height: int
    days: tuple[tuple[int, str, str], ...]
    hours: tuple[tuple[float, int], ...]
    columns: tuple[int, ...]
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken on a day, in words. own: whoever reads booked it; who: by name, where it is told."""

    hours: str
    own: bool
    who: str


def listed(days: Sequence[Day], member: str | None, names: dict[str, str]) -> list[tuple[str, list[Taken]]]:
    """The days on which something is booked. names: of those who are told."""
    return [
        (
            calendar_day(one.day),
            [
                Taken(hours(max(b.start, one.start), min(b.end, one.end)), b.member == member, names.get(b.member, ""))
                for b in one.bookings
            ],
        )
        for one in days
        if one.bookings
    ]


def picture(days: Sequence[Day], member: str | None) -> Picture:
    first, last = _bounds(days)
    height = TOP + (last - first) * ROW
    boxes = tuple(box for number, one in enumerate(days) for box in _boxes(number, one, member, first, last))
    return Picture(
        LEFT + COLUMN * len(days),
        height + 8,
        tuple(
            (LEFT + COLUMN * number + COLUMN // 2, weekday_of(one.day)[:3] + ".", str(one.day.day))
            for number, one in enumerate(days)
        ),
        tuple((TOP + (hour - first) * ROW, hour) for hour in range(first, last + 1, 2)),
        tuple(LEFT + COLUMN * number for number in range(len(days))),
        boxes,
    )


def _bounds(days: Sequence[Day]) -> tuple[int, int]:
    """So that every booking is in sight."""
    spans = [(one, booking) for one in days for booking in one.bookings]
    starts = [_hour(one, booking.start) for one, booking in spans]
    ends = [_hour(one, booking.end) for one, booking in spans]
    return int(min([FIRST, *starts])), -int(-max([LAST, *ends]) // 1)


def _boxes(number: int, one: Day, member: str | None, first: int, last: int) -> Iterator[Box]:
    x = LEFT + COLUMN * number + 2
    for start, end, staffed in one.open:
        yield from _box("staffed" if staffed else "held", x, one, (start, end), (first, last))
    for booking in one.bookings:
        sort = "own" if booking.member == member else "taken"
        yield from _box(sort, x, one, (booking.start, booking.end), (first, last))


def _box(sort: str, x: int, one: Day, span: tuple[Instant, Instant], bounds: tuple[int, int]) -> Iterator[Box]:
    top, bottom = (min(max(_hour(one, at), bounds[0]), bounds[1]) for at in span)
    if top < bottom:
        height = round((bottom - top) * ROW, 1)
        yield Box(sort, x, round(TOP + (top - bounds[0]) * ROW, 1), COLUMN - 4, height)


def _hour(one: Day, at: Instant) -> float:
    """The hour of the clock, within the day."""
    if at <= one.start:
        return 0.0
    if at >= one.end:
        return 24.0
    clock = local(at)
    return clock.hour + clock.minute / 60
