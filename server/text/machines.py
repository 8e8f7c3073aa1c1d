"""How is a machine described to people? A word, whose it is, until when, what comes next, and what helps.

Names are for the team and the fab managers (docs/glossary.md); everybody else reads "réservée", and "vous" of oneself.
"""

from collections.abc import Callable
from dataclasses import dataclass

from policy.bookings import RELEASE_AFTER
from policy.ruleset import Booking
from policy.sessions import Session as Use
from policy.terms import MINUTE, Instant
from server.queries.current import Current
from server.queries.devices import keeps_power
from server.queries.machines import RUNS, State, View
from server.text import devices
from server.text.dates import calendar_day, hour, hours, lasting, local, opens, when
from server.text.translate import N_, gettext

MARKS = {
    State.OUT: ("warn", N_("hors service")),
    State.STOPPED: ("bad", N_("arrêtée")),
    State.UNKNOWN: ("warn", N_("état inconnu")),
    State.SERVICE: ("warn", N_("en entretien")),
    State.FAULT: ("bad", N_("en panne")),
    State.OVERRUN: ("warn", N_("dépasse")),
    State.ENDING: ("good", N_("bientôt finie")),
    State.RUNNING: ("good", N_("en marche")),
    State.LOCKDOWN: ("warn", N_("lieu confiné")),
    State.BOOKED: ("none", N_("réservée")),
    State.LEFT: ("none", N_("à reprendre")),
    State.SHUT: ("none", N_("fermée")),
    State.FREE: ("none", N_("libre")),
}
"""Colour and word of each state."""
CARDS = dict.fromkeys((State.OVERRUN, State.UNKNOWN, State.LOCKDOWN), "alert") | dict.fromkeys(
    (State.STOPPED, State.FAULT), "fault-card"
)
"""Those whose whole card has the colour: somebody must look."""


@dataclass(frozen=True, slots=True)
class Bar:
    """How much of a session is over. done, whole: seconds. start, rest: in words."""

    done: int
    whole: int
    start: str
    rest: str


@dataclass(frozen=True, slots=True)
class Card:
    """colour: of dot and mark. lead: the one answer. lines: ground for it. following: what comes next."""

    id: str
    name: str
    colour: str
    card: str
    mark: str
    lead: str
    lines: tuple[str, ...] = ()
    bar: Bar | None = None
    following: str = ""


@dataclass(frozen=True, slots=True)
class Audience:
    """Who reads: their own member's id, and whether names are told to them."""

    member: str | None
    named: bool


def card(view: View, current: Current, to: Audience, at: Instant) -> Card:
    """What the board says of a machine."""
    colour, mark = MARKS[view.state]
    lead, *lines = _SAID[view.state](_Telling(view, current, to, at))
    return Card(
        view.machine.id,
        current.called.place(view.machine.id),
        colour,
        CARDS.get(view.state, ""),
        gettext(mark),
        lead,
        tuple(line for line in (*lines, *_printer(view, at), _no_safety(view, to)) if line),
        _bar(view, at),
        _following(_Telling(view, current, to, at)),
    )


@dataclass(frozen=True, slots=True)
class _Telling:
    view: View
    current: Current
    to: Audience
    at: Instant

    def who(self, member: str) -> str:
        """Empty where it is not told."""
        if member == self.to.member:
            return gettext("vous")
        return (self.current.called.member(member) or gettext("Membre retiré")) if self.to.named else ""

    @property
    def user(self) -> str:
        return self.who(self.view.use.member) if self.view.use is not None else ""


def _printer(view: View, at: Instant) -> tuple[str, ...]:
    """What the printer there does, unless it does nothing; why it is not cut where its time is over."""
    if view.printer is None or not keeps_power(view.printer):
        return ()
    over = view.state is State.OVERRUN and view.machine.on_end == "cut"
    return devices.printer(view.printer, at), devices.power_stays() if over else ""


def _no_safety(view: View, to: Audience) -> str:
    """Why a session that runs there ends soon."""
    return devices.ends_on_plug(remedy=to.named) if view.no_safety and view.state in RUNS else ""


def _free(said: _Telling) -> list[str]:
    return [free_until(said.view, said.at)]


def free_until(view: View, at: Instant) -> str:
    """Until when a free machine is free; where the place is shut, from when it may be used."""
    if view.place_due:
        return gettext("Libre dès qu’un gardien ouvre le lieu")
    if view.place_opens is not None:
        return gettext("Libre quand le lieu ouvre : %(when)s", when=when(view.place_opens, at))
    if view.place_shut:
        return gettext("Libre, mais le lieu est fermé")
    if view.free_until is None:
        return gettext("Libre")
    return gettext("Libre jusqu’à %(until)s", until=when(view.free_until, at))


