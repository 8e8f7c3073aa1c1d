"""How many doors go by what was just changed, in words?"""

from dataclasses import dataclass

from sqlmodel import Session

from server.queries.current import Current
from server.queries.people import confirmed
from server.text.translate import gettext, ngettext


@dataclass(frozen=True, slots=True)
class Doors:
    """waiting: whether one of them has not said yet that it knows."""

    words: str
    waiting: bool


def doors(session: Session, current: Current, version: str) -> Doors | None:
    """version: of the rules, as an address says it; None where it is none."""
    if not version.isdecimal() or len(version) > 10:
        return None
    known = confirmed(session, current, int(version))
    waiting = ", ".join(current.called.place(place) for place in known.waiting)
    words = ngettext(
        "%(num)s porte sur %(doors)s le sait", "%(num)s portes sur %(doors)s le savent", known.doors, doors=known.of
    )
    if waiting:
        words = gettext("%(doors)s ; pas encore : %(waiting)s", doors=words, waiting=waiting)
    return Doors(words, bool(waiting))
