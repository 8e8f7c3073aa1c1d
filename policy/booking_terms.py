"""Which of the site's rules does a wish to book a machine break? Asked before, and again when it is stored.

Whether somebody else has the machine then is not asked here: server/changes/bookings.py.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum

from msgspec import Struct

from policy.bundle import BookingTerms, Closure, Machine, Member, Site
from policy.calendar import Calendar
from policy.fablab import is_always
from policy.spans import Spans, end_of
from policy.terms import HOUR, MINUTE, Instant

LONGEST_AT_ALL = 31 * 24 * HOUR
"""Of whoever is not held to the site's terms."""


class Rule(StrEnum):
    """What a wish breaks. In the order in which they are looked at."""

    MACHINE = "machine"
    """There is no such machine, or not any more."""
    MEMBER = "member"
    """Whom it is for is no member, is suspended, or their membership is over."""
    GONE = "gone"
    """The booking is over, cancelled, or somebody else's."""
    ORDER = "order"
    """Its end is not after its start."""
    PAST = "past"
    STEP = "step"
    """limit: minutes."""
    SHORTEST = "shortest"
    """limit: minutes."""
    LONGEST = "longest"
    """limit: minutes."""
    NOTICE = "notice"
    """limit: minutes."""
    AHEAD = "ahead"
    """limit: days."""
    HOURS = "hours"
    """Outside the machine's hours."""
    CLOSED = "closed"
    """In a closure of the site."""
    OPEN = "open"
    """limit: how many at once."""
    WEEK = "week"
    """limit: hours of one week."""


class Against(Struct, frozen=True):
    """limit: the number in the site's terms, where the rule has one."""

    rule: Rule
    limit: int | None = None


Interval = tuple[Instant, Instant]
"""Half-open."""


class Wish(Struct, frozen=True):
    """A member wants a machine. held: the intervals of what they have booked under the same terms, this week or later.

    same_start: it is a booking that only ends at another time.
    """

    machine: Machine
    member: Member
    start: Instant
    end: Instant
    held: Sequence[Interval] = ()
    same_start: bool = False


def terms_of(site: Site, machine: Machine) -> BookingTerms:
    """The machine's own terms, else the site's, else those that hold where nothing is said."""
    return machine.booking or site.booking or BookingTerms()


def same_terms(machine: Machine, machines: Iterable[Machine]) -> list[str]:
    """The machines whose bookings count together with this one's: itself, where it has terms of its own."""
    if machine.booking is not None:
        return [machine.id]
    return [one.id for one in machines if one.booking is None]


def against(site: Site, calendar: Calendar, wish: Wish, at: Instant, *, by_rules: bool = True) -> Against | None:
    """The first rule that the wish breaks at the instant `at`. by_rules: else only what holds for everybody."""
    terms, start, end = terms_of(site, wish.machine), wish.start, wish.end
    if by_rules and (wish.member.status != "active" or _is_over(wish.member, calendar, at)):
        return Against(Rule.MEMBER)
    if end <= start:
        return Against(Rule.ORDER)
    if end <= at or (start < at and not wish.same_start):
        return Against(Rule.PAST)
    if not (_on_step(start, terms.step, calendar) and _on_step(end, terms.step, calendar)):
        return Against(Rule.STEP, terms.step)
    if end - start > LONGEST_AT_ALL:
        return Against(Rule.LONGEST, LONGEST_AT_ALL // MINUTE)
    return _against_terms(site, terms, calendar, wish, at) if by_rules else None


def _against_terms(site: Site, terms: BookingTerms, calendar: Calendar, wish: Wish, at: Instant) -> Against | None:
    length = wish.end - wish.start
    if length < terms.shortest * MINUTE:
        return Against(Rule.SHORTEST, terms.shortest)
    if length > terms.longest * MINUTE:
        return Against(Rule.LONGEST, terms.longest)
    if wish.start < at + terms.notice * MINUTE and not wish.same_start:
        return Against(Rule.NOTICE, terms.notice)
    if calendar.date_at(wish.start) > calendar.date_at(at) + timedelta(days=terms.ahead_days):
        return Against(Rule.AHEAD, terms.ahead_days)
    if (why := cannot_be(site, calendar, wish.machine, wish.start, wish.end)) is not None:
        return why
    if sum(end > at for _, end in wish.held) >= terms.open:
        return Against(Rule.OPEN, terms.open)
    if terms.week_hours is not None and _most_in_a_week(calendar, wish) > terms.week_hours * HOUR:
        return Against(Rule.WEEK, terms.week_hours)
    return None


def cannot_be(site: Site, calendar: Calendar, machine: Machine, start: Instant, end: Instant) -> Against | None:
    """What no training and no gardien can mend: the machine's hours, and a closure."""
    hours = hours_between(calendar, machine, start, end)
    if hours is not None and (end_of(hours, start) or start) < end:
        return Against(Rule.HOURS)
    if any(is_closed(site, day) for day in _dates(calendar, start, end - 1)):
        return Against(Rule.CLOSED)
    return None


def hours_between(calendar: Calendar, machine: Machine, start: Instant, end: Instant) -> Spans | None:
    """The machine's hours on the dates from start to end, and what runs into them; None for always."""
    if is_always(machine.hours):
        return None
    return calendar.week(_dates(calendar, start - 24 * HOUR, end), machine.hours)


def closure_of(site: Site, day: date) -> Closure | None:
    """The closure that shuts the site on the date, of several the one that says why; None where there is none, or
    somebody made an opening of the day."""
    if any(one.date == day and one.hours for one in site.openings):
        return None
    found = [closure for closure in site.closures if closure.first <= day <= closure.last]
    return min(found, key=lambda one: not one.why, default=None)


def is_closed(site: Site, day: date) -> bool:
    """Whether the site is shut on the date, and nobody made an opening of it."""
    return closure_of(site, day) is not None


def on_step(calendar: Calendar, at: Instant, step: int) -> Instant:
    """The first instant at or after `at` at which a booking may start. step: minutes from local midnight."""
    minute = -(-at // MINUTE) * MINUTE
    local = calendar.local(minute)
    return minute + -(local.hour * 60 + local.minute) % step * MINUTE


def _on_step(at: Instant, step: int, calendar: Calendar) -> bool:
    return on_step(calendar, at, step) == at


def _is_over(member: Member, calendar: Calendar, at: Instant) -> bool:
    return member.valid_until is not None and calendar.day_at(at) > member.valid_until


def _dates(calendar: Calendar, start: Instant, last: Instant) -> list[date]:
    """The local dates from that of the one instant to that of the other."""
    first = calendar.date_at(start)
    return [first + timedelta(days=number) for number in range((calendar.date_at(last) - first).days + 1)]


def _most_in_a_week(calendar: Calendar, wish: Wish) -> Instant:
    """How long the member would have machines in the fullest of the weeks that the wish is in. From Monday 00:00."""
    return max(
        sum(max(0, min(end, last) - max(start, first)) for start, end in (*wish.held, (wish.start, wish.end)))
        for first, last in _weeks(calendar, wish)
    )


def _weeks(calendar: Calendar, wish: Wish) -> Iterable[Interval]:
    for monday in {day - timedelta(days=day.weekday()) for day in _dates(calendar, wish.start, wish.end - 1)}:
        yield calendar.midnight(monday), calendar.midnight(monday + timedelta(days=7))