def _shut(said: _Telling) -> list[str]:
    if said.view.opens is None:
        return [gettext("Hors de ses heures")]
    return [gettext("Hors de ses heures, jusqu’à %(opens)s", opens=when(said.view.opens, said.at))]


def _booked(said: _Telling) -> list[str]:
    booking = said.view.booking
    if booking is None:
        return [gettext("Réservée")]
    span, who = hours(booking.start, booking.end), said.who(booking.member)
    lead = f"{_capital(who)}, {span}" if who else gettext("Réservée, %(hours)s", hours=span)
    return [lead, _released(booking, said.at)]


def _left(said: _Telling) -> list[str]:
    end = said.view.booking.end if said.view.booking is not None else said.at
    lead = gettext("Rendue avant l’heure, jusqu’à %(until)s", until=when(end, said.at))
    return [lead, gettext("à qui la réserve ; sans réserver, elle ne démarre que pour qui l’avait")]


def _released(booking: Booking, at: Instant) -> str:
    """By when its holder has to come; nothing once they have come in time."""
    until = booking.start + RELEASE_AFTER
    return gettext("rendue à %(hour)s si personne ne badge", hour=hour(until)) if at < until else ""


def _running(said: _Telling) -> list[str]:
    use = said.view.use
    until = None if use is None else use.until
    if until is None:
        return [_capital(said.user) or gettext("Occupée"), _alone(said)]
    end = when(until, said.at)
    lead = gettext("%(who)s, jusqu’à %(until)s", who=_capital(said.user), until=end) if said.user else ""
    return [lead or gettext("Occupée jusqu’à %(until)s", until=end), _alone(said)]


def _ending(said: _Telling) -> list[str]:
    rest = gettext("encore %(time)s", time=_lasting((_until(said.view.use) or said.at) - said.at))
    return [f"{_capital(said.user)}, {rest}" if said.user else _capital(rest), _alone(said)]


def _overrun(said: _Telling) -> list[str]:
    until = _until(said.view.use) or said.at
    over = gettext("%(time)s de trop", time=_lasting(said.at - until))
    ended = gettext("devait finir à %(hour)s ; compté dans son temps", hour=when(until, said.at))
    return [f"{_capital(said.user)}, {over}" if said.user else _capital(over), ended]


def _alone(said: _Telling) -> str:
    """What becomes of it when whoever runs it goes away."""
    machine = said.current.rules.machines[said.view.machine.id]
    if machine.attended:
        return gettext("sous surveillance : s’arrête si la personne quitte le lieu")
    return gettext("peut tourner seule")


def _stopped(said: _Telling) -> list[str]:
    view = said.view
    since = opens(view.since, said.at) if view.since is not None else ""
    if view.ordered:
        lead = gettext("Arrêtée à distance %(since)s", since=since)
    else:
        lead = gettext("Arrêt d’urgence %(since)s", since=since) if since else gettext("Arrêt d’urgence")
    used = _used(said, said.user)
    helps = gettext("aller voir, relever le bouton, puis badger dessus pour la remettre en service.")
    if view.ordered:
        helps = gettext("aller voir, puis badger dessus pour la remettre en service.")
    if not said.to.named:
        helps = gettext("prévenir l’équipe, ou un responsable du fablab.")
    return [lead, used, gettext("Ce qui aide : %(remedy)s", remedy=helps)]


def _used(said: _Telling, who: str) -> str:
    """Empty where it is not told who used it."""
    if said.view.use is not None and said.view.use.member == said.to.member:
        return gettext("Vous l’utilisiez")
    return gettext("%(who)s l’utilisait", who=_capital(who)) if who else ""


def _fault(said: _Telling) -> list[str]:
    lead, helps = {
        "reader": (gettext("Son lecteur ne répond plus"), gettext("vérifier son câble.")),
        "disk": (gettext("Son boîtier ne peut plus rien noter"), gettext("libérer ou changer la carte SD.")),
        "plug": devices.plug_fault(said.view.plug),
        "no_safety": devices.no_safety(),
        "current": devices.current_unpowered(),
    }[said.view.broken]
    if not said.to.named:
        helps = gettext("prévenir l’équipe, ou un responsable du fablab.")
    return [lead, gettext("Ce qui aide : %(remedy)s", remedy=helps)]


