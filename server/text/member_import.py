"""How is it said what a file of members would change, and what is wrong with it? Each time with what mends it."""

import re
from datetime import date

from policy.bundle import Member
from server.changes.member_plan import ADD, ALONE, KEEP, LEAVE, YES, Fault, Kind, Line, Why
from server.changes.member_table import (
    MOST_BYTES,
    MOST_COLUMNS,
    MOST_LINES,
    NotATableError,
)
from server.queries.current import Current
from server.text import carnets
from server.text import people as text
from server.text.dates import calendar_day
from server.text.translate import N_, gettext

COLUMNS = {
    "full": N_("nom complet"),
    "last": N_("nom"),
    "first": N_("prénom"),
    "tier": N_("formule"),
    "badge": N_("badge"),
    "carnet": N_("carnet"),
    "valid_from": N_("début d’adhésion"),
    "valid_until": N_("fin d’adhésion"),
}
KINDS = {
    Kind.NEW: (N_("nouveau"), "good"),
    Kind.CHANGED: (N_("changé"), ""),
    Kind.SAME: (N_("déjà à jour"), ""),
    Kind.ASK: (N_("à trancher"), "warn"),
    Kind.REFUSED: (N_("à corriger"), "bad"),
    Kind.LEFT: (N_("de côté"), ""),
}
"""The word for each kind of line, and its colour."""
FAULTS = {
    "empty": N_("Ce fichier est vide."),
    "binary": N_("Ce fichier n’est pas un tableau. Enregistrez-le en CSV ou en XLSX, puis recommencez."),
    "large": N_("Ce fichier est trop grand : %(bytes)s Mo au plus. Coupez-le en plusieurs."),
    "long": N_("Ce fichier a plus de %(lines)s lignes. Coupez-le en plusieurs."),
    "wide": N_("Ce fichier a plus de %(columns)s colonnes. Gardez celles du nom, de la formule et des dates."),
    "names": N_("Ce fichier n’a pas de colonne « nom ». Colonnes trouvées : %(found)s."),
    "broken": N_("La ligne %(found)s ne se lit pas : un guillemet y manque sans doute."),
}
WHYS = {
    Why.NAME: N_("Un nom a de 1 à 200 signes visibles, sur une ligne."),
    Why.FORMULA: N_("Ce nom commence comme une formule de tableur. Corrigez-le dans le fichier."),
    Why.WIDE: N_("Cette ligne a une case de trop : un séparateur dans un texte sans guillemets ?"),
    Why.TIER: N_("La formule « %(value)s » n’existe pas. Choisissez plus haut celle qu’elle veut dire."),
    Why.NO_TIER: N_("Il manque la formule. Choisissez plus haut celle des lignes qui n’en disent pas."),
    Why.DAY: N_("« %(value)s » n’est pas un jour. Écrivez-le ainsi : 31/12/2026."),
    Why.ORDER: N_("Le dernier jour est avant le premier, ou l’année n’est pas la bonne."),
    Why.UNITS: N_("« %(value)s » n’est pas un nombre d’unités de 0 à 1000."),
    Why.TWICE: N_("Cette personne, ou ce badge, est déjà à la ligne %(line)s."),
    Why.BADGE: N_("« %(badge)s » n’est pas le numéro d’un badge : 8, 14 ou 20 chiffres de 0 à 9 et de A à F."),
    Why.BADGE_RANDOM: N_("Ce numéro vient d’un téléphone, ou n’est pas entier : il ne va à personne."),
    Why.BADGE_DECIMAL: N_("Ce numéro est en chiffres décimaux. Lequel est-ce ? Comparez avec le badge."),
    Why.BADGE_TAKEN: N_("Le badge %(badge)s est à %(name)s, et le reste. Sans badge ?"),
    Why.SAME_BADGE: N_("Est-ce %(name)s, qui a déjà ce badge ?"),
    Why.SAME_NAME: N_("Plusieurs membres s’appellent ainsi. Lequel est-ce ?"),
    Why.CARNET: N_("Il lui reste %(left)s ici, %(units)s dans le fichier. Le carnet d’ici a ses entrées pour preuve."),
    Why.LEFT: N_("Laissée de côté."),
}
LONGEST = 60
"""Characters of a cell that are shown."""


def fault(error: NotATableError) -> str:
    found = ", ".join(error.found) or gettext("aucune")
    return gettext(FAULTS[error.why], bytes=MOST_BYTES >> 20, lines=MOST_LINES, columns=MOST_COLUMNS, found=found)


def whys(line: Line) -> list[str]:
    """All that is wrong with a line, or what it asks, in words."""
    return [_why(fault) for fault in line.faults]


def _why(fault: Fault) -> str:
    told = dict(fault.told)
    if fault.why is Why.BADGE_TAKEN:
        told["badge"] = text.badge(told["badge"])
    if fault.why is Why.TIER and told.get("near"):
        return gettext("La formule « %(value)s » n’existe pas. Voulez-vous dire %(near)s ?", **told)
    return gettext(WHYS[fault.why], **told)


def answers(line: Line, current: Current) -> list[tuple[str, str]]:
    """What can be answered, and how it is said."""
    asked = line.asks
    return [(one, _answer(one, asked, current)) for one in asked.answers] if asked is not None else []


def _answer(said: str, asked: Fault, current: Current) -> str:
    kind, _, which = said.partition(":")
    if kind == "uid":
        return which
    if kind == "is":
        one = current.people.people[which]
        ends = ", ".join(text.badge(badge.uid) for badge in one.badges)
        return f"{current.called.tier(one.member.tier)}{', ' if ends else ''}{ends}"
    if said == ALONE:
        return gettext("Non, une autre, sans badge") if asked.why is Why.SAME_BADGE else gettext("Sans badge")
    words = {
        LEAVE: gettext("Laisser de côté"),
        YES: gettext("Oui, cette personne"),
        KEEP: gettext("Garder %(left)s", left=asked.told.get("left", "")),
        ADD: gettext("Ajouter un carnet de %(more)s", more=asked.told.get("more", "")),
    }
    return words[said]


def changes(line: Line, current: Current) -> list[tuple[str, str, str]]:
    """What a line does: of each field its name, what it was, empty where nothing was, and what it will be."""
    if line.after is None:
        return []
    before = line.before
    told = [
        (
            gettext(label),
            _shown(field, before, current) if before is not None else "",
            _shown(field, line.after, current),
        )
        for field, label in text.FIELDS.items()
        if field in ("tier", "valid_from", "valid_until")
        and getattr(line.after, field) is not None
        and (before is None or getattr(before, field) != getattr(line.after, field))
    ]
    if line.uid is not None:
        told.append((gettext("badge"), "", text.badge(line.uid)))
    if line.units:
        unit = next(tier.pass_ for tier in current.bundle.tiers if tier.id == line.after.tier)
        told.append((gettext("carnet"), "", carnets.counted(unit, line.units)))
    return told


def _shown(field: str, member: Member, current: Current) -> str:
    value = getattr(member, field)
    return calendar_day(value) if isinstance(value, date) else text.shown(field, value, current)


def cells(line: Line, columns: dict[int, str]) -> list[tuple[str, bool]]:
    """The cells of a line that are read, cut short, and which of them is marked."""
    named = {fault.column for fault in line.faults}
    marked = named | ({"full", "first", "last"} if "name" in named else set())
    return [
        (re.sub(r"\s+", " ", cell[:LONGEST]) + ("…" if len(cell) > LONGEST else ""), columns.get(place, "-") in marked)
        for place, cell in enumerate(line.cells[:12])
    ]
