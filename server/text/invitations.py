"""How is it said who is expected, and when?"""

from datetime import date

from policy.bundle import Invitation
from policy.calendar import resolve
from server.queries.people import Concern, Worry
from server.text import people
from server.text.dates import calendar_day, day, hour, hours, local, zone
from server.text.translate import N_, gettext

WRONG = {
    "date": N_("Écrivez le jour ainsi : 31/12/2026."),
    "hours": N_("Écrivez une heure de début et une de fin, ainsi : 9 h – 18 h."),
    "until": N_("Écrivez le dernier jour ainsi : 31/12/2026. La fin n’est ni passée, ni avant le début."),
    "access_points": N_("Cette porte n’existe plus. Choisissez dans la liste."),
}
DONE = {"invited": N_("Invitation enregistrée."), "withdrawn": N_("Invitation retirée.")}


def when(one: Invitation) -> str:
    """sam. 28 nov., 9 h – 18 h; over several days du ven. 27 nov. à 18 h au dim. 29 nov. à 20 h."""
    start, end = resolve(one.start, zone()), resolve(one.end, zone(), last=True)
    if local(start).date() == local(end).date():
        return f"{day(start)}, {hours(start, end)}"
    return gettext(
        "du %(first)s à %(start)s au %(last)s à %(end)s",
        first=day(start),
        start=hour(start),
        last=day(end),
        end=hour(end),
    )


def stays_out(concern: Concern, today: date) -> str:
    """Why somebody will not get in: what is so today as it is, what will be so then by the day on which it ends."""
    end = concern.day
    if end is None or end < today:
        return people.said(concern).whole
    if concern.what is Worry.BADGE_BLOCKED and concern.status == "active":
        return gettext("badge valable jusqu’au %(day)s seulement", day=calendar_day(end))
    if concern.what is Worry.OVER:
        return gettext("adhésion jusqu’au %(day)s seulement", day=calendar_day(end))
    return people.said(concern).whole


def wrong(field: str) -> str:
    return gettext(WRONG[field]) if field in WRONG else people.wrong(field)
