"""A day of machines as a picture and as a list: who has which when, when the place is open, where one may choose."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from policy.booking_terms import cannot_be, hours_between, is_closed, on_step, terms_of
from policy.bundle import BookingTerms, Machine
from policy.calendar import Calendar
from policy.degrees import By, Stretch
from policy.spans import pairs
from policy.terms import HOUR, MINUTE, Instant
from server.queries.booking_outcomes import Outcome
from server.queries.bookings import RUNS, Slot
from server.queries.current import Current
from server.text.dates import JOINER, calendar_day, hour, hours
from server.text.translate import N_, gettext

FIRST, LAST = 8, 22
"""The hours of a day that are drawn in any case."""
USUAL = 2 * HOUR
"""As long as this is what a press in the picture chooses, where the terms allow it."""
OPENED = {By.STAFFED: "staffed", By.GARDIEN: "held", By.EVENT: "held"}
PLACE = {
    By.STAFFED: (N_("l’équipe est là"), N_("l’équipe")),
    By.GARDIEN: (N_("un gardien doit ouvrir"), N_("gardien")),
    By.EVENT: (N_("événement"),),
}
NARROWEST = 820
"""The picture's least width, px: as narrow as loquet.css lets it be before it is moved sideways instead."""


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
class Seen:
    """How somebody sees who has which machine. me: their bookings are theirs; named: they read others' names."""

    current: Current
    outcomes: Mapping[str, Outcome]
    me: str
    at: Instant
    named: bool

    def whose(self, slot: Slot) -> str:
        """You, a name, or nothing."""
        if slot.member == self.me:
            return gettext("vous")
        return (self.current.called.member(slot.member) if self.named else "") or ""

    def state(self, slot: Slot) -> str:
        outcome = Outcome.RUNS if slot.id.startswith(RUNS) else self.outcomes.get(slot.id)
        return gettext("réservée") if outcome is None else gettext(STATES[outcome])

    def when(self, slot: Slot) -> str:
        """A session that should be over, or has no end, has its start alone."""
        if slot.id.startswith(RUNS) and slot.end <= self.at + MINUTE:
            return gettext("depuis %(hour)s", hour=hour(slot.start))
        return hours(slot.start, slot.end)


