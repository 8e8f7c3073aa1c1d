"""How are events said? When, for whom, at which doors; how often they recur says rhythm.py."""

from msgspec import UNSET, UnsetType

from policy.bundle import Event
from policy.calendar import resolve
from server.queries.names import Called
from server.queries.recurring import Series
from server.text.dates import day, hours, zone
from server.text.translate import N_, gettext

AUDIENCES = {
    "members": N_("les membres, quelle que soit leur formule"),
    "public": N_("tout le monde : la porte reste ouverte tant que l’équipe ou un gardien est là"),
}
WRONG = {
    "title": N_("Écrivez un titre d’une ligne, en 200 signes au plus."),
    "date": N_("Écrivez le jour ainsi : 31/12/2026. Il n’est pas passé ; une série commence d’ici un an."),
    "hours": N_("Écrivez une heure de début et une de fin, ainsi : 18 h – 22 h."),
    "until": N_("Écrivez le dernier jour ainsi : 31/12/2026, et pas avant le premier. Rien s’il n’y en a pas."),
    "repeat": N_("Choisissez dans la liste."),
    "interval": N_("Écrivez un nombre, de 1 à 99."),
    "weekdays": N_("Choisissez dans la liste."),
    "weeks": N_("Choisissez dans la liste."),
    "times": N_("Écrivez un nombre de fois, de 1 à 999, ou un dernier jour : pas les deux."),
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


def wrong(field: str) -> str:
    return gettext(WRONG[field])
