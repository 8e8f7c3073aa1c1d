"""How is a reason said? To the member or of the member, with what the server knows filled in, and what would help.

French is the source, English stands in translations/en. What is filled in: server/text/reason_facts.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from policy.reasons import Family, Reason, family
from server.queries.current import Current
from server.queries.history import Passage
from server.text.reason_facts import particulars
from server.text.translate import N_, gettext, typeset

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
"""For each reason its sentences, fullest first: the first one whose facts are all known is said. To the member."""

OF_MEMBERS: Mapping[Reason, tuple[str, ...]] = {
    Reason.OWN_SHIFT: (N_("tient le lieu jusqu’à {end}"), N_("tient le lieu")),
    Reason.TIER_HOURS: (N_("dans ses horaires"),),
    Reason.INVITED: (N_("attendu·e"),),
    Reason.EVENT: (N_("attendu·e · {title}"), N_("attendu·e")),
    Reason.LOCKDOWN: (N_("le lieu est confiné"),),
    Reason.UNKNOWN_CREDENTIAL: (N_("ce badge n’est à personne"),),
    Reason.MEMBER_SUSPENDED: (N_("accès suspendu"),),
    Reason.MEMBERSHIP_NOT_VALID: (
        N_("adhésion à partir du {begins}"),
        N_("adhésion terminée le {ended}"),
        N_("adhésion pas valable ce jour"),
    ),
    Reason.NOT_ALLOWED_HERE: (N_("cette porte n’est pas dans sa formule"),),
    Reason.RULES_STALE: (N_("la porte est coupée du serveur depuis trop longtemps"),),
    Reason.CLOCK_UNTRUSTED: (N_("la porte a perdu l’heure"),),
    Reason.ALREADY_INSIDE: (N_("ce badge est déjà à l’intérieur"),),
    Reason.OUTSIDE_HOURS: (N_("fermé pour sa formule ; prochaine ouverture {next}"), N_("fermé pour sa formule")),
    Reason.PASS_EXHAUSTED: (N_("carnet épuisé depuis le {since}"), N_("carnet épuisé")),
    Reason.SITE_FULL: (N_("lieu plein : {people} personnes"), N_("lieu plein")),
    Reason.WALK_UP: (N_("sans réservation, jusqu’à {until}"), N_("sans réservation")),
    Reason.BOOKING: (N_("sa réservation, jusqu’à {until}"), N_("sa réservation")),
    Reason.CERTIFICATION_EXPIRED: (
        N_("sa formation {kind} date de trop longtemps"),
        N_("sa formation date de trop longtemps"),
    ),
    Reason.NOT_INSIDE: (N_("pas badgé à l’entrée"),),
    Reason.COMPANION_REQUIRED: (N_("il faut être {people}"), N_("il faut être deux")),
    Reason.QUOTA_EXHAUSTED: (
        N_("ses {minutes} min de {period} sont utilisées ; à nouveau le {next}"),
        N_("son temps de machine est utilisé"),
    ),
}
"""Where the sentence to the member will not do: what the team reads of somebody."""

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

OWN_REMEDIES: Mapping[Reason, str] = {
    Reason.LOCKDOWN: N_("attendre que l’équipe lève le confinement"),
    Reason.CREDENTIAL_BLOCKED: N_("passer à l’accueil pour un autre badge"),
    Reason.MEMBER_SUSPENDED: N_("en parler avec l’équipe"),
    Reason.MEMBERSHIP_NOT_VALID: N_("voir l’accueil pour votre adhésion"),
    Reason.NOT_ALLOWED_HERE: N_("passer par une porte de votre formule, ou en changer à l’accueil"),
    Reason.RULES_STALE: N_("appeler un gardien ou l’équipe"),
    Reason.CLOCK_UNTRUSTED: N_("appeler un gardien ou l’équipe"),
    Reason.OUTSIDE_HOURS: N_("regarder votre page avant de venir"),
    Reason.PASS_EXHAUSTED: N_("un nouveau carnet : l’équipe l’enregistre, et la porte vous ouvre dans la minute"),
    Reason.SITE_FULL: N_("attendre que quelqu’un parte"),
    Reason.MACHINE_LOCKED_OUT: N_("attendre qu’elle soit remise en service"),
    Reason.NOT_CERTIFIED: N_("demander la prochaine formation à l’équipe"),
    Reason.CERTIFICATION_EXPIRED: N_("refaire la formation : demandez à l’équipe"),
}
"""Where the team's remedy is not the member's own."""

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


def remedy(reason: Reason, *, to_member: bool = False) -> str | None:
    """What would help."""
    known = {**REMEDIES, **OWN_REMEDIES} if to_member else REMEDIES
    return gettext(known[reason]) if reason in known else None


def words(passage: Passage, current: Current, now: int, *, to_member: bool = False) -> Words:
    """What to say of a passage, to whoever made it or to the team."""
    known = particulars(passage, current, now)
    sentences = SENTENCES[passage.reason]
    if not to_member:
        sentences = OF_MEMBERS.get(passage.reason, sentences)
    fitting = next(s for s in sentences if all(name in known for name in _named(s)))
    colour = COLOURS[family(passage.granted, passage.reason)]
    sentence = typeset(gettext(fitting).format(**known))
    return Words(sentence, None if passage.granted else remedy(passage.reason, to_member=to_member), colour)


def of_collision() -> Words:
    """What to say of several cards at once."""
    return Words(gettext("deux cartes à la fois"), gettext("présenter un seul badge, sorti du portefeuille"), "bad")


def _named(sentence: str) -> list[str]:
    return [part.split("}")[0] for part in sentence.split("{")[1:]]
