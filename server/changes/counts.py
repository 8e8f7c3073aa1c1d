"""What stays of a month in numbers, before the names behind them are forgotten (server/changes/purge.py)?

Days are counted once, in their order, those on which nobody came among them. How many different people came is
counted over a whole month at once: it stays unknown where names are kept for less than a month.
"""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

from sqlmodel import Session

from policy.calendar import Calendar
from policy.terms import Instant
from server.models import CountKept
from server.publish.bundle import export
from server.queries.counts import (
    Days,
    Numbers,
    What,
    added,
    first_uncounted,
    kept,
    last_day,
    month_of,
    number,
    told_apart,
)

LATE = (What.VISITS, What.IN_VAIN)
"""What rows that come when their day was counted add to."""


def keep_counts(session: Session, calendar: Calendar, through: date, now: Instant) -> bool:
    """Count all days up to this one that are not counted yet; whether there was one."""
    first = first_uncounted(session, calendar)
    if first is None or first > through:
        return False
    bundle = export(session)
    while bundle is not None and first <= through:
        last = min(last_day(month_of(first)), through)
        _keep(session, Days(session, bundle, calendar, first, last, now))
        first = last + timedelta(1)
    return True


def add_late(session: Session, calendar: Calendar, day: date, now: Instant) -> None:
    """Rows came of a day that was counted already, or that was before the server heard of anybody: who came in them."""
    bundle, month = export(session), month_of(day)
    if bundle is not None:
        before = kept(session, month, month)[month]
        late = number(Days(session, bundle, calendar, day, day, now), {month: told_apart(before)})[month]
        _store(session, month, before + Counter({key: late[key] for key in late if key[0] in LATE}))


def _keep(session: Session, days: Days) -> None:
    """Days of one month, none of them counted before."""
    month = month_of(days.first)
    before = kept(session, month, month)[month]
    over = replace(days, last=last_day(month)).over
    _store(session, month, added(before, days, whole=over and (What.FIRST, "") not in before))


def _store(session: Session, month: date, numbers: Numbers) -> None:
    for (what, of), count in numbers.items():
        session.merge(CountKept(month=month, what=what, of=of, count=count))
