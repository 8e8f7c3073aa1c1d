"""How many doors go by what was just changed, in words; and does the edge of a machine?"""

from dataclasses import dataclass

from sqlmodel import Session

from policy.terms import SECOND, Instant
from server.queries.current import Current
from server.queries.now import last_words
from server.queries.people import confirmed
from server.text.translate import gettext, ngettext

LEARNS = 10 * SECOND
"""So long after they were made rules are on their way to the doors."""


@dataclass(frozen=True, slots=True)
class Doors:
    """waiting: whether one of them has not said yet that it knows."""

    words: str
    waiting: bool


def doors(session: Session, current: Current, version: str, at: Instant | None = None) -> Doors | None:
    """version: of the rules, as an address says it; None where it is none.

    at: now, on a page where a door that does not know yet is no news within LEARNS.
    """
    if not version.isdecimal() or len(version) > 10:
        return None
    known = confirmed(session, current, int(version))
    waiting = ", ".join(current.called.place(place) for place in known.waiting)
    if waiting and at is not None and int(version) == current.version and at - current.at < LEARNS:
        learning = ngettext("La porte l’apprend", "Les portes l’apprennent", len(known.waiting))
        return Doors(learning, waiting=True)
    words = ngettext(
        "%(num)s porte sur %(doors)s le sait", "%(num)s portes sur %(doors)s le savent", known.doors, doors=known.of
    )
    if waiting:
        words = gettext("%(doors)s ; pas encore : %(waiting)s", doors=words, waiting=waiting)
    return Doors(words, bool(waiting))


def box(session: Session, machine: str, version: str) -> Doors | None:
    """The same of the one edge that has the machine."""
    if not version.isdecimal() or len(version) > 10:
        return None
    edge, _ = last_words(session).get(machine, (None, 0))
    if edge is None:
        return Doors(gettext("Aucun boîtier ne s’occupe d’elle"), waiting=False)
    if (edge.rules_version or 0) >= int(version):
        return Doors(gettext("Son boîtier le sait"), waiting=False)
    return Doors(gettext("Son boîtier ne le sait pas encore"), waiting=True)
