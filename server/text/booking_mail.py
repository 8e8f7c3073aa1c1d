"""What a member is told by mail when their booking falls."""

from policy.terms import Instant
from server.text.dates import day, hours
from server.text.translate import N_

OUT = (
    N_("Votre réservation : %(machine)s est hors service"),
    N_(
        "%(machine)s est hors service : « %(why)s ».\n\nVotre réservation, %(when)s, ne peut pas avoir lieu tant que "
        "cela dure. Si une autre machine de la même sorte est libre à ce moment-là, votre page vous la propose en un "
        "geste, et vous pouvez y annuler :\n%(address)s\n"
    ),
)
CANCELLED = (
    N_("Votre réservation est annulée : %(machine)s"),
    N_(
        "Un responsable du fablab a annulé votre réservation : %(machine)s, %(when)s. %(why)s\n\nVos réservations :\n"
        "%(address)s\n"
    ),
)


def when(start: Instant, end: Instant) -> str:
    return f"{day(start)}, {hours(start, end)}"
