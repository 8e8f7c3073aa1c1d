"""Who holds which evening? Days, evenings and what hangs on them, as people say them."""

from dataclasses import dataclass
from datetime import date

from policy.terms import Instant
from server.queries.bookings import Slot
from server.queries.current import Current
from server.queries.rota import Kind, Turn
from server.queries.rota_days import Day, Evening, before
from server.text.dates import calendar_day, hour, hours, local, short_day
from server.text.translate import N_, gettext, ngettext

DONE = {
    "taken": N_("%(when)s : la garde est à vous."),
    "given": N_("%(when)s : la garde est à %(who)s."),
    "kept": N_("%(when)s : la garde reste à %(who)s."),
    "offered": N_("%(when)s : proposée. Elle reste à %(who)s tant que personne ne la prend."),
    "given_back": N_("%(when)s : rendue. Les autres gardiens la voient."),
    "undone": N_("%(when)s : annulé, c’est comme avant."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One evening. state: held, gap or doubt. who: its gardien, `vous`, or what is missing. notes: what hangs on it.

    mine: whether it is the reader's. takes: whether they may take it. changes: whether they may give it away.
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


def told(day: Day, current: Current, today: date, reader: str | None, *, takes: bool, staff: bool) -> Told:
    """reader: the member who reads. takes: whether they are a gardien; staff: whether they may do it for anyone."""
    lines = tuple(_line(one, current, reader, takes=takes, staff=staff) for one in day.evenings)
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


def _line(one: Evening, current: Current, reader: str | None, *, takes: bool, staff: bool) -> Line:
    turn, mine = one.turn, one.turn.gardien is not None and one.turn.gardien == reader
    state = "gap" if one.gap else "doubt" if one.in_doubt else "held"
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


def counted(gaps: int, doubts: int) -> str:
    """2 soirées sans gardien, 1 garde à reprendre; empty where all is held."""
    parts = []
    if gaps:
        parts.append(ngettext("%(num)s soirée sans gardien", "%(num)s soirées sans gardien", gaps))
    if doubts:
        parts.append(ngettext("%(num)s garde à reprendre", "%(num)s gardes à reprendre", doubts))
    return ", ".join(parts)


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
