"""Who holds which evening? Days, evenings and what hangs on them, as people say them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from policy.terms import HOUR, Instant
from server.models import RotaOffer
from server.queries.bookings import Slot
from server.queries.current import Current
from server.queries.rota import Kind, Turn, turn_of
from server.queries.rota_days import Day, Evening, before
from server.text.dates import calendar_day, hour, hours, local, short_day
from server.text.translate import N_, gettext, ngettext

DONE = {
    "taken": N_("%(when)s : la garde est à vous."),
    "given": N_("%(when)s : la garde est à %(who)s."),
    "kept": N_("%(when)s : la garde reste à %(who)s."),
    "offered": N_("%(when)s : proposée. Elle reste à %(who)s tant que personne ne la prend."),
    "given_back": N_("%(when)s : rendue. Les autres gardiens la voient."),
    "later": N_("%(when)s : noté, la garde commence plus tard. Les autres le lisent."),
    "earlier": N_("%(when)s : noté, la garde finit plus tôt. Les autres le lisent."),
    "prolonged": N_("%(when)s : la garde dure une heure de plus."),
    "undone": N_("%(when)s : annulé, c’est comme avant."),
}


WRONG_LAST = N_("Écrivez le dernier jour ainsi : 31/03/2027.")
WRONG = {
    "first": N_("Écrivez le premier jour ainsi : 24/12/2026."),
    "last": N_("Écrivez le dernier jour ainsi : 31/12/2026. Il ne vient pas avant le premier, ni plus d’un an après."),
}
"""Of an absence."""


SOON: Instant = 12 * HOUR
"""So long before its start it can be said that an evening begins later or ends earlier."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A swap that somebody proposes. mine: whether the reader proposed it. who: for whom it is answered.

    stands_in: their name, where the team answers for them; empty where the reader answers.
    """

    series: str
    said: str
    lines: tuple[str, ...]
    mine: bool
    who: str
    stands_in: str


@dataclass(frozen=True, slots=True)
class Away:
    """An absence. said: whose, where it is not the reader's, and when."""

    id: int
    said: str
    who: str


@dataclass(frozen=True, slots=True)
class Line:
    """One evening. state: held, gap or doubt. who: its gardien, `vous`, or what is missing. notes: what hangs on it.

    mine: whether it is the reader's. takes: whether they may take it. changes: whether they may give it away.
    late, early: whether its hours may still begin later, or end earlier.
    """

    key: str
    hours: str
    who: str
    state: str
    notes: tuple[str, ...]
    mine: bool
    takes: bool
    changes: bool
    kept: bool
    gardien: str
    late: bool
    early: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A day. lines: its evenings; said: what there is without any. today: whether it is this one."""

    date: date
    name: str
    said: str
    state: str
    mine: bool
    lines: tuple[Line, ...]
    notes: tuple[str, ...]


def told(day: Day, current: Current, at: Instant, reader: str | None, *, takes: bool, staff: bool) -> Told:
    """reader: the member who reads. takes: whether they are a gardien; staff: whether they may do it for anyone."""
    today = current.calendar.date_at(at)
    lines = tuple(_line(one, current, at, reader, takes=takes, staff=staff) for one in day.evenings)
    states = {one.state for one in lines}
    said = "" if lines else gettext("pas de garde") if day.staffed else gettext("fermé")
    state = next((state for state in ("gap", "doubt") if state in states), "held" if lines else "off")
    mine = any(one.mine for one in lines)
    notes = _waiting(day.waiting, current)
    return Told(day.date, day_name(day.date, today), said, state, mine, lines, notes)


def day_name(day: date, today: date) -> str:
    """aujourd’hui, 25 nov.; jeu. 26 nov."""
    return gettext("aujourd’hui, %(day)s", day=short_day(day)) if day == today else calendar_day(day)


def when(turn: Turn) -> str:
    """Jeu. 26 nov., 18 h – 22 h."""
    said = f"{calendar_day(turn.day)}, {hours(turn.start, turn.end)}"
    return said[:1].upper() + said[1:]


def within(turn: Turn) -> str:
    """The same in the middle of a sentence."""
    return f"{calendar_day(turn.day)}, {hours(turn.start, turn.end)}"


def _line(one: Evening, current: Current, at: Instant, reader: str | None, *, takes: bool, staff: bool) -> Line:
    turn, mine = one.turn, one.turn.gardien is not None and one.turn.gardien == reader
    state = "gap" if one.gap else "doubt" if one.in_doubt else "held"
    soon = not one.gap and turn.start - at <= SOON
    return Line(
        key=turn.key,
        hours=hours(turn.start, turn.end),
        who=gettext("vous") if mine else name(current, turn.gardien) if turn.gardien else gettext("sans gardien"),
        state=state,
        notes=tuple(_notes(one, current, mine=mine)),
        mine=mine,
        takes=takes and not mine and state != "held",
        changes=turn.gardien is not None and (mine or staff),
        kept=one.in_doubt and one.stays,
        gardien=turn.gardien or "",
        late=soon and not one.begun,
        early=soon,
    )


def name(current: Current, who: str | None) -> str:
    """As the pages call a member."""
    return current.called.member(who) or gettext("Membre retiré")


def _notes(one: Evening, current: Current, *, mine: bool) -> list[str]:
    found = []
    who = name(current, one.turn.gardien)
    if one.turn.gardien is not None and not one.able:
        found.append(gettext("à reprendre : %(who)s ne peut pas la tenir (accès suspendu ou terminé)", who=who))
    elif one.offer is not None:
        found.append(_doubt(one.offer.kind, who, mine=mine))
    found += [gettext("%(title)s à %(hour)s", title=title, hour=hour(start)) for title, start in one.events]
    return [*found, *_waiting(one.waiting, current)]


def _doubt(kind: str, who: str, *, mine: bool) -> str:
    if mine:
        return gettext("à reprendre : elle reste à vous tant que personne ne la prend")
    match kind:
        case Kind.GIVEN_BACK:
            return gettext("à reprendre : %(who)s ne peut plus ; sans vous, la garde reste à son nom", who=who)
        case Kind.ABSENCE:
            return gettext("à reprendre : %(who)s est en congé", who=who)
    return gettext("à reprendre : %(who)s la propose ; sans vous, la garde reste à son nom", who=who)


def _waiting(slots: tuple[Slot, ...], current: Current) -> tuple[str, ...]:
    if not slots:
        return ()
    machines = sorted({current.called.place(slot.machine) for slot in slots})
    said = ngettext(
        "%(num)s réservation attend un gardien : %(machines)s",
        "%(num)s réservations attendent un gardien : %(machines)s",
        len(slots),
        machines=", ".join(machines),
    )
    return (said,)


def asks(current: Current, swaps: Sequence[RotaOffer], at: Instant, reader: str | None, *, staff: bool) -> list[Ask]:
    """The swaps that wait for the reader's yes, that they proposed themselves, and for the team all others."""
    found = []
    for series in dict.fromkeys(one.series for one in swaps):
        rows = [one for one in swaps if one.series == series]
        pairs = [(turn_of(current.bundle, one.turn), turn_of(current.bundle, one.against)) for one in rows]
        first = rows[0]
        mine = first.member == reader
        if not (mine or first.to == reader or staff):
            continue
        live = [(give, get) for give, get in pairs if give is not None and get is not None and give.end > at < get.end]
        if len(live) < len(pairs):
            continue
        found.append(_ask(current, first, live, reader, mine=mine))
    return found