STATES = {
    Outcome.RUNS: N_("en marche"),
    Outcome.NOBODY: N_("rendue aux autres : personne n’est venu"),
    Outcome.LEFT: N_("rendue aux autres : plus personne"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """The same in the list. sub: how it stands, beside whose it is. ends: whether it may be cancelled here."""

    slot: Slot
    own: bool
    when: str
    whose: str
    sub: str
    ends: bool


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

    def block(
        self, start: Instant, end: Instant, kind: str, said: Sequence[str] = (), more: Sequence[str] = ()
    ) -> Block | None:
        """said, more: in words, the longest first; what has no room for any says nothing, the list has it all."""
        start, end = max(start, self.first), min(end, self.last)
        whole = (self.last - self.first) / 100
        if start >= end:
            return None
        x, width = round((start - self.first) / whole, 2), round((end - start) / whole, 2)
        return Block(x, width, kind, _fitting(width, said, 13.6), _fitting(width, more, 12.5))

    def ticks(self) -> list[tuple[float, str]]:
        """Where each hour stands, and what it is called."""
        whole = (self.last - self.first) / 100
        return [(round((at - self.first) / whole, 2), hour(at)) for at in range(self.first, self.last, HOUR)][1:]


def _fitting(width: float, words: Sequence[str], size: float) -> str:
    """The first of them that a block of so many percent has room for. size: of the letters, px, in a wide font."""
    room = width / 100 * NARROWEST - 9

    def wide(said: str) -> float:
        return size * sum(0.33 if one.isspace() else 0 if one == JOINER else 0.64 for one in said)

    return next((said for said in words if wide(said) <= room), "")


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
    busy: Sequence[Slot],
    seen: Seen,
) -> list[Lane]:
    """The place first, then each machine. slots: who has it; busy: what of that keeps whoever looks from choosing."""
    grounds = _blocks(
        drawn.block(start, end, OPENED[by], [gettext(said) for said in PLACE[by]])
        for start, end, by in opened(stretches)
    )
    found = [Lane("", gettext("Le lieu"), "", grounds)]
    plain = tuple(Block(one.x, one.width, one.kind) for one in grounds)
    for machine in current.bundle.machines:
        theirs, others = ([one for one in found if one.machine == machine.id] for found in (slots, busy))
        blocks = [drawn.block(one.start, one.end, *_said(one, seen)) for one in theirs]
        found.append(
            Lane(
                machine.id,
                current.called.place(machine.id),
                _more(machine),
                plain + _blocks([_out(drawn, machine, seen.at)]),
                _blocks([_gap(drawn, *one) for one in gaps_of(current, calendar, drawn, machine, others, seen.at)]),
                _blocks(blocks),
            )
        )
    return found


def _blocks(found: Iterator[Block | None] | Sequence[Block | None]) -> tuple[Block, ...]:
    return tuple(one for one in found if one is not None)


def opened(stretches: Sequence[Stretch]) -> list[tuple[Instant, Instant, By]]:
    """From when to when somebody opens: one gardien after another is one time."""
    found: list[tuple[Instant, Instant, By]] = []
    for one in stretches:
        if one.by is None:
            continue
        if found and found[-1][1:] == (one.start, one.by):
            found[-1] = (found[-1][0], one.end, one.by)
        else:
            found.append((one.start, one.end, one.by))
    return found


def _said(slot: Slot, seen: Seen) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Its class, whose it is or how it stands, and when."""
    kind = "mine" if slot.member == seen.me else "taken"
    return kind, (seen.whose(slot) or seen.state(slot),), (seen.when(slot), hour(slot.start))


def chosen(start: Instant, end: Instant) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the choice says of itself: when, and that it is one."""
    return (hours(start, end), hour(start)), (gettext("votre choix"), gettext("choix"))


def kept(found: Sequence[Slot], running: Sequence[Slot], seen: Seen) -> list[Slot]:
    """The bookings of a day and what runs: a session in its own booking is no second line but from its end on."""
    used: dict[tuple[str, str], Instant] = {}
    for one in found:
        if seen.outcomes.get(one.id) is Outcome.RUNS:
            whose = one.machine, one.member
            used[whose] = max(one.end, used.get(whose, one.end))
    rest = [one._replace(start=max(one.start, used.get((one.machine, one.member), one.start))) for one in running]
    return [*found, *(one for one in rest if one.start < one.end)]


def in_force(found: Sequence[Slot], seen: Seen) -> list[Slot]:
    """Without the bookings that others may have."""
    return [one for one in found if seen.outcomes.get(one.id) not in (Outcome.NOBODY, Outcome.LEFT)]


def listed(found: Sequence[Slot], seen: Seen) -> list[Row]:
    """By machine, as the site orders them."""
    order = {one.id: place for place, one in enumerate(seen.current.bundle.machines)}
    return [_row(one, seen) for one in sorted(found, key=lambda one: (order.get(one.machine, len(order)), one.start))]


def _row(slot: Slot, seen: Seen) -> Row:
    own, whose, state = slot.member == seen.me, seen.whose(slot), seen.state(slot)
    sub = state if whose and state != gettext("réservée") else ""
    ends = (seen.named or own) and not slot.id.startswith(RUNS) and slot.end > seen.at
    return Row(slot, own, seen.when(slot), whose or state, sub, ends)


def _out(drawn: Axis, machine: Machine, at: Instant) -> Block | None:
    """From now on nobody starts a machine that is out of service."""
    if machine.locked_out is None:
        return None
    said = gettext("hors service : %(why)s", why=machine.locked_out.why)
    return drawn.block(at, drawn.last, "out", (said, gettext("hors service")))


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
