"""What does the desk decide about events? One alone, one time of a series, or all of its times from now on."""

from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace
from sqlmodel import Session, col, select

from policy.bundle import Bundle, Event
from policy.calendar import moment
from server.audit import Change, Decided, record
from server.changes.bundle import columns_of, put
from server.changes.outcomes import Done, Meanwhile, Wrong
from server.changes.planned import Plan, Planned, made
from server.database.types import moment as stored
from server.models import EventSeries
from server.publish.bundle import held
from server.queries.recurring import AHEAD, Series, said, series_of, times

FIELDS = (("title", "title"), ("start", "date"), ("end", "hours"), ("access_points", "access_points"))
"""The keys of an event in a bundle, and the fields of the form that answer for them."""


def one(seen: Event | None, wanted: Event | None, today: date) -> Plan:
    """A new event, another one, or none in its place. seen: as whoever decides has seen it."""

    def plan(bundle: Bundle) -> Planned | Wrong | Meanwhile:
        if seen is not None and seen not in bundle.events:
            return Meanwhile()
        if wanted is None:
            return Planned(replace(bundle, events=tuple(event for event in bundle.events if event != seen)))
        if moment(wanted.start).date() < today and (seen is None or seen.start != wanted.start):
            return Wrong(("date",))
        if seen is None:
            return _planned(replace(bundle, events=(*bundle.events, wanted)), [wanted])
        kept = tuple(wanted if event == seen else event for event in bundle.events)
        return _planned(replace(bundle, events=kept), [wanted])

    return plan


def series(seen: Series | None, wanted: Series | None, today: date) -> Plan:
    """The same of a series: its times from today on; what was moved or cancelled alone stays so."""

    def plan(bundle: Bundle) -> Planned | Wrong | Meanwhile:
        if seen is None and wanted is not None and moment(wanted.start).date() < today:
            return Wrong(("date",))
        last = today + AHEAD
        before = {time.id: time for time in times(seen, today, last)} if seen else {}
        after = {time.id: time for time in times(wanted, today, last)} if wanted else {}
        kept = [event for event in bundle.events if not _replaced(event, before, wanted is None, today, seen)]
        there = {event.id for event in kept}
        cancelled = before.keys() - {event.id for event in bundle.events}
        fresh = [time for which, time in after.items() if which not in there | cancelled]
        if wanted is not None and not after:
            if moment(wanted.start).date() > last:
                return Wrong(("date",))
            return Wrong(("times" if "COUNT" in wanted.rule else "until",))
        return _planned(replace(bundle, events=(*kept, *fresh)), fresh)

    return plan


def save_series(
    session: Session, decided: Decided, seen: Series | None, wanted: Series | None, today: date
) -> Done | Wrong | Meanwhile:
    """In the caller's transaction, together with its times. Raises ImportRefusedError for what cannot be kept."""
    which = (seen or wanted or Series("", "", "", "", "", "members")).id
    row = session.get(EventSeries, which)
    known = said(row) if row is not None and row.ended is None else None
    if known != seen:
        return Meanwhile()
    outcome = made(session, decided, series(seen, wanted, today))
    if not isinstance(outcome, Done) or known == wanted:
        return outcome
    columns = columns_of(wanted, EventSeries) if wanted is not None else {"ended": stored(decided.at)}
    before = {name: getattr(row, name) for name in columns} if row is not None else None
    if row is None:
        row = EventSeries(**columns, known_until=today + AHEAD)
    for name, value in columns.items():
        setattr(row, name, value)
    row.known_until = today + AHEAD
    session.add(row)
    session.flush()
    did = "added" if seen is None else "changed" if wanted is not None else "ended"
    record(session, decided, [Change(EventSeries, (which,), did, before, columns if wanted is not None else None)])
    return Done()


def make_more_times(session: Session, decided: Decided, today: date) -> int:
    """The times of all series that have come within reach since they were made last. How many there are."""
    last, made_now = today + AHEAD, 0
    asked = select(EventSeries).where(col(EventSeries.ended).is_(None), col(EventSeries.known_until) < last)
    for row in session.exec(asked).all():
        fresh = [time for time in times(said(row), today, last) if moment(time.start).date() > row.known_until]
        known = {event.id for event in held(session, "events")} if fresh else set()
        put(session, [time for time in fresh if time.id not in known], decided)
        row.known_until = last
        session.add(row)
        made_now += len(fresh)
    return made_now


def _replaced(event: Event, before: dict[str, Event], all_of_it: bool, today: date, seen: Series | None) -> bool:
    """Whether a change of the series takes this one away: a coming time of it, as the series has it."""
    if seen is None or series_of(event.id) != seen.id or moment(event.start).date() < today:
        return False
    return all_of_it or before.get(event.id) == event


def _planned(bundle: Bundle, fresh: Iterable[Event]) -> Planned:
    """The form answers for what is new in it."""
    new = {event.id for event in fresh}
    places = tuple(
        (f"events[{index}].{key}", field)
        for index, event in enumerate(bundle.events)
        if event.id in new
        for key, field in FIELDS
    )
    return Planned(bundle, places)
