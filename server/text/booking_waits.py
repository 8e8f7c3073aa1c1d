"""How is somebody told that they wait for a machine, and that it is theirs to take?"""

from policy.booking_terms import Against, Rule
from server.queries.booking_waits import Wait
from server.queries.current import Current
from server.queries.names import Called
from server.text.dates import day, hour, hours
from server.text.start import term
from server.text.translate import N_, gettext, ngettext

OFFER = (
    N_("À vous jusqu’à %(until)s : %(machine)s, %(when)s"),
    N_(
        "Le créneau que vous attendiez est libre : %(machine)s, %(when)s.\n\nIl est à vous jusqu’à %(until)s : votre "
        "page le réserve en un geste. Après, il est proposé à la personne suivante.\n"
    ),
)


def of_offer(one: Wait, called: Called) -> dict[str, str]:
    """What the mail's words are filled with."""
    return {"machine": called.place(one.machine), "when": when(one), "until": hour(one.until or one.end)}


def when(one: Wait) -> str:
    return f"{day(one.start)}, {hours(one.start, one.end)}"


def state(one: Wait, current: Current) -> tuple[str, str]:
    """The colour and the word beside it. While the machine is out of service nothing is offered."""
    if one.until is None and _is_out(one.machine, current):
        return "warn", gettext("hors service : rien n’est proposé avant son retour, vous gardez votre tour")
    if one.until is not None:
        return "good", gettext("à vous jusqu’à %(until)s", until=hour(one.until))
    if one.before == 0:
        return "none", gettext("vous êtes la prochaine personne")
    return "none", ngettext("%(num)s personne avant vous", "%(num)s personnes avant vous", one.before)


def _is_out(machine: str, current: Current) -> bool:
    return machine in current.machines and current.machines[machine].locked_out is not None


def asked(count: int, machine: str, current: Current) -> str:
    """What stands before the press. count: how many wait already."""
    if _is_out(machine, current):
        return gettext(
            "Elle est hors service : rien n’est proposé avant qu’elle soit remise en service. Qui attend garde son "
            "tour."
        )
    if count == 0:
        return gettext("Si ce créneau se libère, il vous est proposé pendant 15 min.")
    return ngettext(
        "Si ce créneau se libère, il est proposé pendant 15 min à qui attend. %(num)s personne attend déjà.",
        "Si ce créneau se libère, il est proposé pendant 15 min à qui attend. %(num)s personnes attendent déjà.",
        count,
    )


def rows(found: list[Wait], current: Current) -> list[tuple[Wait, str, str, str]]:
    """As a list shows them: when, the colour, the word."""
    return [(one, when(one), *state(one, current)) for one in found]


def not_taken(why: Against) -> str:
    """To whoever pressed for what is offered."""
    if why.rule is Rule.GONE:
        return gettext("Ce créneau n’est plus à vous : 15 min étaient passées, ou il est déjà réservé.")
    return term(why.rule, why.limit)
