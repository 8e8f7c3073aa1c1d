"""What is said on a machine's own page: its rules in words, what one may still use, and what was reported of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from policy.booking_terms import terms_of
from policy.bundle import BookingTerms, Machine, Site
from policy.ruleset import Period
from server.models import MachineFault
from server.queries.current import Current
from server.queries.quotas import Left
from server.text.dates import calendar_day, day, lasting
from server.text.hours import spans, weekday
from server.text.translate import N_, gettext, ngettext

PERIODS = {Period.WEEK: N_("cette semaine"), Period.MONTH: N_("ce mois-ci")}


@dataclass(frozen=True, slots=True)
class Quota:
    """Whole minutes, rounded down: nobody is promised one that is not there.

    colour: warn where little is left, bad where nothing is.
    """

    kind: str
    colour: str
    lead: str
    more: str
    used: int
    whole: int


def quota(left: Left, current: Current) -> Quota:
    colour = "bad" if left.left == 0 else "warn" if left.low else "none"
    period = gettext(PERIODS[left.period])
    lead = gettext("Il vous reste %(time)s %(period)s", time=lasting(left.left // 60), period=period)
    if left.left == 0:
        lead = gettext("Votre temps est épuisé %(period)s", period=period)
    more = gettext(
        "%(used)s sur %(whole)s ; de nouveau entier le %(day)s",
        used=lasting(left.used // 60),
        whole=lasting(left.seconds // 60),
        day=day(left.resets),
    )
    return Quota(current.called.kind(left.kind), colour, lead, more, left.used, left.seconds)


def rules(site: Site, machine: Machine, current: Current, *, prints: bool) -> list[str]:
    """The site's rules for this machine, as whoever books or starts it needs to know them. prints: a printer that tells
    how it is stands there."""
    held = current.rules.machines[machine.id]
    said = [_booking(terms_of(site, machine))]
    if held.attended and prints:
        said.append(gettext("Elle s’arrête si vous quittez le lieu, une fois l’impression finie."))
    elif held.attended:
        said.append(gettext("Elle s’arrête si vous quittez le lieu."))
    if held.min_people > 1:
        said.append(
            ngettext("Il faut être %(num)s dans les murs.", "Il faut être %(num)s dans les murs.", held.min_people)
        )
    end = gettext("À l’heure dite, son courant est coupé.")
    if held.cuts and prints:
        end = gettext("À l’heure dite, son courant est coupé dès que l’imprimante a fini : le temps de trop compte.")
    said.append(end if held.cuts else gettext("À l’heure dite, elle avertit et continue : le temps de trop compte."))
    return said


def _booking(terms: BookingTerms) -> str:
    open_ = ngettext("%(num)s réservation à la fois", "%(num)s réservations à la fois", terms.open)
    return gettext(
        "%(longest)s au plus par réservation, %(days)s d’avance, %(open)s.",
        longest=lasting(terms.longest),
        days=ngettext("%(num)s jour", "%(num)s jours", terms.ahead_days),
        open=open_,
    )


def hours(machine: Machine) -> list[str]:
    """lundi : 9 h – 22 h; nothing for a machine that has none of its own."""
    return [
        gettext("%(day)s : %(hours)s", day=weekday(one), hours=spans(ranges))
        for one, ranges in machine.hours.items()
        if ranges
    ]


def training(machine: Machine, current: Current, member: str | None) -> tuple[str, str]:
    """The colour and the sentence: whether whoever asks is trained for it."""
    kind = current.called.kind(machine.kind)
    held = next(
        (one for one in current.bundle.certifications if (one.member, one.kind) == (member, machine.kind)), None
    )
    if member is None:
        return "none", gettext("Formation demandée : %(kind)s.", kind=kind)
    if held is None:
        return "warn", gettext("Il vous faut la formation « %(kind)s » : demandez à un responsable.", kind=kind)
    if held.until is None:
        return "good", gettext("Votre formation « %(kind)s » est bonne, sans limite.", kind=kind)
    until = current.rules.certifications.get(member, {}).get(machine.kind)
    if until is not None and until <= current.at:
        return "bad", gettext(
            "Votre formation « %(kind)s » a fini le %(day)s : demandez à un responsable.",
            kind=kind,
            day=calendar_day(held.until),
        )
    return "good", gettext(
        "Votre formation « %(kind)s » est bonne jusqu’au %(day)s.", kind=kind, day=calendar_day(held.until)
    )


def faults(found: Sequence[MachineFault], member: str | None, *, manages: bool) -> list[tuple[MachineFault, str, str]]:
    """What waits, with colour and word: all of it for fab managers, one's own for a member."""
    theirs = [one for one in found if manages or (member is not None and one.member == member)]
    return [
        (one, *(("none", gettext("vu")) if one.seen is not None else ("warn", gettext("à voir")))) for one in theirs
    ]
