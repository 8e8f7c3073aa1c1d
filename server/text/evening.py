"""How is it said that this evening is another than it was? Subject and lines of a message, without names."""

from policy.opening import Degree
from policy.terms import Instant
from server.queries.evening import Evening
from server.queries.now import Picture
from server.text.dates import hour, hours
from server.text.translate import N_, gettext

DEGREES = {
    Degree.SURE: N_("sûr"),
    Degree.PROBABLE: N_("probable"),
    Degree.UNCERTAIN: N_("pas sûr"),
}


def headline(before: Evening, now: Evening, seen: Picture) -> str:
    """Ce soir : ouvert jusqu’à 22 h. Of what is new the first."""
    if seen.lockdown is not None:
        return gettext("Ce soir : le lieu est confiné")
    if not now and seen.closed is not None:
        return gettext("Ce soir : le lieu a fermé à %(hour)s", hour=hour(seen.closed.at))
    new = next((one for one in now if one not in before), None)
    if new is None:
        gone = next(one for one in before if one not in now)
        if not now:
            return gettext("Ce soir : plus personne pour ouvrir")
        return gettext("Ce soir : plus personne pour ouvrir, %(hours)s", hours=hours(gone[0], gone[1]))
    start, end, degree = new
    if start > seen.at:
        return gettext("Ce soir : %(hours)s, %(degree)s", hours=hours(start, end), degree=gettext(DEGREES[degree]))
    match degree:
        case Degree.SURE:
            return gettext("Ce soir : ouvert jusqu’à %(hour)s", hour=hour(end))
        case Degree.PROBABLE:
            return gettext("Ce soir : probablement ouvert jusqu’à %(hour)s", hour=hour(end))
    return gettext("Ce soir : pas sûr pour l’instant, le gardien n’est pas là")


def lines(one: Evening, at: Instant) -> str:
    """de 18 h à 22 h, probable; one line for each stretch."""
    found = [_line(start, end, degree, at) for start, end, degree in one]
    return "\n".join(found) or gettext("personne pour ouvrir")


def _line(start: Instant, end: Instant, degree: Degree, at: Instant) -> str:
    sure = gettext(DEGREES[degree])
    if start <= at:
        return gettext("jusqu’à %(hour)s, %(degree)s", hour=hour(end), degree=sure)
    return gettext("%(hours)s, %(degree)s", hours=hours(start, end), degree=sure)


BODY = N_(
    "Maintenant : %(now)s\nAvant : %(before)s\n\n"
    "Vous avez demandé à être prévenu·e si ce soir change ; c’est oublié demain matin.\n"
)
