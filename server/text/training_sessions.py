"""How is a training session said: when, with whom, how many places, and what somebody can do about it?"""

from dataclasses import dataclass

from server.queries.names import Called
from server.queries.training_sessions import Planned
from server.text import people
from server.text.dates import day, hours
from server.text.translate import N_, gettext, ngettext

WRONG = {
    "date": N_("Écrivez le jour ainsi : 31/12/2026. La session n’a pas encore commencé."),
    "hours": N_("Écrivez une heure de début et une de fin, ainsi : 18 h – 20 h."),
    "places": N_("Écrivez combien de places, en chiffres, de 1 à 100."),
    "trainer": N_("Choisissez une personne de la liste, qui est encore membre."),
    "note": N_("Écrivez-le sur une ligne, en 200 signes au plus."),
}
MOVED_UP = (
    N_("Une place pour vous : %(kind)s, %(when)s"),
    N_(
        "Bonjour,\n\nUne place s’est libérée : vous êtes de la formation %(kind)s, %(when)s.\n\n"
        "Vous ne pouvez plus venir ? Retirez-vous, la place ira à la personne suivante :\n%(address)s\n"
    ),
)
CANCELLED = (
    N_("Annulé : %(kind)s, %(when)s"),
    N_(
        "Bonjour,\n\nLa formation %(kind)s, %(when)s, n’aura pas lieu : %(why)s.\n\n"
        "Les prochaines sessions :\n%(address)s\n"
    ),
)
CHANGED = (
    N_("Changé : %(kind)s, %(when)s"),
    N_(
        "Bonjour,\n\nLa formation %(kind)s a changé : %(when)s (c’était %(before)s).\n\n"
        "Vous ne pouvez pas venir ? Retirez-vous, la place ira à la personne suivante :\n%(address)s\n"
    ),
)
REMINDER = (
    N_("Votre formation %(kind)s finit le %(day)s"),
    N_("Bonjour,\n\nVotre formation %(kind)s vaut jusqu’au %(day)s compris. %(help)s\n"),
)
"""Of a message: its subject and its text."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A session as one member sees it. mark, colour: how they stand to it. press: what their one button says.

    joined: whether they are on the list.
    """

    id: str
    kind: str
    said: str
    note: str
    mark: str
    colour: str
    joined: bool
    press: str


def when(one: Planned) -> str:
    """jeu. 10 déc., 18 h – 20 h."""
    return f"{day(one.start)}, {hours(one.start, one.end)}"


def offer(one: Planned, called: Called, member: str) -> Offer:
    """member: who is asked; empty for an account that is nobody's."""
    said, rank = when(one), one.rank(member)
    if (trainer := called.member(one.trainer)) is not None:
        said = gettext("%(when)s, avec %(trainer)s", when=said, trainer=trainer)
    mark, colour = _places(one, rank)
    joined = rank is not None
    press = gettext("Je me retire") if joined else gettext("Je m’inscris")
    if rank:
        press = gettext("Ne plus attendre")
    if not joined and len(one.seats) >= one.places:
        press = gettext("Je m’inscris en attente")
    return Offer(one.id, called.kind(one.kind), said, one.note, mark, colour, joined, press)


def _places(one: Planned, rank: int | None) -> tuple[str, str]:
    if rank == 0:
        return gettext("inscrit·e"), "good"
    if rank is not None:
        return ngettext("en attente, suivant·e", "en attente, %(num)se", rank), "warn"
    free = one.places - len(one.seats)
    if free > 0:
        return ngettext("%(num)s place", "%(num)s places", free), ""
    waiting = len(one.waiting)
    if not waiting:
        return gettext("complet"), "warn"
    return ngettext("complet, %(num)s en attente", "complet, %(num)s en attente", waiting), "warn"


def helps(one: Planned | None, called: Called) -> str:
    """The next session, for somebody whose training ends."""
    if one is None:
        return gettext("Aucune session n’est prévue pour l’instant : demandez-en une à l’équipe.")
    return gettext("Prochaine session : %(said)s.", said=offer(one, called, "").said)


def counted(one: Planned) -> str:
    """3 sur 6, 1 en attente; for whoever keeps the list."""
    said = gettext("%(taken)s sur %(places)s", taken=len(one.taken), places=one.places)
    waiting = len(one.waiting)
    return gettext("%(said)s, %(waiting)s en attente", said=said, waiting=waiting) if waiting else said


def wrong(field: str) -> str:
    return gettext(WRONG[field]) if field in WRONG else people.wrong(field)
