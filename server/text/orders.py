"""What became of an order, in words: a toast for what was done, and what helps where it was not."""

from dataclasses import dataclass

from policy.terms import Instant
from server.queries.names import Called
from server.queries.orders import Outcome
from server.text.dates import when
from server.text.translate import gettext, language
from wire.row import Order


@dataclass(frozen=True, slots=True)
class Told:
    """colour: good, warn (not yet known) or bad. relock: the door that a press may lock again."""

    colour: str
    words: str
    relock: str | None = None


def told(known: Outcome, called: Called, now: Instant) -> Told:
    door = _capital(called.place(known.place) or known.place)
    if known.order == Order.LOCK_OUT:
        return _of_machine(known, door)
    if known.done:
        return _done(known, door, now)
    if known.done is False:
        more = f" ({known.why})" if language() == "en" and known.why else ""
        return Told("bad", gettext("%(door)s : pas fait, la porte a refusé%(more)s. Allez voir.", door=door, more=more))
    if known.late:
        said = gettext(
            "%(door)s : la porte ne répond pas. Elle ne fera plus ce qui lui a été demandé ; allez-y avec la clé.",
            door=door,
        )
        return Told("bad", said)
    return Told("warn", gettext("%(door)s : demandé, la porte n’a pas encore répondu.", door=door))


def _of_machine(known: Outcome, machine: str) -> Told:
    """Of one that was to be stopped at once."""
    if known.done:
        return Told("good", gettext("%(machine)s : le courant est coupé, son boîtier l’a confirmé.", machine=machine))
    if known.done is False:
        more = f" ({known.why})" if language() == "en" and known.why else ""
        said = gettext("%(machine)s : pas coupée, son boîtier a refusé%(more)s. Allez-y.", machine=machine, more=more)
        return Told("bad", said)
    if known.late:
        said = gettext(
            "%(machine)s : son boîtier ne répond pas. Si elle tourne, allez-y : arrêt d’urgence.", machine=machine
        )
        return Told("bad", said)
    return Told("warn", gettext("%(machine)s : à couper, son boîtier n’a pas encore répondu.", machine=machine))


def _done(known: Outcome, door: str, now: Instant) -> Told:
    if known.order == Order.UNLOCK and known.until is not None:
        until = when(known.until, now)
        said = gettext("%(door)s : la porte est tenue ouverte jusqu’à %(until)s.", door=door, until=until)
        return Told("good", said, known.place)
    if known.order == Order.RELOCK:
        return Told("good", gettext("%(door)s : la porte est verrouillée.", door=door))
    return Told("good", gettext("%(door)s : la porte s’est déverrouillée.", door=door))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
