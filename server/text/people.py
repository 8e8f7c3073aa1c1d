"""How are a member, a badge and what is wrong with them said? Words beside colours, dates as people write them."""

from dataclasses import dataclass
from datetime import date

from policy.uids import Doubt
from server.queries.current import Current
from server.queries.people import BADGE_END, KEEPS_OUT, Concern, Left, Worry
from server.text.dates import calendar_day
from server.text.translate import N_, gettext, ngettext

ROLES = {"staff": N_("équipe"), "gardien": N_("gardien"), "fab_manager": N_("responsable du fablab")}
STATUSES = {"active": N_("bon"), "lost": N_("perdu"), "stolen": N_("volé"), "returned": N_("rendu")}
DOUBTS = {
    Doubt.NOBODYS: N_("Aucun badge n’a ce numéro. Relisez-le sur le badge."),
    Doubt.RANDOM: N_("Ce numéro change à chaque fois (téléphone, certaines cartes bancaires). Prenez une carte."),
    Doubt.HALF: N_("Ce n’est que le début d’un numéro de 7 octets. Lisez-le en entier."),
}
WRONG = {
    "name": N_("Un nom a de 1 à 200 signes visibles, sur une ligne, sans signe qui inverse le sens de lecture."),
    "tier": N_("Cette formule n’existe pas, ou plus. Choisissez-en une de la liste."),
    "roles": N_("Ce rôle n’existe pas."),
    "status": N_("Cet état n’existe pas."),
    "valid_from": N_("Écrivez le jour ainsi : 31/12/2026."),
    "valid_until": N_("Écrivez le dernier jour ainsi : 31/12/2026, et pas avant le premier."),
    "number": N_("Écrivez un numéro de 1 à 9999 que n’a aucun autre badge du jour."),
    "uid": N_("Écrivez les 4, 7 ou 10 octets du numéro en 8, 14 ou 20 chiffres de 0 à 9 et de A à F."),
    "units": N_("Écrivez combien, en chiffres, de 1 à 1000."),
    "price": N_("Écrivez le prix en 100 signes au plus."),
    "unit": N_("Sa formule n’a pas besoin de carnet. Changez d’abord la formule."),
    "first": N_("Écrivez le premier jour ainsi : 31/12/2026."),
    "last": N_("Écrivez le dernier jour ainsi : 31/12/2026, pas avant aujourd’hui ni avant le premier."),
    "who": N_("Personne ne s’appelle ainsi. Écrivez une partie du nom, ou ajoutez d’abord la personne aux membres."),
    "many": N_("Plusieurs personnes s’appellent ainsi : choisissez."),
    "why": N_("Écrivez pourquoi : la raison reste avec votre nom."),
}
"""What is wrong in a field, and what to write in it."""


_APART = frozenset({Worry.BADGE_BLOCKED, Worry.NO_CARNET})
"""Where mark and rest are two things, not one sentence."""


@dataclass(frozen=True, slots=True)
class Said:
    """mark: one or two words. more: the rest of the sentence. whole: both. keeps_out: whether the door refuses them."""

    mark: str
    more: str
    whole: str
    colour: str
    keeps_out: bool


def said(concern: Concern) -> Said:
    mark, more = _words(concern)
    bad = concern.what is Worry.BADGE_BLOCKED and concern.status != "active"
    between = ", " if concern.what in _APART else " "
    return Said(
        mark, more, between.join(filter(None, (mark, more))), "bad" if bad else "warn", concern.what in KEEPS_OUT
    )


