"""What does the front page answer? Is it open, until when, by whom; who came last; what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from policy.instants import of
from policy.opening import Degree, Relay
from policy.spans import covers, end_of
from policy.terms import DAY
from server.pages.alerts import there
from server.pages.evening_watch import watching
from server.pages.today import Day, day_of
from server.queries import history
from server.queries.accounts import Caller
from server.queries.closing import Closed
from server.queries.current import Current
from server.queries.day_moves import today
from server.queries.names import Called, alphabetical
from server.queries.now import Picture, Watch, edge_lines, picture
from server.queries.orders import outcome
from server.queries.rota import Turn
from server.queries.rota_ending import ending
from server.text import alerts as text
from server.text.dates import hour, local, opens, when
from server.text.edges import Line, line
from server.text.orders import Told, told
from server.text.reasons import Words, words
from server.text.translate import gettext, ngettext
from server.web.holding import holds_place
from server.web.sessions import account, context, sees_names

page = Blueprint("now", __name__)

PASSAGES = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """The first thing said. colour: open, shut, need (somebody must look) or no. lines: what else there is to know
    before travelling."""

    colour: str
    headline: str
    lines: tuple[str, ...]


@page.get("/", endpoint="page")
def show() -> ResponseReturnValue:
    known, who, staff = context(), account(), sees_names()
    here = staff or holds_place()
    current, at = known.current(), known.clock()
    with known.database.reading() as session:
        seen = picture(session, current, at)
        return render_template(
            "now.html",
            at=at,
            answer=answer_of(seen, current.called, named=who is not None, staff=staff, reader=_member(who)),
            seen=seen,
            holding=holds_place(),
            ending=_ending(seen, current),
            watching=watching(session, seen),
            people=seen.people if here else seen.told,
            inside=_inside(seen, current.called) if here else None,
            groups=[(one.name, one.people, one.more, of(one.since)) for one in seen.guests] if here else [],
            passages=_passages(session, current, at) if staff else None,
            edges=_edges(session, current, at) if here else None,
            notes=_notes(link_up=known.link_up()) if here else [],
            alerts=_alerts(session, current, at) if here else [],
            today=_day(session, seen, named=here),
            staff=staff,
            ordered=_ordered(session, current, at) if here else None,
        )


def _member(who: Caller | None) -> str:
    """Whose account it is, empty for nobody's."""
    return "" if who is None else who.member or ""


def _ending(seen: Picture, current: Current) -> Turn | None:
    known = account()
    return None if known is None else ending(seen, current, current.bundle, known.member or "")


def _alerts(session: Session, current: Current, at: int) -> list[text.Told]:
    return [text.told(one, current, at) for one in there(session, current, at)]


def _ordered(session: Session, current: Current, at: int) -> Told | None:
    """What became of the order that whoever asks has just given."""
    known = outcome(session, request.args.get("order", ""), at)
    return None if known is None else told(known, current.called, at)


def _day(session: Session, seen: Picture, *, named: bool) -> Day:
    return day_of(today(session, seen.day_start, seen.at).hours, named=named)


def _inside(seen: Picture, known: Called) -> list[tuple[str, int]]:
    """Who is inside, by name, and since when."""
    people = [(known.member(who) or gettext("Membre retiré"), seen.presence.moves[who].at) for who in seen.inside]
    return sorted(people, key=lambda person: alphabetical(person[0]))


def _passages(session: Session, current: Current, at: int) -> list[tuple[history.Passage, Words]]:
    return [(p, words(p, current, at)) for p in history.last_passages(session, PASSAGES, at)]


def _edges(session: Session, current: Current, at: int) -> list[Line]:
    return [line(edge, current, at) for edge in edge_lines(session, current.version, context().troubles, at)]


