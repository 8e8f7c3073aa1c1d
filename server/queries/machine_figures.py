"""How are the machines used? By machine and month: hours, people, how sessions ended, no-shows, refusals, faults.

As far back as sessions are kept (server/changes/purge.py). A session counts in the month in which it began, its hours
in those in which it ran.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from sqlmodel import Session, col, select

from policy.instants import of
from policy.sessions import Session as Use
from policy.terms import DAY, MINUTE, SECOND, Instant
from server.database.types import moment
from server.models import JournalRow, MachineFault
from server.queries.current import Current
from server.queries.gardien_figures import months_to
from server.queries.history import one_by_one
from server.queries.machine_service import ran_between
from server.queries.no_shows import no_shows
from server.queries.site_state import uses_since
from wire.row import Kind, Order

MONTHS = 4
AT_ONCE: Instant = 5 * SECOND
"""So near to its end a stop or an order is what ended a session."""
OVER: Instant = MINUTE
"""A session that goes on for longer than that after its end overruns."""
OFTEN = 3
"""Bookings within LATELY to which somebody did not come: fab managers are told."""
LATELY: Instant = 30 * DAY


class End(StrEnum):
    """How a session ended."""

    RUNS = "runs"
    HOUR = "hour"
    """At the hour at which it was to."""
    BEFORE = "before"
    """Earlier: its holder ended it, or went away."""
    STOP = "stop"
    """By the emergency stop."""
    ORDER = "order"
    """A fab manager ended it."""
    OVERRUN = "overrun"


@dataclass(slots=True)
class Tally:
    """Of one machine in one month. over: seconds after the hour at which sessions were to end.

    absent: bookings to which nobody came, and those that were cancelled too late. refused: badges at its reader.
    """

    seconds: int = 0
    over: int = 0
    people: set[str] = field(default_factory=set)
    ends: Counter[End] = field(default_factory=Counter)
    absent: int = 0
    refused: int = 0
    faults: int = 0

    @property
    def sessions(self) -> int:
        return self.ends.total()


@dataclass(frozen=True, slots=True)
class Figures:
    """months: their first days, the oldest first. month: of these the one that is asked for. machines: those of the
    site, then those that are gone from it. tallies: of another month than that the hours alone.

    absent: members who did not come to OFTEN bookings or more lately, and to how many.
    """

    months: Sequence[date]
    month: date
    machines: Sequence[str]
    tallies: Mapping[tuple[str, date], Tally]
    absent: Mapping[str, int]

    def of(self, machine: str, month: date) -> Tally:
        return self.tallies.get((machine, month)) or Tally()


def figures(session: Session, current: Current, at: Instant, kept_days: int, asked: str | None = None) -> Figures:
    """asked: the month of which all is told, as 2026-11; the newest where that is none of those known, None for all."""
    today = current.calendar.date_at(at)
    kept = today - timedelta(kept_days - 1)
    months = [one for one in months_to(today, MONTHS) if one >= kept.replace(day=1)]
    edges = [*(current.calendar.midnight(one) for one in months), at + 1]
    shown = next((place for place, one in enumerate(months) if f"{one:%Y-%m}" == asked), len(months) - 1)
    start, end = (edges[0], edges[-1]) if asked is None else (edges[shown], edges[shown + 1])
    found: defaultdict[tuple[str, date], Tally] = defaultdict(Tally)

    def tally(machine: str, when: Instant) -> Tally:
        return found[machine, months[max(0, bisect_right(edges, when, hi=len(months)) - 1)]]

    for month, *span in zip(months, edges, [*edges[1:-1], at], strict=False):
        for machine, ran in ran_between(session, at, *span).items():
            found[machine, month].seconds = ran.seconds
    lately = max(edges[0], at - LATELY)
    uses = uses_since(session, lately)
    if start < lately:
        uses = [*{*uses_since(session, start, end + 7 * DAY), *uses}]  # a booking may last until then
    for use, how in _ended(session, [use for use in uses if start <= use.start < end], start, at):
        one = tally(use.machine, use.start)
        one.people.add(use.member)
        one.ends[how] += 1
    for use in uses:
        _add_late(found, months, [*edges[:-1], at], use)
    absent = no_shows(session, uses, [(start, end), (lately, at)], at)
    for booking in absent:
        if start <= booking.start < end:
            tally(booking.machine, booking.start).absent += 1
    for machine, when in _refused(session, current, start, end):
        tally(machine, when).refused += 1
    for machine, when in _reported(session, start, end):
        tally(machine, when).faults += 1
    gone = {machine for machine, _ in found} - set(current.machines)
    counted = Counter(one.member for one in absent if one.start >= lately)
    often = {who: number for who, number in counted.items() if number >= OFTEN}
    return Figures(months, months[shown], [*current.machines, *sorted(gone)], found, often)


def _add_late(
    found: defaultdict[tuple[str, date], Tally], months: Sequence[date], edges: Sequence[Instant], use: Use
) -> None:
    """Its seconds after the hour at which it was to end, to the months in which they are. edges: where each begins."""
    if use.until is None or (use.over is not None and use.over <= use.until):
        return
    for month, start, end in zip(months, edges, edges[1:], strict=False):
        if use.overlaps(start, end):
            found[use.machine, month].over += use.seconds(max(start, use.until), end)


def _ended(session: Session, uses: Iterable[Use], since: Instant, at: Instant) -> Iterator[tuple[Use, End]]:
    """Each session with how it ended."""
    row = JournalRow
    asked = select(row.access_point, row.at, row.kind).where(col(row.at) >= moment(since))
    stops = asked.where(row.kind == Kind.ESTOP)
    orders = asked.where(row.kind == Kind.COMMAND, col(row.order).in_([Order.END, Order.LOCK_OUT]))
    causes: defaultdict[str | None, list[tuple[Instant, End]]] = defaultdict(list)
    for machine, when, kind in [*session.exec(stops), *session.exec(orders)]:
        causes[machine].append((of(when), End.STOP if kind == Kind.ESTOP else End.ORDER))
    for use in uses:
        yield use, _how(use, causes[use.machine], at)


def _how(use: Use, causes: Iterable[tuple[Instant, End]], at: Instant) -> End:
    over = use.over
    if over is None or over > at:
        return End.RUNS
    cause = next((end for when, end in causes if abs(when - over) <= AT_ONCE), None)
    if cause is not None:
        return cause
    if use.until is None or over < use.until - AT_ONCE:
        return End.BEFORE
    return End.OVERRUN if over > use.until + OVER else End.HOUR


def _refused(session: Session, current: Current, since: Instant, until: Instant) -> list[tuple[str, Instant]]:
    """At which machine, and when."""
    row = JournalRow
    asked = select(row.access_point, row.at).where(
        one_by_one(Kind.TAP),
        col(row.at) >= moment(since),
        col(row.at) < moment(until),
        col(row.granted).is_(False),
        col(row.access_point).in_(list(current.machines)),
    )
    return [(machine or "", of(when)) for machine, when in session.exec(asked)]


def _reported(session: Session, since: Instant, until: Instant) -> list[tuple[str, Instant]]:
    row = MachineFault
    asked = select(row.machine, row.at).where(row.at >= moment(since), row.at < moment(until))
    return [(one, of(when)) for one, when in session.exec(asked)]
