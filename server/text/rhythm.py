"""How is it said how often something recurs, and what of a rule (RFC 5545) cannot be kept?"""

from collections.abc import Sequence
from datetime import date

from babel.lists import format_list

from policy.calendar import WEEKDAYS, moment
from server.queries.recurring import Series
from server.queries.rhythm import Repeat, Rhythm, RuleRefused, read_rule
from server.text.dates import calendar_day, short_day
from server.text.hours import weekday
from server.text.translate import N_, gettext, language, ngettext

REPEATS = {
    Repeat.NEVER: N_("une seule fois"),
    Repeat.DAILY: N_("tous les jours"),
    Repeat.WEEKLY: N_("chaque semaine, certains jours"),
    Repeat.MONTHLY_WEEKDAY: N_("chaque mois, certains jours de la semaine"),
    Repeat.MONTHLY_DATE: N_("chaque mois, à la même date"),
    Repeat.YEARLY: N_("chaque année"),
}
NTH = {1: N_("premier"), 2: N_("deuxième"), 3: N_("troisième"), 4: N_("quatrième"), -1: N_("dernier")}
INSTEAD = {
    "": N_(
        "%(part)s : Loquet ne sait pas suivre cette partie de la règle. Ôtez-la ; une règle qu’il suit : "
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=10."
    ),
    "BYSETPOS": N_("%(part)s : écrivez plutôt lequel du mois devant le jour, ainsi : FREQ=MONTHLY;BYDAY=2TU."),
    "FREQ": N_("%(part)s : écrivez FREQ=DAILY, FREQ=WEEKLY, FREQ=MONTHLY ou FREQ=YEARLY."),
    "INTERVAL": N_("%(part)s : écrivez un nombre de 1 à 99, ainsi : INTERVAL=2."),
    "COUNT": N_("%(part)s : écrivez un nombre de fois, de 1 à 999, ainsi : COUNT=10."),
    "UNTIL": N_("%(part)s : écrivez un dernier jour qui n’est pas avant le premier, ainsi : UNTIL=20261231."),
    "UNTIL COUNT": N_("%(part)s : gardez le dernier jour (UNTIL) ou le nombre de fois (COUNT), pas les deux."),
    "WKST": N_("%(part)s : les semaines commencent le lundi. Écrivez WKST=MO, et voyez les dates avant d’enregistrer."),
    "BYMONTHDAY": N_("%(part)s : écrivez ce jour du mois comme premier jour, avec FREQ=MONTHLY ou FREQ=YEARLY seul."),
    "BYMONTH": N_("%(part)s : écrivez un premier jour de ce mois, avec FREQ=YEARLY seul."),
    "BYDAY daily": N_("%(part)s : écrivez FREQ=WEEKLY pour ces jours, ainsi : FREQ=WEEKLY;BYDAY=MO,TU."),
    "BYDAY weekly": N_("%(part)s : écrivez les jours de la semaine sans nombre, ainsi : BYDAY=TU,TH."),
    "BYDAY monthly_weekday": N_(
        "%(part)s : écrivez lequel du mois, de 1 à 4 ou -1 pour le dernier, le même pour chaque jour : BYDAY=2TU,2TH."
    ),
    "BYDAY yearly": N_(
        "%(part)s : écrivez FREQ=MONTHLY;INTERVAL=12 pour ce jour, ainsi : FREQ=MONTHLY;INTERVAL=12;BYDAY=2TU."
    ),
}
"""What to write for each part that cannot be kept."""
SHOWN = 8
"""Dates of what is to come."""


def refused(why: RuleRefused) -> str:
    return gettext(INSTEAD[why.name], part=why.part)


def recurs(series: Series) -> str:
    """Chaque jeudi; le premier jeudi du mois; with its end where there is one."""
    start = moment(series.start)
    rhythm = read_rule(series.rule, start)
    words = _recurs(rhythm, start.date())
    if rhythm.count is not None:
        return ngettext("%(often)s, %(num)s fois", "%(often)s, %(num)s fois", rhythm.count, often=words)
    if rhythm.until is not None:
        return gettext("%(often)s, jusqu’au %(day)s", often=words, day=calendar_day(rhythm.until))
    return words


def coming(days: Sequence[date]) -> str:
    """Prochaines fois : mar. 1er déc., jeu. 3 déc., et 98 autres d’ici un an."""
    said = gettext("Prochaines fois : %(days)s", days=", ".join(calendar_day(day) for day in days[:SHOWN]))
    if (more := len(days) - SHOWN) <= 0:
        return said
    return ngettext(
        "%(said)s, et %(num)s autre d’ici un an", "%(said)s, et %(num)s autres d’ici un an", more, said=said
    )


def names() -> list[str]:
    """Of the weekdays, Monday first."""
    return [weekday(day) for day in WEEKDAYS]


def _recurs(rhythm: Rhythm, first: date) -> str:
    often = rhythm.interval
    match rhythm.repeat:
        case Repeat.DAILY:
            return ngettext("chaque jour", "tous les %(num)s jours", often)
        case Repeat.WEEKLY:
            return _weekly(often, [names()[day] for day in rhythm.weekdays])
        case Repeat.MONTHLY_WEEKDAY:
            which = [
                gettext("le %(nth)s %(weekday)s", nth=gettext(NTH[week]), weekday=names()[day])
                for week in rhythm.weeks
                for day in rhythm.weekdays
            ]
            if often > 1:
                return gettext("%(which)s du mois, tous les %(often)s mois", which=_listed(which), often=often)
            return gettext("%(which)s du mois", which=_listed(which))
        case Repeat.MONTHLY_DATE:
            if often > 1:
                return gettext("le %(day)s, tous les %(often)s mois", day=first.day, often=often)
            return gettext("le %(day)s de chaque mois", day=first.day)
    if often > 1:
        return gettext("tous les %(often)s ans, le %(day)s", often=often, day=short_day(first))
    return gettext("chaque année, le %(day)s", day=short_day(first))


def _weekly(often: int, weekdays: list[str]) -> str:
    if often == 1:
        return gettext("chaque %(weekday)s", weekday=_listed(weekdays))
    if often == 2 and len(weekdays) == 1:
        return gettext("un %(weekday)s sur deux", weekday=weekdays[0])
    return gettext("toutes les %(often)s semaines, %(weekday)s", often=often, weekday=_listed(weekdays))


def _listed(words: list[str]) -> str:
    """Lundi, mardi et jeudi."""
    return format_list(words, locale=language())
