"""How is it said what a change would have done? One sentence with its figures, then who, and when."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from policy.terms import Instant
from server.queries.effect import Effect, Met
from server.queries.names import Called
from server.text.dates import day, hour
from server.text.translate import gettext, ngettext

MOST_PEOPLE, MOST_TIMES = 12, 3
"""Who is named, and how many passages of each; of the rest how many there are."""


@dataclass(frozen=True, slots=True)
class Group:
    """People whom the change would have refused, or let in. colour: of their mark."""

    mark: str
    colour: str
    people: tuple[str, ...]
    more: str


@dataclass(frozen=True, slots=True)
class Told:
    """sentence: the answer. note: how it was found, where that is not plain."""

    sentence: str
    groups: tuple[Group, ...]
    note: str


def told(effect: Effect, called: Called) -> Told:
    groups = []
    if effect.refused:
        groups.append(_group(gettext("refusés"), "bad", effect.refused, called))
    if effect.let_in:
        groups.append(_group(gettext("admis"), "good", effect.let_in, called))
    note = gettext("Les jours à venir sont essayés sur les mêmes jours de la semaine.") if effect.projected else ""
    return Told(_sentence(effect), tuple(groups), note)


def _sentence(effect: Effect) -> str:
    weeks = ngettext("de la dernière semaine", "des %(num)s dernières semaines", effect.weeks)
    if not effect.passages:
        return gettext("Aucun passage %(weeks)s : rien à comparer.", weeks=weeks)
    base = ngettext("Sur %(num)s passage %(weeks)s", "Sur %(num)s passages %(weeks)s", effect.passages, weeks=weeks)
    parts = []
    if refused := len(effect.refused):
        parts.append(ngettext("%(num)s aurait été refusé", "%(num)s auraient été refusés", refused))
    if let_in := len(effect.let_in):
        parts.append(ngettext("%(num)s aurait été admis", "%(num)s auraient été admis", let_in))
    if not parts:
        return gettext("%(base)s, aucun n’aurait fini autrement.", base=base)
    return gettext("%(base)s, %(what)s.", base=base, what=gettext(" et ").join(parts))


def _group(mark: str, colour: str, met: Sequence[Met], called: Called) -> Group:
    times: defaultdict[str, list[Instant]] = defaultdict(list)
    for one in met:
        times[one.member].append(one.at)
    people = [_person(called.member(who) or who, when) for who, when in times.items()]
    left = len(people) - MOST_PEOPLE
    more = ngettext("et %(num)s autre", "et %(num)s autres", left) if left > 0 else ""
    return Group(mark, colour, tuple(people[:MOST_PEOPLE]), more)


def _person(name: str, times: Sequence[Instant]) -> str:
    """Zoé M. (jeu. 12 nov., 19 h 10)."""
    shown = [f"{day(at)}, {hour(at)}" for at in times[:MOST_TIMES]]
    left = len(times) - MOST_TIMES
    if left > 0:
        shown.append(ngettext("et %(num)s autre", "et %(num)s autres", left))
    return f"{name} ({' ; '.join(shown)})"
