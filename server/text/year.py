"""How are the figures of a year said? Each with its ground or last year's; what is not known is said, and not 0."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from babel.dates import format_date
from babel.numbers import format_decimal

from server.queries.counts import What
from server.queries.names import Called
from server.queries.now import few
from server.queries.past_days import Part
from server.queries.year import Month, Year
from server.text.bank import month as month_named
from server.text.chart import Bar, bars
from server.text.dates import NBSP
from server.text.sheets import Cell, Sheet
from server.text.translate import gettext, language

UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Figure:
    """big: the number. small: beside it. label: of what. ground: what else is to be known of it."""

    big: str
    label: str
    small: str = ""
    ground: str = ""


class Line(NamedTuple):
    """A row of a table: what, and its figures in words."""

    name: str
    figures: tuple[str, ...]


def number(many: int | None) -> str:
    """11 414; a dash where it is not known."""
    return UNKNOWN if many is None else format_decimal(many, locale=language())


def told(people: int | None) -> str:
    """The same of people: too few are not counted."""
    return number(people) if not people or few(people) is not None else gettext("moins de 3")


def hours(minutes: int | None) -> str:
    """742 h"""
    return UNKNOWN if minutes is None else gettext("%(hours)s h", hours=number(round(minutes / 60))).replace(" ", NBSP)


def day(one: date) -> str:
    """1er sept. 2025"""
    written = format_date(one, "d'er' MMM y" if one.day == 1 and language() == "fr" else "d MMM y", locale=language())
    return written.replace(" ", NBSP)


def named(first: date) -> str:
    """2025-2026, or 2026 where the year begins in January."""
    return str(first.year) if first.month == 1 else f"{first.year}-{first.year + 1}"


def since(first: date) -> str:
    """depuis sept., of the year that goes on."""
    return gettext("depuis %(month)s", month=_short(first))


def _short(first: date) -> str:
    """sept."""
    return format_date(first, "LLL", locale=language())


def starts() -> list[tuple[int, str]]:
    """The months in which a year may begin: 9, septembre."""
    return [(number_, format_date(date(2026, number_, 1), "LLLL", locale=language())) for number_ in range(1, 13)]


def figures(found: Year, past: Year | None) -> list[Figure]:
    """past: the year before, None where that is not known whole."""
    return [
        Figure(told(found.visits), gettext("visites de membres"), ground=_before(past, lambda one: told(one.visits))),
        Figure(told(found.members), gettext("membres le %(day)s", day=day(found.last)), ground=_people(found.people)),
        _seats(found),
        Figure(
            hours(found.of(What.STAFFED)),
            gettext("d’ouverture par l’équipe"),
            ground=_before(past, lambda one: hours(one.of(What.STAFFED))),
        ),
        Figure(
            hours(found.of(What.HELD)),
            gettext("tenues par les gardiens"),
            ground=gettext("%(hours)s de coworking rendues", hours=hours(found.returned))
            if found.returned
            else _before(past, lambda one: hours(one.of(What.HELD))),
        ),
        _evenings(found, past),
        Figure(
            told(found.of(What.IN_VAIN)),
            gettext("personnes venues pour rien"),
            ground=gettext("porte close : une personne, un jour"),
        ),
        Figure(
            hours(_machines(found)), gettext("de machines"), ground=_before(past, lambda one: hours(_machines(one)))
        ),
        Figure(
            told(sum(found.guests.values())),
            gettext("journées d’invités"),
            ground=_visitors(found.of(What.VISITORS)),
        ),
    ]


def _before(past: Year | None, said: object) -> str:
    if past is None:
        return ""
    return gettext("%(count)s l’année d’avant", count=said(past))  # type: ignore[operator]


def _people(people: int | None) -> str:
    if people is None:
        return gettext("personnes différentes par mois : pas connu")
    return gettext("%(count)s personnes différentes par mois en moyenne", count=told(people))


def _seats(found: Year) -> Figure:
    taken = {part: found.seats(part) for part in Part}
    if taken[Part.AFTERNOON] is None:
        return Figure(UNKNOWN, gettext("places prises les après-midi"), ground=gettext("pas connu"))
    ground = gettext(
        "%(morning)s le matin, %(evening)s le soir", morning=taken[Part.MORNING], evening=taken[Part.EVENING]
    )
    return Figure(number(taken[Part.AFTERNOON]), gettext("places prises les après-midi"), gettext("sur 100"), ground)


def _evenings(found: Year, past: Year | None) -> Figure:
    held, left, gaps = (found.of(one) for one in (What.EVENING_HELD, What.EVENING_LEFT, What.EVENING_GAP))
    if held is None or left is None or gaps is None:
        return Figure(UNKNOWN, gettext("soirées tenues"))
    grounds = [gettext("%(count)s sans gardien", count=number(gaps))]
    if left:
        grounds.append(gettext("%(count)s où personne n’est venu tenir", count=number(left)))
    grounds += [said] if (said := _before(past, lambda one: number(one.of(What.EVENING_HELD)))) else []
    small = gettext("sur %(count)s", count=number(held + left + gaps))
    return Figure(number(held), gettext("soirées tenues"), small, ", ".join(grounds))


def _machines(found: Year) -> int | None:
    """In minutes."""
    return None if found.since is None else sum(found.machines.values()) // 60


def _visitors(people: int | None) -> str:
    return "" if not people else gettext("et %(count)s visiteurs sans badge", count=told(people))


def chart(found: Year) -> list[Bar]:
    return bars([one.visits for one in found.months], [_short(one.first) for one in found.months], each=True)


def visits(one: Month, today: date) -> str:
    """In a cell of the table."""
    if one.first > today:
        return ""
    return gettext("moins de 3") if one.too_few else number(one.visits) if one.numbers else gettext("pas compté")


def tiers(found: Year, called: Called) -> list[Line]:
    lines = [
        Line(called.tier(tier) if tier else gettext("les autres"), (told(one.visits), told(one.people)))
        for tier, one in found.tiers.items()
    ]
    return lines + [Line(name, (told(days), UNKNOWN)) for name, days in found.guests.items()]


def happened(found: Year, called: Called) -> list[Line]:
    """Events, then machines by their hours; those that too few people used together. Where none is named, nothing is
    said to be the rest."""
    rest = gettext("les autres événements") if any(found.events) else gettext("tous les événements")
    events = [Line(title or rest, (number(times),)) for title, times in found.events.items()]
    unnamed = gettext("les autres machines") if any(found.machines) else gettext("toutes les machines")
    ran = found.machines.items()
    return events + [Line(called.place(one) if one else unnamed, (hours(seconds // 60),)) for one, seconds in ran]


def notes(found: Year) -> list[str]:
    """What has to be known to read the figures."""
    said = []
    if found.since is None:
        said.append(gettext("Rien n’est compté de cette année : ce qui n’est pas connu n’est pas montré comme zéro."))
    elif not found.whole:
        said.append(gettext("Compté depuis le %(day)s : ce qui était avant n’est pas connu.", day=day(found.since)))
    said.append(gettext("Une visite : une personne qui entre, une fois par demi-journée."))
    said.append(gettext("Les places prises : le plus de monde à la fois, en moyenne des jours où quelqu’un est venu."))
    said.append(
        gettext(
            "Un mois de moins de 3 personnes n’est pas dans les sommes ; une formule si petite est avec les autres."
        )
    )
    said.append(gettext("Les noms s’effacent ; il ne reste que des nombres."))
    return said


COLUMNS = (What.STAFFED, What.HELD, What.EVENING_HELD, What.EVENING_LEFT, What.EVENING_GAP)


def by_month(found: Year, past: Year | None) -> Sheet:
    """A row for each month that has begun, then the year, and the one before."""
    headings = [
        gettext("Mois"),
        gettext("Visites de membres"),
        gettext("Personnes différentes"),
        gettext("Heures de l’équipe"),
        gettext("Heures des gardiens"),
        gettext("Soirées tenues"),
        gettext("Soirées où personne n’est venu tenir"),
        gettext("Soirées sans gardien"),
        gettext("Heures de machines"),
        gettext("Venues pour rien"),
        gettext("Journées d’invités"),
    ]
    rows: list[Sequence[Cell]] = [_row(one) for one in found.months if one.first <= found.last]
    rows.append(_sum(gettext("Ensemble"), found))
    if past is not None:
        rows.append(_sum(named(past.first), past))
    return Sheet(gettext("Mois par mois"), headings, rows)


def _row(one: Month) -> list[Cell]:
    name: Cell = month_named(one.first)
    if one.numbers is None:
        return [name, *[gettext("pas compté")] * 8, "", ""]
    counted = [one.numbers[what, ""] for what in COLUMNS]
    ran = sum(count for (what, _), count in one.numbers.items() if what is What.MACHINE)
    people = gettext("pas connu") if one.people is None else _cell(one.people)
    return [
        name,
        gettext("moins de 3") if one.too_few else one.visits,
        people,
        *_hours(counted),
        round(ran / 3600),
        "",
        "",
    ]


def _sum(name: str, found: Year) -> list[Cell]:
    counted = [found.of(what) for what in COLUMNS]
    people = gettext("pas connu") if found.people is None else _cell(found.people)
    ran = _machines(found)
    rest = [None if ran is None else round(ran / 60), _cell(found.of(What.IN_VAIN)), _cell(sum(found.guests.values()))]
    return [name, _cell(found.visits), people, *_hours(counted), *rest]


def _hours(counted: Sequence[int | None]) -> list[Cell]:
    """The first two are minutes."""
    return [None if one is None else round(one / 60) if number_ < 2 else one for number_, one in enumerate(counted)]


def _cell(people: int | None) -> Cell:
    return people if not people or few(people) is not None else gettext("moins de 3")


def sheets(found: Year, past: Year | None, called: Called) -> list[Sheet]:
    """All of it, for a spreadsheet."""
    headings = [gettext("Chiffre"), gettext("Nombre"), gettext("Fond")]
    told_ = [[one.label, f"{one.big} {one.small}".strip(), one.ground] for one in figures(found, past)]
    who = Sheet(
        gettext("Qui vient"),
        [gettext("Formule"), gettext("Visites"), gettext("Personnes par mois")],
        [[line.name, *line.figures] for line in tiers(found, called)],
    )
    what = Sheet(
        gettext("Ce qui s’y passe"),
        [gettext("Quoi"), gettext("Combien")],
        [[line.name, *line.figures] for line in happened(found, called)],
    )
    notes_ = Sheet(gettext("À savoir"), [gettext("À savoir")], [[one] for one in notes(found)])
    return [Sheet(gettext("Chiffres"), headings, told_), by_month(found, past), who, what, notes_]
