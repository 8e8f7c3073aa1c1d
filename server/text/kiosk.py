"""What does the screen at the door say of the days to come? The week by how sure it is, and the public events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from policy.bundle import Event
from policy.calendar import Calendar, resolve
from policy.degrees import By, Known, Stretch, stretches
from policy.opening import Degree
from policy.terms import Instant
from server.queries.current import Current
from server.text.dates import day, hour, hours, local, week_day
from server.text.translate import N_, gettext

DAYS = 7
EVENTS = 3
"""So many events have room on the screen."""
EVENING = 17
"""From this local hour on, what is left of the day is its evening."""
SURENESS = {Degree.SURE: "", Degree.PROBABLE: N_("probable"), Degree.UNCERTAIN: N_("pas sûr")}


@dataclass(frozen=True, slots=True)
class Open:
    """A time of one degree. sureness: in a word, empty where it is sure."""

    hours: str
    sureness: str
    doubtful: bool


@dataclass(frozen=True, slots=True)
class Day:
    name: str
    today: bool
    open: tuple[Open, ...]


@dataclass(frozen=True, slots=True)
class Coming:
    when: str
    title: str
    who: str


def week(calendar: Calendar, known: Known) -> list[Day]:
    """This site day and the next ones: a night that ends after midnight is of the day on which it began."""
    today = calendar.day_at(known.at)
    dates = [today + timedelta(days=ahead) for ahead in range(DAYS + 1)]
    starts = [known.at, *(calendar.day_start(one) for one in dates[1:])]
    found = stretches(known, known.at, starts[-1])
    return [
        Day(
            _name(one, today, known.at),
            one == today,
            tuple(_open(first, last, degree, known.at) for first, last, degree in _merged(found, start, end)),
        )
        for one, (start, end) in zip(dates[:-1], pairwise(starts), strict=True)
    ]


def _name(date_: date, today: date, at: Instant) -> str:
    if date_ != today:
        return week_day(date_)
    return gettext("aujourd’hui") if local(at).hour in range(4, EVENING) else gettext("ce soir")


def _merged(found: Sequence[Stretch], start: Instant, end: Instant) -> list[tuple[Instant, Instant, Degree]]:
    """When it is open between the two; times of one degree that touch are one, whoever opens."""
    merged: list[tuple[Instant, Instant, Degree]] = []
    for one in found:
        first, last = max(one.start, start), min(one.end, end)
        if one.degree is Degree.NOBODY or first >= last:
            continue
        if merged and merged[-1][1:] == (first, one.degree):
            first = merged.pop()[0]
        merged.append((first, last, one.degree))
    return merged


def _open(start: Instant, end: Instant, degree: Degree, now: Instant) -> Open:
    said = gettext("jusqu’à %(hour)s", hour=hour(end)) if start <= now else hours(start, end)
    word = SURENESS[degree]
    return Open(said, gettext(word) if word else "", degree is Degree.UNCERTAIN)


def coming(current: Current, known: Known) -> list[Coming]:
    """The next events that are for everybody, or run: those of members are told to members only."""
    public = sorted(
        (resolve(one.start, current.zone), resolve(one.end, current.zone, last=True), one.id, one)
        for one in current.bundle.events
        if one.audience == "public"
    )
    return [_coming(known, start, end, one) for start, end, _, one in public if end > known.at][:EVENTS]


def _coming(known: Known, start: Instant, end: Instant, event: Event) -> Coming:
    """The door stays open for the public only while the team or a gardien is there."""
    then = max(start, known.at)
    first = stretches(known, then, then + 1)[-1]
    held = first.by in (By.STAFFED, By.GARDIEN) and first.degree in (Degree.SURE, Degree.PROBABLE)
    who = gettext("ouvert à tous") if held else gettext("ouvert à tous, si un gardien vient")
    return Coming(f"{day(start)}, {hours(start, end)}", event.title, who)