def answer_of(seen: Picture, known: Called, *, named: bool, staff: bool, reader: str = "") -> Answer:
    """Is it open? named: whether gardiens are told by name, as *Gardiens* and *Moi* do to every member. staff: whether
    the team asks. reader: the member who reads it."""
    names = known.members if named else {}
    lines = (holders_of(seen, names, reader), *to_come(seen, names, reader))
    if seen.fires:
        return _fire(seen, known)
    if seen.lockdown is not None:
        since = _since(of(seen.lockdown), seen)
        said = gettext("Depuis %(since)s : seule l’équipe entre, tout le monde peut sortir.", since=since)
        return Answer("no", gettext("Lieu confiné"), (said,) if staff else (said, gettext("Contactez l’équipe.")))
    if seen.unlifted is not None:
        return Answer("need", *unlifted(seen))
    if seen.heard is not None:
        return _unsure(seen, tuple(said for said in lines if said))
    if seen.sureness.degree is Degree.UNCERTAIN:
        return Answer("need", gettext("Pas sûr pour l’instant"), tuple(said for said in lines if said))
    return Answer(
        "open" if seen.opening.open else "shut", headline_of(seen, names), tuple(said for said in lines if said)
    )


def unlifted(seen: Picture) -> tuple[str, tuple[str, ...]]:
    """A lockdown is lifted, and a door does not know: headline and what else."""
    lifted = _since(of(seen.unlifted), seen) if seen.unlifted is not None else ""
    said = gettext("Une porte ne répond plus, et ne sait peut-être pas que c’est fini : regardez sa lampe.")
    return gettext("Confinement levé à %(lifted)s, pas encore sûr", lifted=lifted), (said,)


def _fire(seen: Picture, known: Called) -> Answer:
    places = [
        gettext("%(place)s, depuis %(since)s", place=known.place(place), since=_since(since, seen))
        for place, since in seen.fires
    ]
    return Answer("no", gettext("Alarme incendie"), (gettext("Sortez, et n’entrez pas."), " · ".join(places)))


def _unsure(seen: Picture, lines: tuple[str, ...]) -> Answer:
    """A door is silent: what was known is told as such, and is no yes or no."""
    headline, heard = headline_of(seen, {}), seen.heard or seen.at
    known = {"headline": headline[:1].lower() + headline[1:]}
    said = (
        gettext("D’après la dernière nouvelle de %(hour)s : %(headline)s", hour=hour(heard), **known)
        if heard >= seen.day_start
        else gettext("D’après la dernière nouvelle, %(when)s : %(headline)s", when=when(heard, seen.at), **known)
    )
    return Answer("need", said, (gettext("Une porte ne répond plus : regardez sa lampe."), *lines))


def _since(at: int, seen: Picture) -> str:
    """The hour alone on this site day."""
    return hour(at) if at >= seen.day_start else when(at, seen.at)


def headline_of(seen: Picture, names: Mapping[str, str]) -> str:
    """Whether it is open, and until when; of a place that its gardien closed, since when, and by whom where there are
    names."""
    if seen.closed is not None:
        return _closed(seen.closed, names)
    if not seen.opening.open:
        return gettext("Fermé")
    if seen.opening.endless:
        return gettext("Ouvert")
    if seen.opening.end is None or seen.opening.end <= seen.at:
        return gettext("Ouvert, pour quelques minutes encore")
    end = _until(seen.opening.end, seen.at)
    if seen.opening.relays:
        return gettext("Ouvert, probablement jusqu’à %(hour)s", hour=end)
    return gettext("Ouvert jusqu’à %(hour)s", hour=end)


def _closed(closed: Closed, names: Mapping[str, str]) -> str:
    who = names.get(closed.by or "")
    if who:
        return gettext("Fermé par %(who)s à %(hour)s", who=who, hour=hour(closed.at))
    return gettext("Fermé depuis %(hour)s", hour=hour(closed.at))


def _until(until: int, at: int) -> str:
    """The hour alone when it is soon enough to be unmistakable."""
    same = local(until).date() == local(at).date() or until - at < 12 * 3_600_000
    return hour(until) if same else when(until, at)


def holders_of(seen: Picture, names: Mapping[str, str], reader: str = "") -> str:
    """Who holds it, by name where there are names; empty while it is shut. reader: who reads it."""
    if not seen.opening.open:
        return ""
    holding = seen.opening.held_by
    others = gettext(" et ").join(names[member] for member in holding if member in names and member != reader)
    if reader in holding:
        held = gettext("Vous et %(who)s tenez le lieu.", who=others) if others else gettext("Vous tenez le lieu.")
    elif others:
        held = ngettext("%(who)s tient le lieu.", "%(who)s tiennent le lieu.", len(holding), who=others)
    else:
        held = gettext("Un gardien tient le lieu.")
    staffed = gettext("L’équipe est là.")
    return " ".join(s for s, said in ((staffed, seen.opening.staffed), (held, seen.opening.held_by)) if said)


