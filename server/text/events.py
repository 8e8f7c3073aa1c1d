"""How are events said? When, for whom, at which doors, and how often they recur."""

from datetime import date

from msgspec import UNSET, UnsetType

from policy.bundle import Event
from policy.calendar import moment, resolve
from server.queries.names import Called
from server.queries.recurring import Repeat, Series, read_rule
from server.text.dates import calendar_day, day, hours, short_day, zone
from server.text.hours import weekday_of
from server.text.translate import N_, gettext

REPEATS = {
    Repeat.NEVER: N_("une seule fois"),
    Repeat.DAILY: N_("chaque jour"),
    Repeat.WEEKLY: N_("chaque semaine, le même jour"),
    Repeat.FORTNIGHTLY: N_("toutes les deux semaines"),
    Repeat.MONTHLY_WEEKDAY: N_("chaque mois, le même jour de la semaine"),
    Repeat.MONTHLY_DATE: N_("chaque mois, à la même date"),
    Repeat.YEARLY: N_("chaque année"),
}
NTH = {1: N_("premier"), 2: N_("deuxième"), 3: N_("troisième"), 4: N_("quatrième"), 5: N_("dernier")}
AUDIENCES = {
    "members": N_("les membres, quelle que soit leur formule"),
    "public": N_("tout le monde : la porte reste ouverte tant que l’équipe ou un gardien est là"),
}
WRONG = {
    "title": N_("Écrivez un titre d’une ligne, en 200 signes au plus."),
    "date": N_("Écrivez le jour ainsi : 31/12/2026. Il n’est pas passé."),
    "hours": N_("Écrivez une heure de début et une de fin, ainsi : 18 h – 22 h."),
    "until": N_("Écrivez le dernier jour ainsi : 31/12/2026, et pas avant le premier. Rien s’il n’y en a pas."),
    "repeat": N_("Choisissez dans la liste."),
    "audience": N_("Choisissez pour qui."),
    "access_points": N_("Cette porte n’existe plus. Choisissez dans la liste."),
}
DONE = {
    "added": N_("Événement ajouté."),
    "changed": N_("Événement modifié."),
    "cancelled": N_("Événement annulé."),
    "stopped": N_("Cette série est finie : plus rien à venir."),
}


def when(event: Event) -> str:
    """jeu. 26 nov., 18 h – 22 h."""
    start, end = resolve(event.start, zone()), resolve(event.end, zone(), last=True)
    return f"{day(start)}, {hours(start, end)}"


def doors(access_points: tuple[str, ...] | UnsetType, called: Called) -> str:
    """Nothing where it is every door."""
    return "" if access_points is UNSET else ", ".join(called.place(place) for place in access_points)


def about(event: Event | Series, called: Called) -> str:
    """For whom, at which doors, at what cost."""
    parts = [gettext("ouvert à tous") if event.audience == "public" else gettext("pour les membres")]
    parts += [where] if (where := doors(event.access_points, called)) else []
    parts += [gettext("ne compte sur aucun carnet")] if event.free else []
    return " · ".join(parts)


def recurs(series: Series) -> str:
    """Chaque jeudi; le premier jeudi du mois; with the last day where there is one."""
    first = moment(series.start).date()
    repeat, until = read_rule(series.rule, first)
    words = _recurs(repeat, first)
    return gettext("%(often)s, jusqu’au %(day)s", often=words, day=calendar_day(until)) if until else words


def _recurs(repeat: Repeat, first: date) -> str:
    name = weekday_of(first)
    match repeat:
        case Repeat.WEEKLY:
            return gettext("chaque %(weekday)s", weekday=name)
        case Repeat.FORTNIGHTLY:
            return gettext("un %(weekday)s sur deux", weekday=name)
        case Repeat.MONTHLY_WEEKDAY:
            nth = gettext(NTH[(first.day - 1) // 7 + 1])
            return gettext("le %(nth)s %(weekday)s du mois", nth=nth, weekday=name)
        case Repeat.MONTHLY_DATE:
            return gettext("le %(day)s de chaque mois", day=first.day)
        case Repeat.YEARLY:
            return gettext("chaque année, le %(day)s", day=short_day(first))
    return gettext(REPEATS[repeat])


def wrong(field: str) -> str:
    return gettext(WRONG[field])
