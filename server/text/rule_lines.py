"""What did the door look at, in order? The lines of the rule book as questions whose yes decides.

Told from the reason that was recorded: the lines before the one that decided said no, those after were not looked at.
"""

from dataclasses import dataclass

from policy import door, machine
from policy.case import Table
from policy.reasons import Family, Reason, family
from server.text.translate import N_, gettext

QUESTIONS = {
    "lockdown": N_("Lieu confiné ?"),
    "unknown_credential": N_("Badge inconnu ?"),
    "credential_blocked": N_("Badge perdu, volé, rendu ou périmé ?"),
    "member_suspended": N_("Accès suspendu ?"),
    "membership_not_valid": N_("Hors des dates de l’adhésion ?"),
    "not_allowed_here": N_("Porte hors de la formule ?"),
    "rules_stale": N_("Coupée du serveur depuis trop longtemps ?"),
    "clock_untrusted": N_("Heure perdue ?"),
    "staff": N_("De l’équipe ?"),
    "already_inside": N_("Déjà à l’intérieur ?"),
    "own_shift": N_("Sa propre garde ?"),
    "outside_hours": N_("Fermé à cette heure pour la formule ?"),
    "pass_exhausted": N_("Carnet épuisé ?"),
    "site_full": N_("Lieu plein ?"),
    "session_ended": N_("Sa session en cours ?"),
    "machine_reset": N_("Remise en service après un arrêt d’urgence ?"),
    "machine_locked_out": N_("Hors service ou arrêtée ?"),
    "machine_busy": N_("Occupée par quelqu’un d’autre ?"),
    "not_certified": N_("Sans la formation ?"),
    "certification_expired": N_("Formation trop ancienne ?"),
    "not_inside": N_("Pas badgé à l’entrée ?"),
    "outside_machine_hours": N_("Hors des heures de la machine ?"),
    "companion_required": N_("Trop peu de monde à l’intérieur ?"),
    "booked_by_other": N_("Réservée par quelqu’un d’autre ?"),
    "quota_exhausted": N_("Temps de machine utilisé ?"),
    "granted": N_("Alors, entrez"),
}
"""By the name of the function that reads the line."""
AT_A_MACHINE = QUESTIONS | {"granted": N_("Alors, elle démarre")}
LAMPS = {
    Family.SEE_DESK: N_("voir l’accueil"),
    Family.NOT_NOW: N_("pas maintenant"),
    Family.CALL_GARDIEN: N_("appelez un gardien"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """number: in docs/rules.md. said: the answer in a word or two. place: before, decides or after."""

    number: str
    question: str
    said: str
    place: str


def lines(reason: Reason, *, at_machine: bool) -> list[Line]:
    """Of a refusal, to its end."""
    table: Table = machine.LINES if at_machine else door.LINES
    questions = AT_A_MACHINE if at_machine else QUESTIONS
    names = [line.applies.__name__ for line in table]
    decided = names.index(reason)
    found = [] if at_machine else [Line("1", gettext("Sortie ?"), gettext("non"), "before")]
    for position, (line, name) in enumerate(zip(table, names, strict=True)):
        place = "before" if position < decided else "decides" if position == decided else "after"
        found.append(Line(line.number, gettext(questions[name]), _said(place, name), place))
    return found


def _said(place: str, name: str) -> str:
    if place == "after":
        return gettext("pas atteint") if name == "granted" else gettext("pas regardé")
    return gettext("oui : refusé") if place == "decides" else gettext("non")


def lamp(reason: Reason) -> str:
    """All that the lamp at the door showed of a refusal."""
    return gettext(LAMPS[family(granted=False, reason=reason)])
