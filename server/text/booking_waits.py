"""How is somebody told that they wait for a machine, and that it is theirs to take?"""

from policy.booking_terms import Against, Rule
from server.queries.booking_waits import Wait
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


def state(one: Wait) -> tuple[str, str]:
    """The colour and the word beside it."""
    if one.until is not None:
        return "good", gettext("à vous jusqu’à %(until)s", until=hour(one.until))
    if one.before == 0:
        return "none", gettext("vous êtes la prochaine personne")
    return "none", ngettext("%(num)s personne avant vous", "%(num)s personnes avant vous", one.before)


def asked(count: int) -> str:
    """What stands before the press. count: how many wait already."""
    if count == 0:
        return gettext("Si ce créneau se libère, il vous est proposé pendant 15 min.")
    return ngettext(
        "Si ce créneau se libère, il est proposé pendant 15 min à qui attend. %(num)s personne attend déjà.",
        "Si ce créneau se libère, il est proposé pendant 15 min à qui attend. %(num)s personnes attendent déjà.",
        count,
    )


def row(one: Wait) -> tuple[Wait, str, str, str]:
    """As a list shows it: when, the colour, the word."""
    return one, when(one), *state(one)


def not_taken(why: Against) -> str:
    """To whoever pressed for what is offered."""
    if why.rule is Rule.GONE:
        return gettext("Ce créneau n’est plus à vous : 15 min étaient passées, ou il est déjà réservé.")
    return term(why.rule, why.limit)
