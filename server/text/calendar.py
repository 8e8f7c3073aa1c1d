"""A day of machines as a picture and as a list: who has which when, when the place is open, where one may choose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from policy.booking_terms import cannot_be, hours_between, is_closed, on_step, terms_of
from policy.bundle import BookingTerms, Machine
from policy.calendar import Calendar
from policy.degrees import By, Stretch
from policy.spans import pairs
from policy.terms import HOUR, MINUTE, Instant
from server.queries.bookings import RUNS, Slot
from server.queries.current import Current
from server.text.dates import calendar_day, hour, hours
from server.text.translate import N_, gettext

FIRST, LAST = 8, 22
"""The hours of a day that are drawn in any case."""
USUAL = 2 * HOUR
"""As long as this is what a press in the picture chooses, where the terms allow it."""
OPENED = {By.STAFFED: "staffed", By.GARDIEN: "held", By.EVENT: "held"}
PLACE = {By.STAFFED: N_("l’équipe est là"), By.GARDIEN: N_("un gardien doit ouvrir"), By.EVENT: N_("événement")}


@dataclass(frozen=True, slots=True)
class Block:
    """x, width: percent of the track. kind: its class. start: what a press here chooses, None where none is."""

    x: float
    width: float
    kind: str
    said: str = ""
    more: str = ""
    start: Instant | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """grounds lie under blocks; gaps are where one may choose."""

    machine: str
    name: str
    more: str
    grounds: tuple[Block, ...]
    gaps: tuple[Block, ...] = ()
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the strip above."""

    date: date
    said: str
    hours: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """From when to when a day is drawn."""

    first: Instant
    last: Instant

    def block(self, start: Instant, end: Instant, kind: str, said: str = "", more: str = "") -> Block | None:
        start, end = max(start, self.first), min(end, self.last)
        whole = (self.last - self.first) / 100
        if start >= end:
            return None
        return Block(round((start - self.first) / whole, 2), round((end - start) / whole, 2), kind, said, more)

    def ticks(self) -> list[tuple[float, str]]:
        """Where each hour stands, and what it is called."""
        whole = (self.last - self.first) / 100
        return [(round((at - self.first) / whole, 2), hour(at)) for at in range(self.first, self.last, HOUR)][1:]


