"""How is a member, a door or a reader named in a sentence? From the names that server/queries/names.py made."""

from policy.terms import Direction
from server.queries.history import Passage
from server.queries.names import Called
from server.text.translate import gettext, language


def who(called: Called, passage: Passage) -> str:
    """Whose badge it was."""
    if passage.member is None:
        return gettext("Badge inconnu")
    return called.member(passage.member) or gettext("Membre retiré")


def place_of(called: Called, reader: str) -> str:
    """The door or machine of a reader, where there is more than one."""
    known = called.readers.get(reader)
    return called.place(known.place) if known is not None and len(called.places) > 1 else ""


def reader_of(called: Called, reader: str) -> str:
    """The reader itself."""
    known = called.readers.get(reader)
    if known is None:
        return gettext("lecteur « %(reader)s »", reader=reader)
    if known.direction is None:
        return gettext("lecteur de la machine « %(machine)s »", machine=called.place(known.place))
    return gettext("lecteur d’entrée") if known.direction is Direction.IN else gettext("lecteur de sortie")


def reader_at(called: Called, reader: str) -> str:
    """The reader, with its door where the site has more than one."""
    place = place_of(called, reader)
    known = called.readers.get(reader)
    if not place or known is None or known.direction is None:
        return reader_of(called, reader)
    return gettext("%(reader)s, %(place)s", reader=reader_of(called, reader), place=place)


def the_door(name: str) -> str:
    """A door within a sentence: la porte d’entrée; la porte « Garage »."""
    if language() == "fr" and name.casefold().startswith("porte "):
        return f"la {name[:1].lower()}{name[1:]}"
    return gettext("la porte « %(name)s »", name=name)