def to_come(seen: Picture, names: Mapping[str, str], reader: str = "") -> list[str]:
    """How long what is open is sure, and who opens after it. reader: the member who reads it on their own page."""
    own = {reader: gettext("vous")} if reader else {}
    return [said for said in (_relays(seen, {**names, **own}), *_coming(seen, names, reader)) if said]


def _relays(seen: Picture, names: Mapping[str, str]) -> str:
    """How long it is sure, and who is to take over then. Without names, gardiens who follow one another are one."""
    chain = [(_holder(relay, names), relay.start, relay.end) for relay in seen.opening.relays]
    if not chain:
        return ""
    told = [chain[0]]
    for who, start, end in chain[1:]:
        told[-1:] = [(who, told[-1][1], end)] if who == told[-1][0] else [told[-1], (who, start, end)]
    parts = [
        gettext("%(who)s de %(start)s à %(end)s", who=who, start=hour(start), end=hour(end)) for who, start, end in told
    ]
    until, following = _until(told[0][1], seen.at), ", ".join(parts)
    return gettext("Sûr jusqu’à %(hour)s, probable ensuite : %(following)s.", hour=until, following=following)


def _holder(relay: Relay, names: Mapping[str, str]) -> str:
    if relay.gardien is None:
        return gettext("l’équipe")
    return names.get(relay.gardien) or gettext("un gardien")


def _coming(seen: Picture, names: Mapping[str, str], reader: str) -> list[str]:
    """Who opens next, after what is open now and those who take over: the team and a gardien, the first of them first.

    A gardien is told of this site day or the next one only.
    """
    told = []
    if seen.next_staffed is not None:
        told.append((seen.next_staffed, _team(seen.next_staffed, seen)))
    if seen.watch is not None and seen.watch.start - seen.at <= DAY:
        told.append((seen.watch.start, _gardien(seen.watch, seen, names, reader)))
    return [said for _, said in sorted(told)]


def _team(start: int, seen: Picture) -> str:
    when = opens(start, seen.at)
    if seen.opening.open:
        return gettext("L’équipe rouvre %(when)s.", when=when)
    return gettext("L’équipe ouvre %(when)s.", when=when)


def _gardien(watch: Watch, seen: Picture, names: Mapping[str, str], reader: str) -> str:
    if watch.start <= seen.at:
        who = names.get(watch.gardien) or gettext("le gardien")
        own = end_of(seen.known.shifts.get(watch.gardien, ()), seen.at) or watch.end
        if watch.gardien == reader:
            return gettext("Garde prévue jusqu’à %(hour)s : vous n’êtes pas encore là.", hour=hour(own))
        return gettext("Garde prévue jusqu’à %(hour)s : %(who)s n’est pas là.", hour=hour(own), who=who)
    who = names.get(watch.gardien) or gettext("un gardien")
    said = {"who": _capital(who), "when": opens(watch.start, seen.at), "hour": hour(watch.end)}
    if covers(seen.known.offered.get(watch.gardien, ()), watch.start):
        return gettext("%(who)s devait ouvrir %(when)s, jusqu’à %(hour)s, et cherche quelqu’un à sa place.", **said)
    if watch.gardien == reader:
        return gettext("Votre garde commence %(when)s ; le lieu est ouvert probablement jusqu’à %(hour)s.", **said)
    if watch.takes_over:
        return gettext("%(who)s prend le relais %(when)s ; ouvert probablement jusqu’à %(hour)s.", **said)
    if seen.opening.open:
        return gettext("%(who)s doit rouvrir le lieu %(when)s, probablement jusqu’à %(hour)s.", **said)
    return gettext("%(who)s doit ouvrir le lieu %(when)s, probablement jusqu’à %(hour)s.", **said)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _notes(*, link_up: bool) -> list[str]:
    """What needs somebody."""
    notes = []
    if not link_up:
        notes.append(
            gettext(
                "Le serveur ne joint pas le courtier MQTT : les portes décident seules et gardent leurs passages. "
                "Vérifiez que le courtier tourne."
            )
        )
    return notes