def axis(calendar: Calendar, day: date, stretches: Sequence[Stretch], slots: Sequence[Slot]) -> Axis:
    """The hours of the day in which something is; whole ones."""
    start, end = calendar.midnight(day), calendar.midnight(day + timedelta(days=1))
    open_ = [(one.start, one.end) for one in stretches if one.by is not None]
    busy = [*open_, *((one.start, one.end) for one in slots)]
    busy = [(max(first, start), min(last, end)) for first, last in busy if first < end and last > start]
    first = min([start + FIRST * HOUR, *(first // HOUR * HOUR for first, _ in busy)])
    last = max([start + LAST * HOUR, *(-(-last // HOUR) * HOUR for _, last in busy)])
    return Axis(max(start, first - HOUR), min(end, last + HOUR))


def lanes(
    current: Current,
    calendar: Calendar,
    drawn: Axis,
    stretches: Sequence[Stretch],
    slots: Sequence[Slot],
    me: str,
    at: Instant,
    *,
    named: bool,
) -> list[Lane]:
    """The place first, then each machine."""
    grounds = _blocks(
        drawn.block(one.start, one.end, OPENED[one.by], gettext(PLACE[one.by])) for one in stretches if one.by
    )
    found = [Lane("", gettext("Le lieu"), "", grounds)]
    plain = tuple(Block(one.x, one.width, one.kind) for one in grounds)
    for machine in current.bundle.machines:
        theirs = [one for one in slots if one.machine == machine.id]
        blocks = [drawn.block(one.start, one.end, *_said(one, current, me, named=named)) for one in theirs]
        found.append(
            Lane(
                machine.id,
                current.called.place(machine.id),
                _more(machine),
                plain,
                _blocks([_gap(drawn, *one) for one in gaps_of(current, calendar, drawn, machine, theirs, at)]),
                _blocks(blocks),
            )
        )
    return found


def _blocks(found: Iterator[Block | None] | Sequence[Block | None]) -> tuple[Block, ...]:
    return tuple(one for one in found if one is not None)


def _said(slot: Slot, current: Current, me: str, *, named: bool) -> tuple[str, str, str]:
    """Its class, whose it is, and when."""
    when = hours(slot.start, slot.end)
    if slot.id.startswith(RUNS):
        return "taken", gettext("en marche"), when
    if slot.member == me:
        return "mine", gettext("vous"), when
    return "taken", (current.called.member(slot.member) if named else "") or gettext("réservée"), when


def _more(machine: Machine) -> str:
    if machine.locked_out is not None:
        return gettext("hors service")
    return gettext("il faut être %(people)s", people=machine.min_people) if machine.min_people > 1 else ""


def gaps_of(
    current: Current, calendar: Calendar, drawn: Axis, machine: Machine, theirs: Sequence[Slot], at: Instant
) -> list[tuple[Instant, Instant]]:
    """Where nobody has the machine and it may be booked."""
    terms = terms_of(current.bundle.site, machine)
    hours_ = hours_between(calendar, machine, drawn.first, drawn.last)
    if is_closed(current.bundle.site, calendar.date_at(drawn.first)):
        return []
    found = []
    for begin, finish in [(drawn.first, drawn.last)] if hours_ is None else pairs(hours_):
        start = on_step(calendar, max(begin, drawn.first, at + terms.notice * MINUTE), terms.step)
        for one in sorted(theirs):
            found.append((start, min(one.start, finish, drawn.last)))
            start = max(start, on_step(calendar, one.end + terms.buffer * MINUTE, terms.step))
        found.append((start, min(finish, drawn.last)))
    return [(start, end) for start, end in found if end - start >= terms.shortest * MINUTE]


def _gap(drawn: Axis, start: Instant, end: Instant) -> Block | None:
    found = drawn.block(start, end, "gap")
    return None if found is None else Block(found.x, found.width, "gap", gettext("libre"), hours(start, end), start)


def usual(terms: BookingTerms) -> Instant:
    """How long a booking is at first."""
    return max(terms.shortest * MINUTE, min(USUAL, terms.longest * MINUTE))


def strip(current: Current, calendar: Calendar, first: date, chosen: date, stretches: Sequence[Stretch]) -> list[Day]:
    """Seven days, each with the hours in which somebody opens."""
    found = []
    for number in range(7):
        day = first + timedelta(days=number)
        start, end = calendar.midnight(day), calendar.midnight(day + timedelta(days=1))
        times = [(max(one.start, start), min(one.end, end)) for one in stretches if one.by is not None]
        times = [(begin, finish) for begin, finish in times if begin < finish]
        said = hours(min(b for b, _ in times), max(f for _, f in times)) if times else gettext("fermé")
        if is_closed(current.bundle.site, day):
            said = gettext("fermé")
        found.append(Day(day, calendar_day(day), said, day == chosen))
    return found


def times(calendar: Calendar, machine: Machine, current: Current, start: Instant, end: Instant) -> list[Instant]:
    """Every instant from start to end at which a booking of the machine may begin or end."""
    step = terms_of(current.bundle.site, machine).step
    found, at = [], on_step(calendar, start, step)
    while at <= end:
        found.append(at)
        at = on_step(calendar, at + MINUTE, step)
    return found


def may_begin(current: Current, calendar: Calendar, machine: Machine, at: Instant) -> bool:
    """Whether the machine's hours and the site's closures leave room for the shortest booking from then on."""
    shortest = terms_of(current.bundle.site, machine).shortest * MINUTE
    return cannot_be(current.bundle.site, calendar, machine, at, at + shortest) is None


def terms_said(terms: BookingTerms) -> str:
    """What one should know, in a line."""
    return gettext(
        "%(open)s réservations à la fois, %(hours)s h au plus, %(days)s jours d’avance.",
        open=terms.open,
        hours=f"{terms.longest / 60:g}".replace(".", ","),
        days=terms.ahead_days,
    )