def asked(current: Current, rows: Sequence[RotaOffer], reader: str | None) -> list[tuple[str, str]]:
    """The gaps that the reader is asked about at this moment: key, and when."""
    found = [turn_of(current.bundle, one.turn) for one in rows if one.member == reader]
    return [(one.key, within(one)) for one in found if one is not None and one.gardien is None]


def _ask(current: Current, first: RotaOffer, pairs: list[tuple[Turn, Turn]], reader: str | None, *, mine: bool) -> Ask:
    who, to = name(current, first.member), name(current, first.to)
    if mine:
        said = gettext("Vous proposez un échange à %(who)s.", who=to)
        lines = [gettext("votre %(mine)s contre %(theirs)s", mine=within(a), theirs=within(b)) for a, b in pairs]
    elif first.to == reader:
        said = gettext("%(who)s propose un échange.", who=who)
        lines = [gettext("votre %(mine)s contre %(theirs)s", mine=within(b), theirs=within(a)) for a, b in pairs]
    else:
        said = gettext("%(who)s propose un échange à %(to)s.", who=who, to=to)
        lines = [gettext("%(mine)s contre %(theirs)s", mine=within(a), theirs=within(b)) for a, b in pairs]
    stands_in = "" if mine or first.to == reader else to
    return Ask(first.series, said, tuple(lines), mine, (first.member if mine else first.to) or "", stands_in)


def absences(
    current: Current, rows: Sequence[RotaOffer], today: date, reader: str | None, *, staff: bool
) -> list[Away]:
    """The reader's own; for the team those of everybody."""
    found = []
    for one in rows:
        if one.last is None or one.first is None or one.last < today or not (staff or one.member == reader):
            continue
        when_ = gettext("du %(first)s au %(last)s", first=calendar_day(one.first), last=calendar_day(one.last))
        said = when_ if one.member == reader else f"{name(current, one.member)}, {when_}"
        found.append(Away(one.id or 0, said, one.member or ""))
    return found


def counted(gaps: int, doubts: int) -> str:
    """2 soirées sans gardien, 1 garde à reprendre; empty where all is held."""
    parts = []
    if gaps:
        parts.append(ngettext("%(num)s soirée sans gardien", "%(num)s soirées sans gardien", gaps))
    if doubts:
        parts.append(ngettext("%(num)s garde à reprendre", "%(num)s gardes à reprendre", doubts))
    return ", ".join(parts)


def runs_line(turn: Turn) -> str:
    """One's own shift that runs, in one line."""
    return gettext("Votre garde, maintenant : %(when)s.", when=within(turn))


def next_line(turn: Turn) -> str:
    """One's own next shift in one line."""
    return gettext("Votre prochaine garde : %(when)s.", when=within(turn))


def next_said(turn: Turn, current: Current, at: Instant) -> tuple[str, str]:
    """The headline of one's own next shift, and the sentence below it."""
    today = current.calendar.date_at(at)
    told_ = hours(turn.start, turn.end)
    if turn.day == today:
        headline = gettext("Ce soir, %(hours)s", hours=told_) if local(turn.start).hour >= 17 else None
        headline = headline or gettext("Aujourd’hui, %(hours)s", hours=told_)
    else:
        headline = when(turn)
    said = []
    if (other := before(current, turn)) is not None:
        passed = {"who": name(current, other.gardien), "hour": hour(turn.start)}
        said.append(gettext("%(who)s vous passe le lieu à %(hour)s.", **passed))
    if turn.start > at:
        lead = hour(turn.start - current.rules.shift_lead)
        said.append(gettext("Vous pouvez badger dès %(hour)s : la porte vous connaît.", hour=lead))
    return headline, " ".join(said)
