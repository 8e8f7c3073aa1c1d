"""How is it said what somebody wrote down of a member's coming and going?"""

from policy.terms import Instant
from server.queries.closing import CheckedOut, Closed
from server.queries.corrections import Noted
from server.queries.names import Called
from server.text.dates import day, hours, opens, when
from server.text.translate import gettext


def to_member(one: Noted, now: Instant) -> str:
    """Élise Martin a noté votre départ à 19 h."""
    by = one.noted.by
    if one.start is None:
        return gettext("%(by)s a noté votre départ %(end)s.", by=by, end=opens(one.end or now, now))
    if one.end is None:
        return gettext("%(by)s a noté votre arrivée %(start)s.", by=by, start=opens(one.start, now))
    return gettext(
        "%(by)s a noté votre présence : %(day)s, %(hours)s.", by=by, day=day(one.start), hours=hours(one.start, one.end)
    )


def to_team(one: Noted, now: Instant) -> str:
    """Départ à 19 h, noté par Élise Martin."""
    by = one.noted.by
    if one.start is None:
        return gettext("Départ %(end)s, noté par %(by)s", by=by, end=opens(one.end or now, now))
    if one.end is None:
        return gettext("Arrivée %(start)s, notée par %(by)s", by=by, start=opens(one.start, now))
    return gettext(
        "Présence notée par %(by)s : %(day)s, %(hours)s", by=by, day=day(one.start), hours=hours(one.start, one.end)
    )


def out_at_closing(one: CheckedOut, called: Called, now: Instant) -> str:
    """Noté·e sorti·e par Soraya R. à la fermeture, 18 h 24."""
    by = called.member(one.by) if one.by is not None else None
    if by:
        return gettext("Noté·e sorti·e par %(by)s à la fermeture, %(at)s", by=by, at=when(one.at, now))
    return gettext("Noté·e sorti·e à la fermeture, %(at)s", at=when(one.at, now))


def closed_by(closed: Closed, called: Called, now: Instant) -> str:
    """Fermé par Soraya R., 18 h 24."""
    by = called.member(closed.by) if closed.by is not None else None
    return gettext("Lieu fermé par %(by)s, %(at)s", by=by or gettext("l’équipe"), at=when(closed.at, now))