def _words(concern: Concern) -> tuple[str, str]:
    day = calendar_day(concern.day) if concern.day is not None else ""
    match concern.what:
        case Worry.SUSPENDED:
            return gettext("accès suspendu"), ""
        case Worry.NOT_BEGUN:
            return gettext("adhésion"), gettext("commence le %(day)s", day=day)
        case Worry.OVER:
            return gettext("adhésion"), gettext("terminée le %(day)s", day=day)
        case Worry.OVER_SOON:
            return gettext("adhésion"), gettext("finit le %(day)s", day=day)
        case Worry.NO_BADGE:
            return gettext("sans badge"), ""
        case Worry.BADGE_BLOCKED if concern.status == "active":
            return gettext("badge"), gettext("plus valable depuis le %(day)s", day=day)
        case Worry.BADGE_BLOCKED:
            return gettext("badge %(status)s", status=gettext(STATUSES[concern.status])), gettext("à remplacer")
        case Worry.TWO_BADGES:
            return ngettext("%(num)s badge actif", "%(num)s badges actifs", concern.number), ""
        case Worry.NO_CARNET:
            return gettext("sans carnet"), gettext("il en faut un pour sa formule")
        case Worry.CARNET_USED_UP:
            return gettext("carnet"), gettext("épuisé depuis le %(day)s", day=day) if day else gettext("épuisé")
        case Worry.CARNET_ENDS:
            return gettext("carnet"), gettext("finit le %(day)s", day=day)
        case Worry.CARNET_LOW:
            return gettext("carnet"), gettext("bientôt épuisé")


def roles(given: list[str]) -> str:
    return ", ".join(gettext(ROLES[role]) for role in given)


def badge(uid: str) -> str:
    """The end of its number, by which people know it."""
    return f"···{uid[-BADGE_END:].upper()}"


def short_carnet(left: Left) -> str:
    """4 sur 15, au 28 févr."""
    told = gettext("%(count)s sur %(total)s", count=left.units, total=left.total)
    return gettext("%(told)s, au %(day)s", told=told, day=calendar_day(left.until)) if left.until else told


def in_stock(number: int) -> str:
    return gettext("C’est le badge du jour %(number)s : prêtez-le plutôt.", number=number)


def wrong(field: str) -> str:
    return gettext(WRONG[field])


def doubt(why: Doubt) -> str:
    return gettext(DOUBTS[why])


def shown(field: str, value: object, current: Current) -> str:
    """A field of a member as people read it, for whoever is told what somebody else changed."""
    if value is None or value == ():
        return gettext("rien")
    if field == "tier":
        return current.called.tier(str(value))
    if field == "status":
        return gettext("accès suspendu") if value == "suspended" else gettext("actif")
    if isinstance(value, tuple):
        return roles([str(role) for role in value])
    return calendar_day(value) if isinstance(value, date) else str(value)


FIELDS = {
    "name": N_("Nom"),
    "tier": N_("Formule"),
    "roles": N_("Rôles"),
    "status": N_("État"),
    "valid_from": N_("Premier jour"),
    "valid_until": N_("Dernier jour"),
}

SALE = (
    ("units", N_("Combien d’unités ?"), "10", "numeric"),
    ("price", N_("Prix (comme vous voulez l’écrire)"), "120 €", "text"),
    ("first", N_("Premier jour (vide : aujourd’hui)"), "31/12/2026", "numeric"),
    ("last", N_("Dernier jour (vide : sans fin)"), "31/12/2026", "numeric"),
)
"""What a sale of a carnet asks for: the field, its label, an example, and the keyboard of a phone."""

DONE = {
    "lent": N_("Badge du jour prêté, jusqu’à la fin de la journée."),
    "given_back_badge": N_("Badge du jour rendu : il n’ouvre plus rien."),
    "added": N_("Membre ajouté."),
    "changed": N_("Fiche modifiée."),
    "suspended": N_("Accès suspendu."),
    "reinstated": N_("Accès rétabli."),
    "ended": N_("Adhésion close."),
    "erased": N_("C’est effacé. Ce que les comptes gardent est à un ancien membre sans nom."),
    "returned": N_("De nouveau membre."),
    "sold": N_("Carnet vendu."),
    "given_back": N_("Rendu : le carnet a une unité de plus."),
    "charged_again": N_("Compté de nouveau : le carnet a une unité de moins."),
    "certified": N_("Formation notée."),
    "uncertified": N_("Formation retirée."),
    "moved": N_("Reporté sur un nouveau carnet."),
}
"""What was just done."""
_DECLARED = {
    "active": N_("Le badge %(badge)s est bon."),
    "lost": N_("Badge %(badge)s déclaré perdu."),
    "stolen": N_("Badge %(badge)s déclaré volé."),
    "returned": N_("Badge %(badge)s rendu."),
}


def declared(uid: str, status: str) -> str:
    """What a badge was just declared."""
    return gettext(_DECLARED[status], badge=badge(uid))
