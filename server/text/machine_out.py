"""A machine out of service, and back: what is said before the press, after it, and when somebody else was faster."""

from collections.abc import Sequence

from policy.bundle import LockOut
from policy.ruleset import Booking
from policy.terms import Instant
from server.queries.accounts import Caller
from server.queries.names import Called
from server.text.dates import day, hours, local
from server.text.translate import N_, gettext, ngettext

DONE = {"out": N_("%(machine)s est hors service."), "back": N_("%(machine)s est remise en service.")}
"""What was just done, by the word in the address."""
NAMED = 10
"""Bookings that are named before a machine goes out of service, the next ones; those after them are counted."""


def name_of(me: Caller, called: Called) -> str:
    """How whoever decides is named to others."""
    return called.member(me.member) or me.name


def wrong(field: str) -> str:
    if field == "why":
        return gettext("Dites en quelques mots ce qu’elle a, 200 signes au plus : buse bouchée.")
    return gettext("Une date à partir d’aujourd’hui, comme 31/12/2026, ou rien.")


def before_out(urgent: bool, hit: Sequence[Booking], called: Called, at: Instant) -> tuple[str, list[str]]:
    """What will happen, and whose bookings fall into that time."""
    said = gettext("Personne ne pourra la démarrer. Si quelqu’un s’en sert, sa session va à son terme.")
    if urgent:
        said = gettext(
            "Le courant est coupé tout de suite, même pendant une session. Pour qu’elle reparte, il faudra la remettre "
            "en service ici, puis badger dessus sur place."
        )
    if not hit:
        return said, [gettext("Aucune réservation n’est touchée.")]
    count = ngettext("%(num)s réservation est touchée :", "%(num)s réservations sont touchées :", len(hit))
    more = len(hit) - NAMED
    rest = [ngettext("et %(num)s autre, plus tard", "et %(num)s autres, plus tard", more)] if more > 0 else []
    told = gettext("Loquet l’écrit à ceux dont il a l’adresse, et vous dit qui prévenir ; leur page « Moi » le montre.")
    return said, [count, *(_booking(one, called, at) for one in hit[:NAMED]), *rest, told]


def who_waits(count: int) -> list[str]:
    """What becomes of the waiting list meanwhile; nothing where nobody waits."""
    if not count:
        return []
    said = ngettext(
        "%(num)s personne attend un créneau : elle garde son tour, rien ne lui est proposé d’ici la remise en service.",
        "%(num)s personnes attendent un créneau : elles gardent leur tour, rien ne leur est proposé d’ici la remise en "
        "service.",
        count,
    )
    return [said]


def _booking(one: Booking, called: Called, at: Instant) -> str:
    who = called.member(one.member) or gettext("Membre retiré")
    today = local(one.start).date() == local(at).date()
    return ", ".join([who, *([] if today else [day(one.start)]), hours(one.start, one.end)])


def before_back(known: LockOut) -> tuple[str, list[str]]:
    """Who locked it out and why: so nobody starts what another keeps off for good reason."""
    said = gettext(
        "%(who)s l’a mise hors service : « %(why)s ». Est-ce réglé ?",
        who=known.by[:1].upper() + known.by[1:],
        why=known.why,
    )
    after = gettext("Chaque membre qui a la formation pourra la démarrer avec son badge.")
    if known.urgent:
        after += " " + gettext("Si sa lampe clignote rouge, il faut d’abord badger dessus : équipe ou responsable.")
    return said, [after]


def meanwhile(machine: str, known: LockOut | None) -> str:
    """Somebody was faster."""
    if known is None:
        return gettext("Rien à faire : %(machine)s est déjà en service.", machine=machine)
    return gettext(
        "Rien de changé : %(machine)s est déjà hors service, par %(who)s : « %(why)s ».",
        machine=machine,
        who=known.by,
        why=known.why,
    )


def not_sent(machine: str) -> str:
    return gettext(
        "L’ordre de couper %(machine)s n’est pas parti : son boîtier ne répond pas. Si elle tourne, allez-y : arrêt "
        "d’urgence.",
        machine=machine,
    )


def done(what: str, machine: str) -> str:
    """Empty for what is none of it."""
    said = DONE.get(what)
    return "" if said is None else gettext(said, machine=machine[:1].upper() + machine[1:])
