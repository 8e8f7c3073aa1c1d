"""How is a reason said? In the member's words, with what the server knows filled in, and with what would help.

The reasons that a door gives in this version; those of machines come with them. French is the source, English stands
in translations/en.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from policy.bundle import Credential, Member
from policy.calendar import Calendar
from policy.reasons import Family, Reason, family
from policy.spans import next_start
from server.history import Passage
from server.language import day, hour, when
from server.now import shift_end
from server.publisher import Current
from server.translate import gettext


def N_(text: str) -> str:  # noqa: N802 - the name by which translators' tools find it
    """Mark a sentence for translation."""
    return text


SENTENCES: Mapping[Reason, tuple[str, ...]] = {
    Reason.STAFFED_HOURS: (N_("l’équipe est là"),),
    Reason.GARDIEN_PRESENT: (N_("un gardien est là"),),
    Reason.OWN_SHIFT: (N_("vous tenez le lieu jusqu’à {end}"), N_("vous tenez le lieu")),
    Reason.ALWAYS: (N_("accès permanent"),),
    Reason.STAFF: (N_("équipe"),),
    Reason.EGRESS: (N_("bonne route"),),
    Reason.GARDIEN_GRACE: (N_("l’horloge de la porte est perdue : entrée gardien, à régulariser"),),
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
    Reason.OUTSIDE_HOURS: (
        N_("fermé pour votre formule ; prochaine ouverture {next}"),
        N_("fermé pour votre formule"),
    ),
}
"""For each reason its sentences, fullest first: the first one whose facts are all known is said."""

STATUSES = {"lost": N_("perdu"), "stolen": N_("volé"), "returned": N_("rendu")}

REMEDIES: Mapping[Reason, str] = {
    Reason.UNKNOWN_CREDENTIAL: N_("attribuer le badge à l’accueil"),
    Reason.CREDENTIAL_BLOCKED: N_("donner un autre badge à l’accueil"),
    Reason.MEMBER_SUSPENDED: N_("en parler avec le membre, lever la suspension"),
    Reason.MEMBERSHIP_NOT_VALID: N_("renouveler l’adhésion ou corriger ses dates"),
    Reason.NOT_ALLOWED_HERE: N_("changer de formule"),
    Reason.RULES_STALE: N_("rétablir le lien entre la porte et le serveur"),
    Reason.CLOCK_UNTRUSTED: N_("rétablir l’heure de la porte : réseau ou pile de l’horloge"),
    Reason.OUTSIDE_HOURS: N_("venir quand le lieu est ouvert, ou trouver un gardien"),
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
    return gettext(next((s for s in reversed(SENTENCES.get(reason, ())) if "{" not in s), reason.value))


def remedy(reason: Reason) -> str | None:
    """What would help."""
    return gettext(REMEDIES[reason]) if reason in REMEDIES else None


def words(passage: Passage, current: Current, now: int) -> Words:
    """What to say of a passage."""
    facts = _facts(passage, current, now)
    fitting = (s for s in SENTENCES.get(passage.reason, ()) if all(name in facts for name in _named(s)))
    sentence = gettext(next(fitting, passage.reason.value)).format(**facts)
    colour = COLOURS[family(passage.granted, passage.reason)]
    return Words(sentence, None if passage.granted else remedy(passage.reason), colour)


def _named(sentence: str) -> list[str]:
    return [part.split("}")[0] for part in sentence.split("{")[1:]]


def _facts(passage: Passage, current: Current, now: int) -> dict[str, str]:
    if passage.reason is Reason.OWN_SHIFT and passage.member is not None:
        end = shift_end(current, passage.member, passage.at)
        return {"end": hour(end)} if end is not None else {}
    if passage.reason is Reason.OUTSIDE_HOURS:
        following = next_start(current.rules.staffed, passage.at)
        return {"next": when(following, now)} if following is not None else {}
    if passage.reason is Reason.CREDENTIAL_BLOCKED:
        return _of_credential(current.badges.get(passage.credential or ""), current)
    if passage.reason is Reason.MEMBERSHIP_NOT_VALID:
        member = next((m for m in current.bundle.members if m.id == passage.member), None)
        return _of_membership(member, current, passage.at)
    return {}


def _of_credential(credential: Credential | None, current: Current) -> dict[str, str]:
    if credential is None:
        return {}
    if credential.status in STATUSES:
        return {"status": gettext(STATUSES[credential.status])}
    return {"expired": _day(credential.valid_until, current)} if credential.valid_until else {}


def _of_membership(member: Member | None, current: Current, at: int) -> dict[str, str]:
    if member is None:
        return {}
    calendar = Calendar(current.zone, current.bundle.site.day_cutoff)
    if member.valid_from is not None and at < calendar.day_start(member.valid_from):
        return {"begins": _day(member.valid_from, current)}
    return {"ended": _day(member.valid_until, current)} if member.valid_until else {}


def _day(date_: date, current: Current) -> str:
    return day(Calendar(current.zone, current.bundle.site.day_cutoff).day_start(date_))
