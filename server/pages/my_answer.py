"""Is it open, and will this badge open it? The answer of a member’s own page, by the door's own `decide`."""

from dataclasses import dataclass

from policy.instants import of
from policy.opening import Degree
from policy.reasons import Reason
from policy.ruleset import Unit
from policy.spans import covers, end_of
from policy.terms import Direction, Instant
from server.pages.now import headline_of, holders_of, to_come, unlifted
from server.queries.current import Current
from server.queries.entry import Entry, Span
from server.queries.history import Passage
from server.queries.now import Picture, adhoc_of, shift_end
from server.text.dates import hour, opens, when
from server.text.reasons import Words, words
from server.text.translate import gettext, ngettext


@dataclass(frozen=True, slots=True)
class Answer:
    """The one answer. colour: open, need, no or shut. sign: good, warn, bad or none, beside what the badge would do."""

    colour: str
    headline: str
    sign: str
    badge: str
    lines: tuple[str, ...] = ()


def answer_of(seen: Picture, current: Current, who: str, asked: Entry | None, spans: list[Span]) -> Answer:
    """What is said first, of the place and of the badge."""
    if seen.fires:
        return Answer("no", gettext("Alarme incendie"), "bad", gettext("Sortez, et n’entrez pas."))
    if warned := _left_behind(seen, current, who):
        return warned
    if asked is None:
        said = gettext("Vous n’avez pas de badge : demandez-en un à l’accueil.")
        return Answer("need", headline_of(seen, current.called.members), "warn", said, _place(seen, current, who))
    granted, lines = asked.decision.granted, (*_place(seen, current, who), *_cost(current, asked))
    if seen.lockdown is not None:
        return _lockdown(seen, granted=granted)
    if granted:
        headline = headline_of(seen, current.called.members) if seen.opening.open else gettext("Fermé, sauf pour vous")
        if who in seen.opening.held_by and (end := _own_end(seen, current, who)) is not None:
            headline = gettext("Vous tenez le lieu jusqu’à %(hour)s", hour=hour(end))
            lines = tuple(line for line in lines if line != gettext("Vous tenez le lieu."))
        elif not seen.opening.open and seen.watch and seen.watch.gardien == who and seen.watch.start <= seen.at:
            until = _own_end(seen, current, who) or seen.watch.end
            headline = gettext("Votre garde, jusqu’à %(hour)s", hour=hour(until))
            lines = (gettext("Badgez à l’entrée : le lieu est alors ouvert à tous."), *lines)
        answer = Answer("open", headline, "good", _opens(current, asked), lines)
    elif asked.decision.reason is Reason.ALREADY_INSIDE:
        said = gettext("Votre badge est déjà à l’intérieur : badgez en sortant.")
        answer = Answer("open", headline_of(seen, current.called.members), "warn", said, _place(seen, current, who))
    elif asked.decision.reason is Reason.OUTSIDE_HOURS and not seen.opening.open:
        answer = _shut(seen, current, who, spans)
    else:
        answer = _refused(seen, current, who, asked)
    if seen.unlifted is not None:
        headline, lines = unlifted(seen)
        return Answer("need", headline, "warn", answer.badge, lines)
    return answer if seen.heard is None else _silent(seen, answer)


def _lockdown(seen: Picture, *, granted: bool) -> Answer:
    headline = gettext("Lieu confiné depuis %(since)s", since=_since(seen))
    badge = gettext("Votre badge ouvre la porte.") if granted else gettext("Seule l’équipe entre.")
    return Answer("no", headline, "good" if granted else "bad", badge, (gettext("Tout le monde peut sortir."),))


def _since(seen: Picture) -> str:
    since = of(seen.lockdown) if seen.lockdown is not None else seen.at
    return hour(since) if since >= seen.day_start else when(since, seen.at)


def _silent(seen: Picture, answer: Answer) -> Answer:
    """A door is silent: what was known is told as such."""
    heard = when(seen.heard or seen.at, seen.at)
    said = gettext("Une porte ne répond plus depuis %(heard)s : regardez sa lampe.", heard=heard)
    return Answer("need", answer.headline, "warn", answer.badge, (said, *answer.lines))


def _own_end(seen: Picture, current: Current, who: str) -> Instant | None:
    """When their own shift ends, whoever else holds the place after that; None in its grace."""
    own = [shift_end(current, who, seen.at), end_of(adhoc_of(seen, who), seen.at)]
    return max((end for end in own if end is not None), default=None)


def _place(seen: Picture, current: Current, who: str) -> tuple[str, ...]:
    """Who holds it and who opens next, as Maintenant says it."""
    names = current.called.members
    held = holders_of(seen, names, who)
    return (*((held,) if held else ()), *to_come(seen, names, who))


def _opens(current: Current, asked: Entry) -> str:
    doors = {known.access_point for known in current.rules.readers.values() if known.direction is Direction.IN}
    if doors <= set(asked.places):
        return gettext("Votre badge ouvre la porte.")
    return gettext("Votre badge ouvre : %(doors)s", doors=", ".join(current.called.place(one) for one in asked.places))


