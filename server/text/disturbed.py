"""How is it said what is planned for hours that a change takes away? A list for each sort, by date."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.queries.disturbed import Disturbed
from server.queries.names import Called
from server.queries.rota import Turn
from server.text.dates import day, hours
from server.text.rota import within
from server.text.translate import gettext, ngettext

MOST = 20
"""Lines of each sort; of the rest how many there are."""


@dataclass(frozen=True, slots=True)
class Sort:
    """title: of the list, with how many they are. colour: of its mark. more: of those that have no line."""

    title: str
    colour: str
    lines: tuple[str, ...]
    more: str


def disturbed(found: Disturbed, called: Called) -> list[Sort]:
    """Those of which there are any; the gravest first."""
    fallen = [_turn(one, called) for one in found.fallen]
    bookings = [
        f"{day(one.start)}, {hours(one.start, one.end)} : {called.place(one.machine)}, "
        f"{called.member(one.member) or one.member}"
        for one in found.bookings
    ]
    events = [f"{day(start)}, {hours(start, end)} : {one.title}" for start, end, one in found.events]
    kept = [_turn(one, called) for one in found.kept]
    sorts = [
        _sort(
            ngettext("%(num)s garde n’aura pas lieu", "%(num)s gardes n’auront pas lieu", len(fallen)), "bad", fallen
        ),
        _sort(ngettext("%(num)s réservation reste", "%(num)s réservations restent", len(bookings)), "warn", bookings),
        _sort(ngettext("%(num)s événement reste", "%(num)s événements restent", len(events)), "warn", events),
        _sort(ngettext("%(num)s garde reste", "%(num)s gardes restent", len(kept)), "warn", kept),
    ]
    return [one for one in sorts if one.lines]


def _turn(turn: Turn, called: Called) -> str:
    who = called.member(turn.gardien) or gettext("sans gardien")
    return f"{within(turn)} : {who}"


def _sort(title: str, colour: str, lines: Sequence[str]) -> Sort:
    left = len(lines) - MOST
    more = ngettext("et %(num)s autre", "et %(num)s autres", left) if left > 0 else ""
    return Sort(title, colour, tuple(lines[:MOST]), more)
