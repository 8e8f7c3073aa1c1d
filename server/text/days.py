"""When does a badge open the door in the days to come? A pill and the hours for each day, as people say them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date as date_
from datetime import timedelta

from policy.calendar import resolve
from policy.opening import Degree
from policy.reasons import Reason
from policy.terms import Instant
from server.queries.current import Current
from server.queries.entry import Span
from server.text.dates import calendar_day, hours, local
from server.text.reasons import remedy
from server.text.translate import gettext

DAYS = 4
"""Days after this one that are told one by one."""


@dataclass(frozen=True, slots=True)
class Day:
    """What the badge opens on one day: a pill, and the hours."""

    day: str
    colour: str
    mark: str
    more: str


@dataclass(frozen=True, slots=True)
class Part:
    """A time of one degree."""

    start: Instant
    end: Instant
    degree: Degree
    gardiens: tuple[str, ...]


def days(current: Current, spans: list[Span], at: Instant) -> list[Day]:
    """The days after this one, from midnight to midnight. What helps is said on the first of the days it helps."""
    today = local(at).date()
    told: list[Day] = []
    for number in range(1, DAYS + 1):
        one = _day(current, spans, today + timedelta(days=number))
        said_before = one.colour == "bad" and one.more in {day.more for day in told}
        told.append(replace(one, more="") if said_before else one)
    return told


def _day(current: Current, spans: list[Span], date: date_) -> Day:
    start, end = map(current.calendar.midnight, (date, date + timedelta(days=1)))
    mine = [span for span in spans if span.start < end and span.end > start]
    open_ = list(_parts([span for span in mine if span.granted], start, end))
    name = calendar_day(date)
    if not open_ and any(span.reason is Reason.LOCKDOWN for span in mine):
        return Day(name, "bad", gettext("lieu confiné"), gettext("tant que l’équipe ne le lève pas"))
    if not open_:
        keeps_out = next((span.reason for span in mine if span.reason is not Reason.OUTSIDE_HOURS), None)
        if keeps_out is None:
            return Day(name, "", gettext("fermé"), "")
        return Day(name, "bad", gettext("pas pour votre badge"), remedy(keeps_out, to_member=True) or "")
    events = list(_events(current, open_, start, end))
    if [(part.start, part.end) for part in open_] == [(start, end)]:
        return Day(name, "good", gettext("à toute heure"), " · ".join(events))
    more = " · ".join([*(_said(current, part) for part in open_), *events])
    if any(part.degree is Degree.SURE for part in open_):
        return Day(name, "good", gettext("ouvert"), more)
    return Day(name, "warn", gettext("probable"), more)


def _events(current: Current, parts: list[Part], start: Instant, end: Instant) -> Iterator[str]:
    """The events of a day that this badge may come to: the title, and when."""
    coming = [
        (resolve(one.start, current.zone), resolve(one.end, current.zone, last=True), one.title)
        for one in current.bundle.events
    ]
    for begins, ends, title in sorted(coming):
        if begins < end and ends > start and any(part.start < ends and part.end > begins for part in parts):
            yield gettext("%(title)s, %(hours)s", title=title, hours=hours(begins, ends))


def _parts(spans: list[Span], start: Instant, end: Instant) -> Iterator[Part]:
    """Those of one degree and one gardien that touch are one; cut to the day."""
    last: Part | None = None
    for span in spans:
        part = Part(max(span.start, start), min(span.end, end), span.degree, span.gardiens)
        if last is not None and (last.end, last.degree, last.gardiens) == (part.start, part.degree, part.gardiens):
            part = Part(last.start, part.end, part.degree, part.gardiens)
        elif last is not None:
            yield last
        last = part
    if last is not None:
        yield last


def _said(current: Current, part: Part) -> str:
    told = hours(part.start, part.end)
    if part.degree is Degree.SURE:
        return told
    names = gettext(" et ").join(current.called.member(who) or gettext("un gardien") for who in part.gardiens)
    return gettext("%(hours)s sans doute, avec %(who)s", hours=told, who=names)
