"""How is it said who is trained on what, until when, and on what evidence?"""

from dataclasses import dataclass
from datetime import date

from policy.bundle import Kind
from server.changes.training import Evidence
from server.queries.names import Called
from server.queries.training import Trained
from server.text import people
from server.text.dates import calendar_day
from server.text.translate import N_, gettext, ngettext

EVIDENCES = {
    Evidence.SESSION: N_("session suivie"),
    Evidence.EXAM: N_("essai réussi"),
    Evidence.ELSEWHERE: N_("savait déjà"),
}
WRONG = {
    "evidence": N_("Choisissez ce qui le montre."),
    "day": N_("Écrivez le jour ainsi : 31/12/2026. Il n’est pas à venir."),
    "last": N_("Écrivez le dernier jour ainsi : 31/12/2026, pas avant aujourd’hui. Rien : d’après le jour ci-dessus."),
    "where": N_("Écrivez où cette personne l’a appris, et comment vous le savez."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One certification: of whom, for which kind. mark, colour: until when. evidence: a sentence."""

    member: str
    kind: str
    name: str
    mark: str
    colour: str
    evidence: str
    advice: str = ""

    @property
    def wants(self) -> bool:
        """Whether it wants somebody: over, nearly so, or not used for long."""
        return self.colour != "good"


def line(one: Trained, name: str, kind: Kind | None, today: date) -> Line:
    """name: of the kind, or of the member, as the list wants it."""
    mark, colour = _until(one, kind, today)
    since, advice = one.to_refresh(kind, today), ""
    if since is not None and not one.over(today):
        day = calendar_day(since)
        advice = gettext("Pas pratiqué depuis le %(day)s : une remise à niveau aide, rien n’est refusé.", day=day)
    return Line(one.held.member, one.held.kind, name, mark, colour, _evidence(one), advice)


def _until(one: Trained, kind: Kind | None, today: date) -> tuple[str, str]:
    day = calendar_day(one.held.until) if one.held.until is not None else ""
    if one.over(today):
        return gettext("finie le %(day)s", day=day), "bad"
    if one.ends_soon(today):
        return gettext("finit le %(day)s", day=day), "warn"
    if one.to_refresh(kind, today) is not None:
        return gettext("à renouveler"), "warn"
    return (gettext("jusqu’au %(day)s", day=day) if day else gettext("sans limite")), "good"


def _evidence(one: Trained) -> str:
    if one.given is None:
        return gettext("Vient d’un fichier importé : on ne sait pas sur quelle preuve.")
    said = gettext(
        "%(evidence)s le %(day)s, noté par %(by)s",
        evidence=gettext(EVIDENCES[Evidence(one.given.evidence)]),
        day=calendar_day(one.given.day or one.given.at.date()),
        by=one.given.by,
    )
    return gettext("%(said)s : %(why)s", said=said, why=one.given.why) if one.given.why else said


def about(kind: Kind, called: Called) -> str:
    """What must be held before, and for how long it is good."""
    parts = []
    if kind.requires:
        parts.append(gettext("après : %(kinds)s", kinds=", ".join(map(called.kind, kind.requires))))
    if kind.valid_months:
        parts.append(ngettext("valable %(num)s mois", "valable %(num)s mois", kind.valid_months))
    else:
        parts.append(gettext("sans limite"))
    if kind.refresher_months:
        months = kind.refresher_months
        parts.append(ngettext("à pratiquer chaque mois", "à pratiquer tous les %(num)s mois", months))
    return " · ".join(parts)


def missing(kinds: tuple[str, ...], called: Called) -> str:
    """Why somebody cannot be certified yet."""
    return gettext(
        "Pas noté : il faut d’abord %(kinds)s, que cette personne n’a pas, ou plus.",
        kinds=", ".join(map(called.kind, kinds)),
    )


def wrong(field: str) -> str:
    return gettext(WRONG[field]) if field in WRONG else people.wrong(field)
