"""How are the machines used? By machine and month: hours, people, how sessions ended, no-shows, refusals, faults.

As far back as sessions are kept (server/changes/purge.py). A session counts in the month in which it began, its hours
in those in which it ran.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlmodel import Session, col, select

from policy.instants import of
from policy.spans import spans
from policy.terms import DAY, SECOND, Instant
from server.database.types import moment
from server.models import JournalRow, MachineFault, MachineSheet
from server.queries.current import Current
from server.queries.gardien_figures import months_to
from server.queries.history import one_by_one
from server.queries.machine_ends import End, ends, used_by
from server.queries.machine_uses import Used, overran_since, ran_by
from server.queries.no_shows import no_shows
from wire.row import Kind

MONTHS = 4
OFTEN = 3
"""Bookings within LATELY to which somebody did not come: fab managers are told."""
LATELY: Instant = 30 * DAY


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
    site, then those that are gone from it. tallies: of another month than that the hours alone. ever: seconds of each
    machine in all.

    absent: members who did not come to OFTEN bookings or more lately, and to how many.
    """

    months: Sequence[date]
    month: date
    machines: Sequence[str]
    tallies: Mapping[tuple[str, date], Tally]
    ever: Mapping[str, int]
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

    ever = {machine: seconds for machine, seconds in session.exec(_GONE)}  # noqa: C416 - a row is no tuple to the type checker
    for machine, (whole, parts) in ran_by(session, at, [*edges[:-1], at]).items():
        ever[machine] = ever.get(machine, 0) + whole
        for month, seconds in zip(months, parts, strict=True):
            if seconds is not None:
                found[machine, month].seconds = seconds
    for month, begins, ends_ in zip(months, edges, edges[1:], strict=False):
        if start <= begins < end:
            for machine, who in used_by(session, begins, ends_).items():
                found[machine, month].people = who
            for machine, how in ends(session, begins, ends_, at).items():
                found[machine, month].ends = how
    for use in overran_since(session, start):
        _add_late(found, months, [*edges[:-1], at], use)
    lately = max(edges[0], at - LATELY)
    absent = no_shows(session, spans([(start, end), (lately, at)]), at)
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
    return Figures(months, months[shown], [*current.machines, *sorted(gone)], found, ever, often)


def _add_late(
    found: defaultdict[tuple[str, date], Tally], months: Sequence[date], edges: Sequence[Instant], use: Used
) -> None:
    """Its seconds after the hour at which it was to end, to the months in which they are. edges: where each begins."""
    for month, start, end in zip(months, edges, edges[1:], strict=False):
        if use.start < end and use.over > start:
            found[use.machine, month].over += max(0, min(use.over, end) - max(start, use.start, use.until)) // SECOND


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


_GONE = select(MachineSheet.machine, MachineSheet.seconds_gone)
"""In sessions that are forgotten."""
