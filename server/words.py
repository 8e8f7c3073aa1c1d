"""How is a reason said? In the member's words, with what the server knows filled in, and with what would help.

French is the source, English stands in translations/en. What is filled in: server/particulars.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from policy.reasons import Family, Reason, family
from server.history import Passage
from server.particulars import N_, particulars
from server.publisher import Current
from server.translate import gettext

SENTENCES: Mapping[Reason, tuple[str, ...]] = {
    Reason.STAFFED_HOURS: (N_("l’équipe est là"),),
    Reason.GARDIEN_PRESENT: (N_("un gardien est là"),),
    Reason.OWN_SHIFT: (N_("vous tenez le lieu jusqu’à {end}"), N_("vous tenez le lieu")),
    Reason.ALWAYS: (N_("accès permanent"),),
    Reason.TIER_HOURS: (N_("vos horaires"),),
    Reason.INVITED: (N_("vous êtes attendu·e"),),
    Reason.EVENT: (N_("vous êtes attendu·e · {title}"), N_("vous êtes attendu·e")),
    Reason.STAFF: (N_("équipe"),),
    Reason.EGRESS: (N_("bonne route"),),
    Reason.GARDIEN_GRACE: (N_("l’horloge de la porte est perdue : entrée gardien, à régulariser"),),
    Reason.LOCKDOWN: (N_("le lieu est confiné : contactez l’équipe"),),
    Reason.UNKNOWN_CREDENTIAL: (N_("ce badge n’est à personne : passez à l’accueil"),),
    Reason.CREDENTIAL_BLOCKED: (
        N_("ce badge a été déclaré {status}"),
        N_("ce badge n’est plus valable depuis le {expired}"),
        N_("ce badge est bloqué"),
    ),
    Reason.MEMBER_SUSPENDED: (N_("votre accès est suspendu : parlez-en à l’équipe"),),
    Reason.MEMBERSHIP_NOT_VALID: (
        N_("votre adhésion commence le {begins}"),
        N_("votre adhésion s’est terminée le {ended}"),
        N_("votre adhésion n’est pas valable ce jour"),
    ),
    Reason.NOT_ALLOWED_HERE: (N_("cette porte n’est pas dans votre formule"),),
    Reason.RULES_STALE: (N_("la porte est coupée du serveur depuis trop longtemps : appelez un gardien"),),
    Reason.CLOCK_UNTRUSTED: (N_("la porte a perdu l’heure : appelez un gardien"),),
    Reason.ALREADY_INSIDE: (N_("ce badge est déjà à l’intérieur : badgez en sortant"),),
    Reason.OUTSIDE_HOURS: (
        N_("fermé pour votre formule ; prochaine ouverture {next}"),
        N_("fermé pour votre formule"),
    ),
    Reason.PASS_EXHAUSTED: (N_("votre carnet est épuisé depuis le {since}"), N_("votre carnet est épuisé")),
    Reason.SITE_FULL: (N_("nous sommes {people} : le lieu est plein"), N_("le lieu est plein")),
    Reason.WALK_UP: (N_("à vous, jusqu’à {until}"), N_("à vous")),
    Reason.BOOKING: (N_("votre réservation, jusqu’à {until}"), N_("votre réservation")),
    Reason.SESSION_ENDED: (N_("session terminée, {minutes} min"), N_("session terminée")),
    Reason.MACHINE_RESET: (N_("remise en service"),),
    Reason.MACHINE_LOCKED_OUT: (N_("hors service : {why} ({by})"), N_("hors service")),
    Reason.MACHINE_BUSY: (N_("occupée jusqu’à {until}"), N_("occupée")),
    Reason.NOT_CERTIFIED: (N_("il faut la formation {kind}"), N_("il faut une formation")),
    Reason.CERTIFICATION_EXPIRED: (
        N_("votre formation {kind} date de trop longtemps"),
        N_("votre formation date de trop longtemps"),
    ),
    Reason.NOT_INSIDE: (N_("badgez d’abord à l’entrée"),),
    Reason.OUTSIDE_MACHINE_HOURS: (
        N_("la machine s’arrête à {end}"),
        N_("la machine ne tourne pas à cette heure ; à nouveau {next}"),
        N_("la machine ne tourne pas à cette heure"),
    ),
    Reason.COMPANION_REQUIRED: (
        N_("il faut être {people} : faites venir quelqu’un"),
        N_("il faut être deux : faites venir quelqu’un"),
    ),
    Reason.BOOKED_BY_OTHER: (
        N_("réservée jusqu’à {end} ; libérée à {release} si personne ne vient"),
        N_("réservée jusqu’à {end}"),
        N_("réservée"),
    ),
    Reason.QUOTA_EXHAUSTED: (
        N_("vos {minutes} min de {period} sont utilisées ; à nouveau le {next}"),
        N_("votre temps de machine est utilisé"),
    ),
}
"""For each reason its sentences, fullest first: the first one whose facts are all known is said."""

REMEDIES: Mapping[Reason, str] = {
    Reason.LOCKDOWN: N_("lever le confinement quand il n’y a plus de danger"),
    Reason.UNKNOWN_CREDENTIAL: N_("attribuer le badge à l’accueil"),
    Reason.CREDENTIAL_BLOCKED: N_("donner un autre badge à l’accueil"),
    Reason.MEMBER_SUSPENDED: N_("en parler avec le membre, lever la suspension"),
    Reason.MEMBERSHIP_NOT_VALID: N_("renouveler l’adhésion ou corriger ses dates"),
    Reason.NOT_ALLOWED_HERE: N_("changer de formule"),
    Reason.RULES_STALE: N_("rétablir le lien entre la porte et le serveur"),
    Reason.CLOCK_UNTRUSTED: N_("rétablir l’heure de la porte : réseau ou pile de l’horloge"),
    Reason.ALREADY_INSIDE: N_("badger la sortie, puis revenir"),
    Reason.OUTSIDE_HOURS: N_("venir quand le lieu est ouvert, ou trouver un gardien"),
    Reason.PASS_EXHAUSTED: N_("vendre un nouveau carnet"),
    Reason.SITE_FULL: N_("attendre que quelqu’un parte, ou augmenter la capacité"),
    Reason.MACHINE_LOCKED_OUT: N_("réparer la machine, puis la remettre en service"),
    Reason.MACHINE_BUSY: N_("attendre, ou réserver"),
    Reason.NOT_CERTIFIED: N_("former le membre"),
    Reason.CERTIFICATION_EXPIRED: N_("renouveler la formation"),
    Reason.NOT_INSIDE: N_("badger à la porte en arrivant"),
    Reason.OUTSIDE_MACHINE_HOURS: N_("revenir aux heures de la machine"),
    Reason.COMPANION_REQUIRED: N_("faire venir quelqu’un"),
    Reason.BOOKED_BY_OTHER: N_("attendre la fin de la réservation, ou s’arranger avec qui a réservé"),
    Reason.QUOTA_EXHAUSTED: N_("attendre la prochaine période"),
}

COLOURS = {
    Family.GRANTED: "good",
    Family.SEE_DESK: "bad",
    Family.NOT_NOW: "bad",
    Family.CALL_GARDIEN: "bad",
}


@dataclass(frozen=True, slots=True)
class Words:
    """sentence: why. remedy: what would help, None where nothing must be mended. colour: of its mark."""

    sentence: str
    remedy: str | None
    colour: str


def title(reason: Reason) -> str:
    """The reason without any fact, for counting."""
    return gettext(next(sentence for sentence in reversed(SENTENCES[reason]) if "{" not in sentence))


def remedy(reason: Reason) -> str | None:
    """What would help."""
    return gettext(REMEDIES[reason]) if reason in REMEDIES else None


def words(passage: Passage, current: Current, now: int) -> Words:
    """What to say of a passage."""
    known = particulars(passage, current, now)
    fitting = next(s for s in SENTENCES[passage.reason] if all(name in known for name in _named(s)))
    colour = COLOURS[family(passage.granted, passage.reason)]
    return Words(gettext(fitting).format(**known), None if passage.granted else remedy(passage.reason), colour)


def _named(sentence: str) -> list[str]:
    return [part.split("}")[0] for part in sentence.split("{")[1:]]