def _unknown(said: _Telling) -> list[str]:
    since = said.view.since
    lead = gettext("Son boîtier n’a encore rien dit")
    if since is not None:
        lead = gettext("État inconnu depuis %(since)s", since=when(since, said.at))
    used = ""
    if said.view.use is not None:
        used = _used(said, said.user or gettext("Quelqu’un"))
    return [lead, used, gettext("Ce qui aide : regarder sa lampe, elle dit vrai sans le serveur.")]


def _service(said: _Telling) -> list[str]:
    since = when(said.view.since or said.at, said.at)
    helps = gettext("Ce qui aide : %(remedy)s", remedy=gettext("ramener la clé de service, l’entretien fini."))
    lead = gettext("Clé de service tournée depuis %(since)s", since=since)
    return [lead, gettext("elle ne démarre pour personne"), helps if said.to.named else ""]


def _lockdown(said: _Telling) -> list[str]:
    return [gettext("Lieu confiné"), "" if said.to.named else gettext("Contactez l’équipe.")]


def _out(said: _Telling) -> list[str]:
    out, noted = said.view.machine.locked_out, said.view.out
    by = gettext("par %(who)s", who=out.by) if out is not None and said.to.named else ""
    if noted is not None:
        since = when(noted.since, said.at)
        by = f"{by}, {since}" if by else gettext("depuis %(since)s", since=since)
        if noted.until is not None:
            by += " · " + gettext("prévu jusqu’au %(day)s", day=calendar_day(noted.until))
    still = gettext("encore en marche : hors service à la fin de la session") if said.view.use is not None else ""
    return [out.why if out is not None else "", by, still]


_SAID: dict[State, Callable[[_Telling], list[str]]] = {
    State.OUT: _out,
    State.STOPPED: _stopped,
    State.UNKNOWN: _unknown,
    State.SERVICE: _service,
    State.FAULT: _fault,
    State.OVERRUN: _overrun,
    State.ENDING: _ending,
    State.RUNNING: _running,
    State.LOCKDOWN: _lockdown,
    State.BOOKED: _booked,
    State.LEFT: _left,
    State.SHUT: _shut,
    State.FREE: _free,
}


def _bar(view: View, at: Instant) -> Bar | None:
    """Only of what has an end."""
    use = view.use
    if use is None or use.until is None or view.state not in RUNS:
        return None
    rest = use.until - at
    said = (
        gettext("encore %(time)s", time=_lasting(rest))
        if rest > 0
        else gettext("fini à %(hour)s", hour=hour(use.until))
    )
    done = min(at, use.until) - use.start
    return Bar(done // 1000, max(1, (use.until - use.start) // 1000), when(use.start, at), said)


def _following(said: _Telling) -> str:
    view, booking = said.view, said.view.following
    if view.state in (State.OUT, State.STOPPED, State.UNKNOWN, State.SERVICE, State.FAULT):
        return ""
    busy = view.use is not None or view.booking is not None
    if booking is None:
        return gettext("Ensuite libre") if busy else gettext("Aucune réservation à venir")
    who = said.who(booking.member)
    span = hours(booking.start, booking.end)
    if local(booking.start).date() != local(said.at).date():
        span = gettext(
            "%(start)s, jusqu’à %(end)s", start=when(booking.start, said.at), end=when(booking.end, booking.start)
        )
        gap = busy and (_until(view.use) or 0) < booking.start
        return _next_day(gap=gap, who=who, span=span, start=when(booking.start, said.at))
    if booking.start <= said.at:
        return _now_theirs(who, span)
    if who:
        return gettext("Ensuite %(who)s, %(hours)s", who=who, hours=span)
    return gettext("Ensuite réservée, %(hours)s", hours=span)


def _now_theirs(who: str, span: str) -> str:
    """Its time has begun while somebody else still uses the machine."""
    if who:
        return gettext("Maintenant à %(who)s, %(hours)s", who=who, hours=span)
    return gettext("Maintenant réservée, %(hours)s", hours=span)


def _next_day(*, gap: bool, who: str, span: str, start: str) -> str:
    """gap: it is in use or booked now, and free after that."""
    if gap:
        return gettext("Ensuite libre jusqu’à %(start)s", start=start)
    if who:
        return gettext("Ensuite %(who)s, %(hours)s", who=who, hours=span)
    return gettext("Prochaine réservation : %(hours)s", hours=span)


def _until(use: Use | None) -> Instant | None:
    return None if use is None else use.until


def _lasting(length: Instant) -> str:
    """A minute that has begun counts."""
    return lasting(max(1, -(-length // MINUTE)))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
