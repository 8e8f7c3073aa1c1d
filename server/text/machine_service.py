"""How is it said when a machine wants its maintenance, and how long it ran?"""

from dataclasses import dataclass

from server.queries.machine_service import Service
from server.text.bank import plain
from server.text.dates import calendar_day, day
from server.text.translate import gettext, ngettext


@dataclass(frozen=True, slots=True)
class Said:
    """mark: when it is due; sentence: the same; colour: amber when it is. ground: what that goes by."""

    machine: str
    colour: str
    mark: str
    sentence: str
    ground: str


def said(one: Service) -> Said:
    return Said(one.sheet.machine, "warn" if one.overdue else "none", due(one), sentence(one), ground(one))


def due(one: Service) -> str:
    """dans 12 h de marche; dû depuis le 3 nov.; empty where nothing is planned."""
    told = []
    if one.left is not None:
        hours = plain(abs(one.left) // 60)
        told.append(
            gettext("dans %(hours)s de marche", hours=hours)
            if one.left > 0
            else gettext("dû depuis %(hours)s de marche", hours=hours)
        )
    if one.due is not None:
        date = calendar_day(one.due)
        told.append(
            gettext("dû depuis le %(day)s", day=date) if one.due < one.today else gettext("le %(day)s", day=date)
        )
    if not told and one.planned:
        return gettext("le premier est à noter")
    return gettext(" ou ").join(told)


def sentence(one: Service) -> str:
    """Prochain entretien dans 12 h de marche. Entretien dû depuis le 3 nov."""
    if one.overdue:
        return gettext("Entretien %(due)s.", due=due(one))
    return gettext("Prochain entretien %(due)s.", due=due(one)) if one.left is not None or one.due is not None else ""


def ground(one: Service) -> str:
    """38 h depuis le dernier, tous les 50 h ; 240 h en tout."""
    sheet, every = one.sheet, []
    if sheet.service_hours is not None:
        every.append(ngettext("chaque heure", "toutes les %(num)s h", sheet.service_hours))
    if sheet.service_days is not None:
        every.append(ngettext("chaque jour", "tous les %(num)s jours", sheet.service_days))
    since = plain(one.ran.since // 60)
    parts = [gettext("%(hours)s depuis le dernier", hours=since) if sheet.serviced is not None else ""]
    parts += [gettext(" ou ").join(every), gettext("%(hours)s en tout", hours=plain(one.ran.whole // 60))]
    return ", ".join(part for part in parts if part)


def last(one: Service) -> str:
    """Le dernier : mar. 24 nov., Fabien R. : courroie changée."""
    sheet = one.sheet
    if sheet.serviced is None:
        return ""
    who = ", ".join(part for part in (day(sheet.serviced), sheet.serviced_by) if part)
    return gettext("Le dernier : %(who)s : %(note)s", who=who, note=sheet.service_note)
