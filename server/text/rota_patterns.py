"""How is an evening of each week said, and what is wrong in its form?"""

from datetime import date

from msgspec.structs import replace

from policy.bundle import Pattern
from policy.rota import WEEK, first_turn
from server.text.dates import calendar_day, short_day
from server.text.hours import spans, weekday
from server.text.translate import N_, gettext

WRONG = {
    "hours": N_("Écrivez les heures ainsi : 18 h – 22 h."),
    "long": N_("Une garde dure 12 heures au plus. D’abord le début, puis la fin : 18 h – 22 h."),
    "twice": N_("Cette soirée est déjà au planning, aux mêmes heures : modifiez celle-là."),
    "every": N_("Écrivez un nombre de semaines, de 1 à 52."),
    "since": N_("Écrivez le premier jour ainsi : 31/12/2026. Il n’est pas passé : ce qui a eu lieu ne change pas."),
    "until": N_("Écrivez le dernier jour ainsi : 31/12/2026. Il ne vient pas avant le premier."),
    "last": N_("Écrivez le dernier jour ainsi : 31/12/2026. Il n’est pas avant hier."),
    "gardien": N_("Cette personne aurait deux gardes en même temps, ou n’est pas gardien."),
}


MOST_WEEKS = 8
"""Of an evening that comes more rarely, so many of the weeks in which it might be are offered."""


def said(one: Pattern) -> str:
    """mardi 18 h – 22 h, toutes les 2 semaines, du 3 janv. au 30 juin."""
    parts = [f"{weekday(one.weekday).lower()} {spans(((one.start, one.end),))}"]
    if one.every > 1:
        parts.append(gettext("toutes les %(weeks)s semaines", weeks=one.every))
    if one.since is not None:
        parts.append(gettext("depuis le %(day)s", day=calendar_day(one.since)))
    if one.until is not None:
        parts.append(gettext("jusqu’au %(day)s", day=calendar_day(one.until)))
    if one.holidays:
        parts.append(gettext("jours fériés aussi"))
    return ", ".join(parts)


def weeks(one: Pattern, day: date) -> list[tuple[str, str]]:
    """The weeks in which it might be instead, from that day on, its own first; none where it is in each week."""
    if one.every == 1 or one.since is None:
        return []
    first = one.since
    coming = [first_turn(replace(one, since=first + later * WEEK), day) for later in range(one.every)]
    return [(str(later), _weeks(turn, one.every, own=not later)) for later, turn in enumerate(coming[:MOST_WEEKS])]


def _weeks(turn: date, every: int, *, own: bool) -> str:
    days = {"first": short_day(turn), "next": short_day(turn + every * WEEK)}
    if own:
        return gettext("les mêmes : le %(first)s, puis le %(next)s", **days)
    return gettext("d’autres : le %(first)s, puis le %(next)s", **days)
