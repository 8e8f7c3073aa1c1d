"""How was the day so far? Arrivals, people inside by the hour, who was refused and why. To print as a list, too."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from policy.errors import SHOWN, brief
from policy.terms import HOUR, Instant
from server.queries import history
from server.queries.closing import checked_out, closings
from server.queries.current import Current
from server.queries.day_moves import HourCount
from server.queries.day_moves import today as moves_of_today
from server.queries.now import few
from server.queries.people import carnets
from server.text.carnets import said
from server.text.chart import BASE, HEIGHT, WIDTH, Bar, bars
from server.text.corrections import closed_by, out_at_closing
from server.text.dates import hour, hours, local
from server.text.named import place_of, who
from server.text.reasons import Words, of_collision, words
from server.text.translate import gettext
from server.web.faults import WrongAddressError
from server.web.sessions import context, sees_names

page = Blueprint("today", __name__)

OPENS, CLOSES = 8, 20
"""Local hours that the picture shows even when they are empty."""
SHOWN_REFUSALS = 200
"""Somebody may lay a badge on all day long."""
SHOWN_ARRIVALS = 300
"""Of all that an edge can invent in a day no browser would show the end."""


@dataclass(frozen=True, slots=True)
class Day:
    """hours: (9 h – 10 h, most people at once, guests among them), None when too few to be told, and then no guests.

    highest: the most of the day. guests: whether there were any.
    """

    hours: list[tuple[str, int | None, int]]
    bars: list[Bar]
    highest: int | None
    guests: bool = False
    width: int = WIDTH
    height: int = HEIGHT
    base: int = BASE


@dataclass(frozen=True, slots=True)
class Refusal:
    """One line. where: the door, empty where there is but one. id: of the passage, None where no badge was read."""

    id: int | None
    at: Instant
    who: str
    where: str
    words: Words


@dataclass(frozen=True, slots=True)
class Refusals:
    """Newest first. more: how many earlier ones are left out."""

    lines: list[Refusal]
    more: int


@page.get("/today", endpoint="page")
def show() -> ResponseReturnValue:
    """Raises WrongAddressError for an address that asks for another day: what it would get is not what it asked for."""
    _no_other_day(request.args.get("date"))
    known, named = context(), sees_names()
    at = known.clock()
    current = known.current()
    start = current.rules.day_start(at)
    with known.database.reading() as session:
        seen = moves_of_today(session, start, at, SHOWN_ARRIVALS)
        arrivals = history.named_arrivals(session, seen.last)
        return render_template(
            "today.html",
            at=at,
            start=start,
            today=day_of(seen.hours, named=named),
            count=seen.came if named else few(seen.came),
            different=seen.different,
            guests=seen.guests if named else 0,
            arrivals=arrivals if named else None,
            earlier=seen.came - len(arrivals),
            closings=[closed_by(one, current.called, at) for one in closings(session, start, at + 1)] if named else [],
            left_at={
                (one.member, one.at): out_at_closing(one, current.called, at)
                for one in checked_out(session, start, at + 1)
            },
            carnets=_carnets(session, current, arrivals, at) if named else {},
            refusals=_refusals(session, current, start, at) if named else None,
        )


def _no_other_day(date: str | None) -> None:
    if date is not None:
        raise WrongAddressError(
            gettext(
                "Cette page montre la journée en cours et aucune autre. Retirez « date=%(date)s » de son adresse.",
                date=brief(date, SHOWN),
            )
        )


def _carnets(session: Session, current: Current, arrivals: list[history.Arrival], at: int) -> dict[str, str]:
    """What is left on the carnet of each who came, where their formule needs one."""
    came = {arrival.member for arrival in arrivals} & current.people.people.keys()
    left = carnets(session, current, [current.people.people[member] for member in came], at)
    return {member: said(current, member, one.units) for member, one in left.items()}


def _refusals(session: Session, current: Current, start: int, at: int) -> Refusals:
    found = history.refusals(session, start, at + 1, SHOWN_REFUSALS)
    total = len(found) if len(found) < SHOWN_REFUSALS else history.count_refusals(session, start, at + 1)
    return Refusals([_refusal(one, current, at) for one in found], total - len(found))


def _refusal(one: history.Passage | history.Collision, current: Current, now: int) -> Refusal:
    where = place_of(current.called, one.reader)
    if isinstance(one, history.Collision):
        return Refusal(None, one.at, gettext("Plusieurs badges"), where, of_collision())
    return Refusal(one.id, one.at, who(current.called, one), where, words(one, current, now))


def day_of(counts: list[HourCount], *, named: bool) -> Day:
    """The hours of the site day until now: from the first that had people, or from OPENS."""
    first = next((n for n, c in enumerate(counts) if c.peak or local(c.start).hour >= OPENS), len(counts))
    told = [(c.start, c.peak if named else few(c.peak), c.guests if named else 0) for c in counts[first:]]
    labels = [hour(start) for start, _, _ in told]
    return Day(
        hours=[(hours(start, start + HOUR), peak, guests) for start, peak, guests in told],
        bars=bars([peak for _, peak, _ in told], labels),
        highest=max((peak for _, peak, _ in told if peak is not None), default=None),
        guests=any(guests for *_, guests in told),
    )