def _cost(current: Current, asked: Entry) -> tuple[str, ...]:
    """What entering takes from the carnet."""
    if asked.left is None or not asked.decision.granted or asked.decision.reason in (Reason.INVITED, Reason.STAFF):
        return ()
    if asked.decision.pays is None:
        return (gettext("Entrer maintenant ne prend rien sur votre carnet."),)
    unit = current.rules.tiers[current.rules.members[asked.decision.member or ""].tier].unit
    one = gettext("1 journée") if unit is Unit.DAY else gettext("1 demi-journée")
    return (gettext("Entrer maintenant prend %(one)s : il vous en restera %(left)s.", one=one, left=asked.left),)


def _refused(seen: Picture, current: Current, who: str, asked: Entry) -> Answer:
    said = _words(current, asked, seen.at)
    shut = gettext("Votre badge n’ouvre pas")
    headline = gettext("Ouvert, mais pas pour votre badge") if seen.opening.open else shut
    help_ = gettext("Ce qui aide : %(remedy)s.", remedy=said.remedy) if said.remedy else ""
    return Answer(
        "no", headline, "bad", _sentence(said.sentence), (*((help_,) if help_ else ()), *_place(seen, current, who))
    )


def _words(current: Current, asked: Entry, at: Instant) -> Words:
    """Of what the door would say, as of a passage."""
    said, tap = asked.decision, asked.tap
    told = Passage(0, "", "", 0, at, tap.reader, Direction.IN, tap.credential, said.member, None, False, said.reason)
    return words(told, current, at, to_member=True)


def _shut(seen: Picture, current: Current, who: str, spans: list[Span]) -> Answer:
    """When it opens next for this badge, and how sure that is."""
    coming = next((span for span in spans if span.granted and not (seen.closed and span.start <= seen.at)), None)
    shut, place = headline_of(seen, current.called.members), _place(seen, current, who)
    if coming is None:
        return Answer("shut", shut, "none", gettext("Rien n’ouvre à votre badge dans les 7 jours."), place)
    names = gettext(" et ").join(current.called.member(one) or gettext("Un gardien") for one in coming.gardiens)
    if coming.start <= seen.at:
        return _due(seen, coming, names, place)
    start = when(coming.start, seen.at)
    badge = gettext("Prochaine ouverture pour vous : %(when)s", when=start)
    if coming.degree is Degree.SURE:
        return Answer("shut", shut, "none", badge, (gettext("Votre badge ouvrira la porte à ce moment-là."), *place))
    if place:
        return Answer("shut", shut, "none", badge, place)
    said = gettext("%(who)s doit ouvrir le lieu %(when)s.", who=names, when=opens(coming.start, seen.at))
    return Answer("shut", shut, "none", badge, (said,))


def _due(seen: Picture, coming: Span, names: str, place: tuple[str, ...]) -> Answer:
    """A gardien's shift has begun, and nobody holds the place."""
    late = coming.degree is Degree.UNCERTAIN
    headline = gettext("Pas sûr pour l’instant") if late else gettext("%(who)s arrive bientôt", who=names)
    badge = gettext("Personne ne tient encore le lieu.") if late else gettext("La porte n’ouvre pas encore.")
    if all(_has_left(seen, who) for who in coming.gardiens):
        headline, badge = gettext("%(who)s est sorti·e", who=names), gettext("Personne ne tient le lieu.")
    if seen.watch is None or seen.watch.start > seen.at:  # a shift by two taps, of which the rota knows nothing
        place = (gettext("Garde prévue jusqu’à %(hour)s.", hour=hour(coming.end)), *place)
    return Answer("need", headline, "warn", badge, place)


def _left_behind(seen: Picture, current: Current, who: str) -> Answer | None:
    """For the gardien who was the last to hold the place, and has left while others are inside."""
    if not current.rules.members[who].gardien or seen.opening.open or seen.closed or not seen.inside:
        return None
    on_shift = covers(current.rules.shifts.get(who, ()), seen.at) or covers(adhoc_of(seen, who), seen.at)
    if not on_shift or not _has_left(seen, who):
        return None
    people = ngettext(
        "%(num)s personne est encore dans les murs, et plus personne ne tient le lieu.",
        "%(num)s personnes sont encore dans les murs, et plus personne ne tient le lieu.",
        len(seen.inside),
    )
    helps = gettext("Retournez-y, trouvez un gardien qui prend la suite, ou appelez l’équipe.")
    return Answer("need", gettext("Vous êtes sorti·e"), "warn", people, (helps,))


def _has_left(seen: Picture, who: str) -> bool:
    """Whether they were here on this site day, and are not."""
    move = seen.known.state.presence.moves.get(who)
    return move is not None and not move.inside and move.at >= seen.day_start


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}."
