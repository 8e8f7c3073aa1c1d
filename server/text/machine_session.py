"""A session that is let go on, or ended, from a page: what is said before the press, and what came of it."""

from policy.reasons import Reason
from policy.sessions import Session
from policy.terms import Instant
from server.queries.bookings import Slot
from server.text.dates import hour, hours, when
from server.text.translate import N_, gettext

NOT_EXTENDED = {
    Reason.BOOKED_BY_OTHER: N_("Elle est réservée par quelqu’un d’autre : la session finit comme prévu."),
    Reason.QUOTA_EXHAUSTED: N_("Le temps de la période est utilisé : la session finit comme prévu."),
    Reason.OUTSIDE_MACHINE_HOURS: N_("Ses heures finissent : la session finit comme prévu."),
    Reason.MACHINE_LOCKED_OUT: N_("La machine est hors service : la session finit comme prévu."),
    Reason.NOT_INSIDE: N_("La personne n’est pas dans les murs : la session finit comme prévu."),
    Reason.COMPANION_REQUIRED: N_("Il faut être plusieurs sur place : la session finit comme prévu."),
    Reason.OUTSIDE_HOURS: N_("Le lieu ferme pour cette formule : la session finit comme prévu."),
    Reason.NOT_CERTIFIED: N_("La formation n’est plus valable : la session finit comme prévu."),
    Reason.CERTIFICATION_EXPIRED: N_("La formation n’est plus valable : la session finit comme prévu."),
}
"""Why not, by the line of the rules that a start would meet now."""


def not_extended(why: Reason | None) -> str:
    if why in NOT_EXTENDED:
        return gettext(NOT_EXTENDED[why])
    return gettext("Rien de changé : la session finit comme prévu.")


def extended(until: Instant | None, now: Instant) -> str:
    if until is None:
        return gettext("C’est prolongé, sans fin prévue.")
    return gettext("C’est prolongé : jusqu’à %(until)s.", until=when(until, now))


def as_before(until: Instant | None, now: Instant, booked: Slot | None = None) -> str:
    """The edge did it, and `until` is what it was. booked: by somebody else, right after."""
    if until is None:
        return gettext("Elle n’a pas de fin prévue : il n’y a rien à prolonger.")
    if booked is not None:
        said = {"until": when(until, now), "booked": hours(booked.start, booked.end)}
        return gettext("Pas plus long que jusqu’à %(until)s : elle est réservée ensuite, %(booked)s.", **said)
    return gettext("Pas plus long : elle peut déjà tourner jusqu’à %(until)s.", until=when(until, now))


def no_answer() -> str:
    return gettext("Son boîtier n’a pas encore répondu : regardez dans un instant jusqu’à quand elle tourne.")


def not_sent(machine: str) -> str:
    return gettext("L’ordre n’est pas parti : le boîtier de %(machine)s ne répond pas. Allez-y.", machine=machine)


def nothing_runs(machine: str) -> str:
    return gettext("%(machine)s : aucune session n’y tourne.", machine=machine)


def before_end(machine: str, who: str | None, running: Session) -> tuple[str, str]:
    """The question, and what will happen."""
    said = gettext(
        "%(who)s l’utilise depuis %(since)s. Le courant est coupé tout de suite, et ce qui se fait est perdu. Ensuite "
        "la machine est libre.",
        who=who or gettext("Membre retiré"),
        since=hour(running.start),
    )
    return gettext("Terminer la session : %(machine)s ?", machine=machine), said


def yes_end() -> str:
    return gettext("Oui, couper")


def ended(machine: str, done: bool | None) -> str:
    if done:
        return gettext("%(machine)s : la session est finie, le courant est coupé.", machine=machine)
    if done is None:
        return gettext(
            "%(machine)s : son boîtier n’a pas encore répondu. Si elle tourne, allez-y : arrêt d’urgence.",
            machine=machine,
        )
    return gettext("%(machine)s : pas coupée, son boîtier a refusé. Allez-y.", machine=machine)
