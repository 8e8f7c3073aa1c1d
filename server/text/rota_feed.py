"""Which shifts does a calendar program show? One's own, or all of them without names."""

from datetime import timedelta

from sqlmodel import Session

from policy.terms import Instant
from server.queries.current import Current
from server.queries.feeds import Feed, What
from server.queries.rota import AHEAD, Turn, asked, turns
from server.text.icalendar import Entry
from server.text.translate import N_, gettext

MINE, ALL = N_("Mes gardes"), N_("Toutes les gardes")
NAMES = {What.MY_SHIFTS: MINE, What.ALL_SHIFTS: ALL}
BACK = timedelta(days=31)


def mine(session: Session, current: Current, feed: Feed, at: Instant) -> list[Entry]:
    """Of the last month and the next two."""
    known = asked(session)
    return [
        _entry(current, one, gettext("Garde, à reprendre") if offered else gettext("Garde"), sure=not offered)
        for one in _turns(current, at)
        if one.gardien == feed.member
        for offered in (known.offer_of(one) is not None,)
    ]


def all_(session: Session, current: Current, _feed: Feed, at: Instant) -> list[Entry]:
    """The same of everybody, without names."""
    known = asked(session)
    found = []
    for one in _turns(current, at):
        if one.gardien is None:
            found.append(_entry(current, one, gettext("Sans gardien"), sure=False))
        elif known.offer_of(one) is not None:
            found.append(_entry(current, one, gettext("Garde à reprendre"), sure=False))
        else:
            found.append(_entry(current, one, gettext("Garde tenue"), sure=True))
    return found


def _turns(current: Current, at: Instant) -> list[Turn]:
    today = current.calendar.date_at(at)
    return turns(current.bundle, today - BACK, today + timedelta(days=AHEAD))


def _entry(current: Current, one: Turn, title: str, *, sure: bool) -> Entry:
    site = current.bundle.site
    return Entry(f"{one.key}@{site.id}.loquet", one.start, one.end, f"{title} · {site.name}", sure=sure)
