"""How are hours of a day written and read? "9 h – 12 h 30, 14 h – 18 h", and in any way people type that."""

import re
from datetime import date, time

from babel.dates import get_day_names

from policy.bundle import Closure, HourRange, Opening, Week, Weekday
from policy.calendar import WEEKDAYS
from server.text.dates import JOINER, NBSP, calendar_day, clock
from server.text.translate import N_, gettext, language

LONGEST_WHY = 200
"""Characters of why it is closed."""
SHUT = ("", "-", "–", "fermé", "ferme", "closed")
WRONG = {
    "hours": N_("Écrivez les heures ainsi : 9 h – 12 h 30, 14 h – 18 h."),
    "date": N_("Écrivez le jour ainsi : 31/12/2026. Il n’est pas passé, et n’a pas encore d’ouverture exceptionnelle."),
    "first": N_("Écrivez le premier jour ainsi : 24/12/2026. La même fermeture ne s’écrit qu’une fois."),
    "last": N_("Écrivez le dernier jour ainsi : 31/12/2026. Il n’est ni passé, ni avant le premier."),
    "why": N_("Écrivez la raison sur une ligne, en 200 signes au plus."),
}
"""What is wrong in a field, and what to write in it. A weekday's is that of `hours`."""
DONE = {
    "week": N_("Horaires modifiés."),
    "closure": N_("Fermeture enregistrée."),
    "reopened": N_("Fermeture levée."),
    "opening": N_("Ouverture exceptionnelle enregistrée."),
    "withdrawn": N_("Ouverture exceptionnelle retirée."),
}
_HOUR = r"(\d{1,2})\s*(?:h|:|\.)?\s*([0-5]\d)?"
_ONE = re.compile(_HOUR, re.IGNORECASE)
_RANGE = re.compile(rf"(?:de\s+|from\s+)?{_HOUR}\s*(?:-|–|—|à|to|/)\s*{_HOUR}", re.IGNORECASE)
_BETWEEN = re.compile(r"[,;+&]|\bet\b|\band\b")


def spans(ranges: tuple[HourRange, ...]) -> str:
    """9 h – 12 h 30, 14 h – 18 h; nothing for no hours."""
    return ", ".join(f"{clock(start)}{NBSP}–{JOINER}{NBSP}{clock(end)}" for start, end in ranges)


def said(ranges: tuple[HourRange, ...]) -> str:
    """The same, where there may be none."""
    return spans(ranges) or gettext("fermé")


def read_spans(written: str) -> tuple[HourRange, ...]:
    """The hours of a day, as people type them, the earlier first. Raises ValueError for what are none."""
    plain = written.replace(JOINER, "").strip()
    if plain.casefold() in SHUT:
        return ()
    return tuple(sorted(_range(part.strip()) for part in _BETWEEN.split(plain)))


def read_hour(written: str) -> time:
    """One hour of a day, as people type it or browsers send it: 18:30, 18 h 30, 18h. Raises ValueError for none."""
    found = _ONE.fullmatch(written.strip())
    if found is None:
        raise ValueError(f"{written!r} is no hour: write it as 18:30")
    return time.fromisoformat(_hour(found[1], found[2]))


def _range(written: str) -> HourRange:
    found = _RANGE.fullmatch(written)
    if found is None:
        raise ValueError(f"{written!r} is not from one hour to another: write it as 9 h – 18 h")
    start, end = _hour(found[1], found[2]), _hour(found[3], found[4])
    if start == "24:00" or start == end:
        raise ValueError(f"{written!r} does not end after it begins: write it as 9 h – 18 h")
    return start, end


def _hour(hours: str, minutes: str | None) -> str:
    if int(hours) > 24 or (int(hours) == 24 and int(minutes or 0)):
        raise ValueError(f"{hours} h: a day has 24 hours")
    return f"{int(hours):02}:{minutes or '00'}"


def weekday(day: Weekday) -> str:
    return str(get_day_names(locale=language())[WEEKDAYS.index(day)])


def weekday_of(day: date) -> str:
    return weekday(WEEKDAYS[day.weekday()])


def changed(before: Week, after: Week) -> list[str]:
    """lundi : 9 h – 18 h → 10 h – 17 h, of each day that is another."""
    return [
        gettext("%(field)s : %(before)s → %(after)s", field=weekday(day), before=said(one), after=said(other))
        for day in WEEKDAYS
        if (one := before.get(day, ())) != (other := after.get(day, ()))
    ]


def between(first: date, last: date) -> str:
    """Le jeu. 24 déc.; du jeu. 24 déc. au ven. 1er janv. 2027."""
    if first == last:
        return gettext("le %(day)s", day=calendar_day(first))
    return gettext("du %(first)s au %(last)s", first=calendar_day(first), last=calendar_day(last))


def closure(one: Closure) -> str:
    days = between(one.first, one.last)
    return gettext("%(days)s (%(why)s)", days=days, why=one.why) if one.why else days


def opening(one: Opening) -> str:
    return gettext("le %(day)s : %(hours)s", day=calendar_day(one.date), hours=said(one.hours))


def wrong(field: str) -> str:
    return gettext(WRONG.get(field, WRONG["hours"]))
