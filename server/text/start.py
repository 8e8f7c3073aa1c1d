"""Will the machine start for me then? Each thing that was looked at in a sentence, and what helps."""

from collections.abc import Callable
from dataclasses import dataclass

from policy.booking_terms import Rule, closure_of
from policy.bundle import Closure
from policy.degrees import By
from policy.reasons import Reason
from policy.terms import Instant
from server.changes.bookings import Taken
from server.queries.bookings import Free
from server.queries.current import Current
from server.queries.history import Passage
from server.queries.start import About, Check, Sign, Start
from server.text.dates import day, hours, lasting
from server.text.reasons import words
from server.text.translate import N_, gettext, ngettext

MARKS = {Sign.GOOD: ("good", "✓"), Sign.WARN: ("warn", "!"), Sign.BAD: ("bad", "✗"), Sign.NEVER: ("bad", "✗")}
TERMS = {
    Rule.MACHINE: N_("Cette machine n’existe pas, ou plus."),
    Rule.MEMBER: N_("Votre accès est suspendu, ou votre adhésion terminée : parlez-en à l’équipe."),
    Rule.GONE: N_("Cette réservation est finie ou annulée."),
    Rule.ORDER: N_("La fin doit venir après le début."),
    Rule.PAST: N_("C’est déjà passé."),
    Rule.STEP: N_("On réserve par pas de %(limit)s min."),
    Rule.SHORTEST: N_("On réserve %(limit)s min au moins."),
    Rule.LONGEST: N_("On réserve %(limit)s min au plus."),
    Rule.NOTICE: N_("On réserve %(limit)s min avant, au plus tard."),
    Rule.AHEAD: N_("On réserve %(limit)s jours d’avance au plus."),
    Rule.HOURS: N_("La machine ne tourne pas à ces heures."),
    Rule.CLOSED: N_("Le lieu est fermé ce jour-là."),
    Rule.OPEN: N_("Vous avez déjà %(limit)s réservations : annulez-en une, ou attendez qu’elle passe."),
    Rule.WEEK: N_("Vous auriez plus de %(limit)s h de machine cette semaine-là."),
}

SHORT = {
    About.TERMS: N_("plus possible"),
    About.MACHINE: N_("hors service"),
    About.DOOR: N_("personne pour ouvrir"),
    About.TRAINING: N_("formation"),
    About.QUOTA: N_("temps utilisé"),
    About.COMPANY: N_("il faut être deux"),
}
"""What a check says of a booking that is made."""


@dataclass(frozen=True, slots=True)
class Line:
    """colour and sign: of the tick beside it. more: ground for it, may be empty."""

    colour: str
    sign: str
    said: str
    more: str


def lines(start: Start, current: Current) -> list[Line]:
    """What was looked at."""
    found = []
    for check in start.checks:
        colour, sign = MARKS[check.sign]
        said, more = _SAID[check.about](check, start, current)
        found.append(Line(colour, sign, said, more))
    return found


def headline(start: Start) -> str:
    """Over the lines."""
    if not start.bookable:
        return gettext("Pas à ce moment-là")
    return gettext("Vous pourrez démarrer") if start.sure else gettext("Vous ne pourrez pas encore démarrer")


def term(rule: Rule, limit: int | None) -> str:
    """What the site's terms say."""
    return gettext(TERMS[rule], limit=limit)


def taken(outcome: Taken, current: Current) -> str:
    """To whoever was too late."""
    if outcome.in_use:
        said = gettext("Quelqu’un s’en sert à ce moment-là.")
    elif outcome.held_by_other:
        said = gettext("Quelqu’un vient de réserver ce créneau.")
    else:
        said = gettext("Vous l’avez déjà réservée à ce moment-là.")
    return f"{said} {_next(outcome.next_free, current)}".strip()


def _next(free: Free | None, current: Current) -> str:
    if free is None:
        return ""
    when = f"{day(free.start)}, {hours(free.start, free.end)}"
    return gettext("Libre ensuite : %(machine)s, %(when)s.", machine=current.called.place(free.machine), when=when)


def _terms(check: Check, start: Start, current: Current) -> tuple[str, str]:
    if check.against is None:
        return "", ""
    closure = _closure(start.start, current) or _closure(start.end - 1, current)
    more = closure.why if check.against.rule is Rule.CLOSED and closure is not None else None
    return term(check.against.rule, check.against.limit), more or ""


def _machine(check: Check, start: Start, current: Current) -> tuple[str, str]:
    if check.sign is Sign.NEVER:
        said = gettext("Vous l’avez déjà réservée") if check.own else gettext("Elle est réservée")
        if check.reason is Reason.MACHINE_BUSY:
            said = gettext("Quelqu’un s’en sert")
        return said, _next(check.free, current)
    if check.reason is Reason.MACHINE_LOCKED_OUT:
        locked = current.machines[start.machine].locked_out
        return gettext("Elle est hors service en ce moment"), locked.why if locked is not None else ""
    if check.reason is not None:
        return gettext("La machine ne tourne pas à cette heure"), ""
    return gettext("La machine est libre"), ""


