"""What is free now in the fablab, in one sentence; and when the next machine will be, where none is."""

from dataclasses import dataclass

from policy.terms import Instant
from server.queries.current import Current
from server.queries.machines import State, View
from server.text.dates import when
from server.text.translate import gettext, ngettext


@dataclass(frozen=True, slots=True)
class Headline:
    headline: str
    lines: tuple[str, ...]


def headline(seen: list[View], current: Current, at: Instant, *, place_open: bool) -> Headline:
    """What is free now, or when the next one will be."""
    if not seen:
        return Headline(gettext("Aucune machine"), (gettext("Le lieu n’en a pas dans ses règles."),))
    if any(view.state is State.LOCKDOWN for view in seen):
        return Headline(gettext("Aucune machine libre"), (gettext("Lieu confiné"), gettext("Contactez l’équipe.")))
    free = [view for view in seen if view.state is State.FREE]
    lines = [_listed(free, current, at) if free else _next_free(seen, current, at)]
    unknown = [current.called.place(view.machine.id) for view in seen if view.state is State.UNKNOWN]
    if unknown:
        lines.append(gettext("On ne sait pas pour : %(machines)s.", machines=", ".join(unknown)))
    if not place_open:
        lines.append(gettext("Le lieu est fermé."))
    said = gettext("Aucune machine libre")
    if free and not place_open:
        said = ngettext("%(num)s machine libre, lieu fermé", "%(num)s machines libres, lieu fermé", len(free))
    elif free:
        said = ngettext("%(num)s machine libre", "%(num)s machines libres", len(free))
    return Headline(said, tuple(line for line in lines if line))


def _listed(free: list[View], current: Current, at: Instant) -> str:
    said = []
    for view in free:
        name = current.called.place(view.machine.id)
        if view.free_until is not None:
            name = gettext("%(machine)s, jusqu’à %(until)s", machine=name, until=when(view.free_until, at))
        said.append(f"{name}.")
    return " ".join(said)


def _next_free(seen: list[View], current: Current, at: Instant) -> str:
    """The first end of a session or booking that is in sight."""
    ends = []
    for view in seen:
        end = view.use.until if view.use is not None else view.booking.end if view.booking is not None else None
        if view.state in (State.RUNNING, State.ENDING, State.BOOKED) and end is not None:
            ends.append((end, current.called.place(view.machine.id)))
    if not ends:
        return ""
    end, name = min(ends)
    return gettext("La première : %(machine)s, vers %(hour)s.", machine=name, hour=when(end, at))