def _door(check: Check, start: Start, current: Current) -> tuple[str, str]:
    stretch = check.stretch
    if check.sign is Sign.GOOD:
        return gettext("Le lieu est ouvert"), _opened(check, current)
    if check.reason is Reason.OUTSIDE_HOURS and (shut := _closure(start.start, current)) is not None:
        return term(Rule.CLOSED, None), shut.why or ""
    if check.reason is Reason.OUTSIDE_HOURS and (stretch is None or stretch.by is None):
        more = gettext("La porte restera fermée si aucun gardien ne prend la garde.")
        return gettext("Personne pour ouvrir à cette heure-là"), more
    if check.reason is Reason.UNKNOWN_CREDENTIAL:
        return gettext("Vous n’avez pas de badge"), gettext("L’accueil en donne un.")
    asked = check.entry
    if asked is None or check.reason is None:
        return gettext("La porte ne s’ouvrira pas"), ""
    told = Passage(
        0, "", "", 0, start.start, asked.tap.reader, "in", asked.tap.credential, start.member, None, False, check.reason
    )
    said = words(told, current, start.start, to_member=True)
    return gettext("La porte ne s’ouvrira pas"), said.sentence


def hurdle(start: Start, current: Current) -> tuple[str, str]:
    """What stands in the way of a booking that is made, in a word or two, and what helps; both empty for nothing."""
    check = next((one for one in start.checks if one.sign in (Sign.BAD, Sign.NEVER)), None)
    if check is None:
        return "", ""
    if check.reason is Reason.OUTSIDE_MACHINE_HOURS:
        return gettext("hors de ses heures"), ""
    closure = _closure(start.start, current)
    if check.reason is Reason.OUTSIDE_HOURS and closure is not None:
        return closed(closure), gettext("Prenez un autre jour, puis annulez celle-ci.")
    return gettext(SHORT[check.about]), ""


def closed(closure: Closure) -> str:
    """Of a booking that falls into it."""
    return gettext("fermé ce jour-là : %(why)s", why=closure.why) if closure.why else gettext("fermé ce jour-là")


def _closure(at: Instant, current: Current) -> Closure | None:
    return closure_of(current.bundle.site, current.calendar.date_at(at))


def _opened(check: Check, current: Current) -> str:
    stretch = check.stretch
    if check.reason in (Reason.ALWAYS, Reason.TIER_HOURS, Reason.OWN_SHIFT, Reason.STAFF) or stretch is None:
        return gettext("pour vous en tout cas")
    if stretch.by is By.STAFFED:
        return gettext("l’équipe est là")
    if stretch.by is By.GARDIEN:
        names = gettext(" et ").join(current.called.member(who) or gettext("Un gardien") for who in stretch.gardiens)
        return gettext("%(who)s doit ouvrir", who=names)
    return ""


def _training(check: Check, _start: Start, _current: Current) -> tuple[str, str]:
    if check.reason is Reason.NOT_CERTIFIED:
        helps = gettext("Suivez une session avant ce jour, ou demandez à un responsable.")
        return gettext("Il vous faut la formation"), helps
    until = gettext("jusqu’au %(day)s", day=day(check.until - 1)) if check.until is not None else ""
    if check.reason is not None:
        return gettext("Votre formation ne vaudra plus"), until
    return gettext("Votre formation est bonne"), until


def _quota(check: Check, _start: Start, _current: Current) -> tuple[str, str]:
    before, after = lasting((check.before or 0) // 60), lasting((check.after or 0) // 60)
    if check.sign is Sign.BAD:
        return gettext("Votre temps de machine sera utilisé"), gettext("Tout ce que vous avez réservé compte.")
    more = gettext("%(before)s avant, %(after)s après ; vos autres réservations comptent", before=before, after=after)
    if check.sign is Sign.WARN:
        return gettext("Il ne vous restera que %(before)s", before=before), gettext("Elle s’arrêtera avant la fin.")
    return gettext("Il vous reste assez de temps"), more


def _company(_check: Check, start: Start, current: Current) -> tuple[str, str]:
    people = current.rules.machines[start.machine].min_people
    said = ngettext("Il faut être %(num)s", "Il faut être %(num)s", people)
    return said, gettext("dans les murs, au démarrage")


_SAID: dict[About, Callable[[Check, Start, Current], tuple[str, str]]] = {
    About.TERMS: _terms,
    About.MACHINE: _machine,
    About.DOOR: _door,
    About.TRAINING: _training,
    About.QUOTA: _quota,
    About.COMPANY: _company,
}
