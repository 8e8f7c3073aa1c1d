"""When is a machine free, and may I have it? /calendar: a day of machines, the choice with its checks, one's own."""

from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session
from werkzeug.exceptions import BadRequest, NotFound

from policy.booking_terms import Against, Rule, on_step, terms_of
from policy.bundle import BookingTerms, Machine
from policy.calendar import Calendar, resolve
from policy.degrees import Known, Stretch, stretches
from policy.instants import in_our_years
from policy.reasons import Reason
from policy.terms import DAY, MINUTE, Instant
from server.audit import Decided
from server.changes.bookings import Booked, Cancelled, Taken, Wanted, book, cancel, move, written
from server.pages.booking_changes import stored
from server.pages.booking_mail import tell_cancelled
from server.queries.booking_outcomes import outcomes
from server.queries.booking_waits import waiting_for, waits
from server.queries.bookings import RUNS, Slot, holding, in_use, next_free, slots
from server.queries.current import Current
from server.queries.feeds import feeds_of
from server.queries.now import picture
from server.queries.start import About, Asker, Sign, Start
from server.roles import FAB_MANAGERS
from server.text import booking_feed, booking_waits
from server.text import calendar as text
from server.text import start as words
from server.text.dates import day as day_said
from server.text.dates import hour, hours, long_day
from server.text.translate import gettext
from server.web.sessions import context, roles, signed_in
from server.web.told import tell
from server.web.unreached import tell_unreached

page = Blueprint("calendar", __name__)
BUSY = Reason.MACHINE_BUSY
"""Of a machine that somebody uses now: nobody can wait for that on the waiting list."""


@dataclass(slots=True)
class Form:
    """What the form shows. starts, ends: (value, words, chosen)."""

    machines: list[tuple[str, str, bool]]
    starts: list[tuple[str, str, bool]]
    ends: list[tuple[str, str, bool]]
    start: Start | None
    title: str
    checks: list[words.Line]
    press: str
    wait: tuple[Instant, Instant, str, str] | None = None
    """A slot that somebody else has: from, to, the press that waits for it, and what that means."""


@page.get("/calendar", endpoint="page")
def show() -> ResponseReturnValue:
    """`?day=&machine=&start=&end=` choose; so do `at` and `minutes`, of a press in the picture. made: a start of one's
    own booking, to be shown first."""
    return _page(200)


@page.post("/calendar")
def make() -> ResponseReturnValue:
    me = signed_in().member
    current = context().current()
    machine, zone = current.machines.get(request.form.get("machine", "")), current.zone
    try:
        start = resolve(request.form.get("start", ""), zone)
        end = resolve(request.form.get("end", ""), zone, last=True)
    except ValueError:
        return _page(400, gettext("Choisissez un début et une fin."))
    if me is None or machine is None:
        raise BadRequest
    outcome = stored(lambda session, decided: book(session, decided, Wanted((machine.id,), me, start, end)))
    when = f"{day_said(start)}, {hours(start, end)}"
    if isinstance(outcome, Booked):
        tell(gettext("Réservée pour vous : %(machine)s, %(when)s.", machine=_called(machine), when=when))
        return _where_it_stands(machine, start)
    if _is_theirs(machine, me, start, end):  # the same press came twice
        tell(gettext("C’est déjà à vous : %(machine)s, %(when)s.", machine=_called(machine), when=when))
        return _where_it_stands(machine, start)
    if isinstance(outcome, Taken):
        return _page(409, words.taken(outcome, context().current()), outcome)
    return _page(409, words.term(outcome.rule, outcome.limit))


def _where_it_stands(machine: Machine, start: Instant) -> ResponseReturnValue:
    """The day of a booking that is made, with it in sight: what else is free then comes below."""
    calendar = context().current().calendar
    day, made = calendar.date_at(start).isoformat(), written(calendar, start)
    return redirect(url_for("calendar.page", day=day, machine=machine.id, made=made), 303)


def _is_theirs(machine: Machine, member: str, start: Instant, end: Instant) -> bool:
    """Whether the member has booked just this."""
    with context().database.reading() as session:
        found = slots(session, start, end, machines=[machine.id], member=member)
    return any((one.start, one.end) == (start, end) for one in found)


@page.post("/bookings/<path:which>/cancel")
def end(which: str) -> ResponseReturnValue:
    """One's own; a fab manager anybody's."""
    me, manages = signed_in().member, bool(roles() & FAB_MANAGERS)
    if me is None and not manages:
        raise NotFound
    with context().database.reading() as session:
        mine = [one for one in slots(session, context().clock(), member=me) if one.id == which] if me else []
    owner = me if mine or not manages else None
    unreached: list[str] = []

    def ended(session: Session, decided: Decided) -> Cancelled | Against:
        outcome = cancel(session, decided, which, member=owner)
        if isinstance(outcome, Cancelled) and owner is None:
            unreached.extend(tell_cancelled(session, outcome.slot, ""))
        return outcome

    outcome = stored(ended)
    tell_unreached(unreached)
    if isinstance(outcome, Against):
        tell(words.term(outcome.rule, outcome.limit))
    elif outcome.late:
        tell(gettext("Annulée. C’est tard : cela compte comme si personne n’était venu."))
    else:
        tell(gettext("Annulée : le créneau est libre pour les autres."))
    back = "me.page" if request.form.get("back") == "me" else "calendar.page"
    return redirect(url_for(back, day=request.form.get("day") if back == "calendar.page" else None), 303)


@page.post("/bookings/<path:which>/instead")
def take_instead(which: str) -> ResponseReturnValue:
    """One's own booking goes to another machine, for the same time."""
    me, machine = signed_in().member, context().current().machines.get(request.form.get("machine", ""))
    if me is None or machine is None:
        raise BadRequest
    with context().database.reading() as session:
        mine = next((one for one in slots(session, context().clock(), member=me) if one.id == which), None)
    if mine is None:
        tell(words.term(Rule.GONE, None))
        return redirect(url_for("me.page"), 303)
    start, end = mine.start, mine.end
    outcome = stored(lambda session, decided: move(session, decided, which, start, end, member=me, to=machine.id))
    if isinstance(outcome, Booked):
        when = f"{day_said(start)}, {hours(start, end)}"
        tell(gettext("Réservée pour vous : %(machine)s, %(when)s.", machine=_called(machine), when=when))
    elif isinstance(outcome, Taken):
        tell(words.taken(outcome, context().current()))
    else:
        tell(words.term(outcome.rule, outcome.limit))
    return redirect(url_for("me.page"), 303)


def _page(status: int, fault: str = "", taken: Taken | None = None) -> ResponseReturnValue:
    known, me = context(), signed_in().member
    current, at = known.current(), known.clock()
    calendar = current.calendar
    today = calendar.date_at(at)
    asked = request.values
    day = _day(asked.get("day", ""), today)
    if taken is not None and taken.next_free is not None:
        day = calendar.date_at(taken.next_free.start)
    machine = current.machines.get(asked.get("machine", "")) or next(iter(current.bundle.machines), None)
    if machine is None:
        return render_template("calendar.html", none=True), status
    first = today + timedelta(days=(day - today).days // 7 * 7)
    with known.database.reading() as session:
        place = picture(session, current, at).known
        week = stretches(place, max(at, calendar.midnight(first)), calendar.midnight(first + timedelta(days=7)))
        start, end = calendar.midnight(day), calendar.midnight(day + timedelta(days=1))
        of_day = [_cut(one, start, end) for one in week if one.start < end and one.end > start]
        opens = min((one.start for one in of_day if one.by is not None), default=start)
        found = slots(session, start, end)
        places = [one.id for one in current.bundle.machines]
        busy = sorted(holding(session, at, me or "", start, end, machines=places))
        running = [one for one in in_use(session, at, machines=places, but="") if one.start < end and one.end > start]
        seen = text.Seen(current, outcomes(session, found, at), me or "", at, bool(roles() & FAB_MANAGERS))
        mine = slots(session, at, member=me) if me is not None else []
        mine_waits = booking_waits.rows(waits(session, at, member=me), current) if me is not None else []
        made = feeds_of(session, me or "")
        member = me if me in current.rules.members else None
        asker = Asker(session, current, place, member) if member is not None else None
        wish = _wish(session, calendar, current, machine, day, max(at, opens), at, taken, member)
        form = _form(calendar, current, asker, machine, day, wish, at)
        if asker is not None and (slot := _missed(form, taken)) is not None:
            asked_by = waiting_for(session, machine.id, *slot, at)
            form.wait = *slot, _wait_press(slot), booking_waits.asked(asked_by, machine.id, current)
        sure = {one.id: _startable(asker, current, one) for one in mine} if asker is not None else {}
    drawn = text.axis(calendar, day, of_day, found)
    booked = [one for one in mine if one.machine == machine.id and written(calendar, one.start) == asked.get("made")]
    offered = [one for one in busy if one not in found and not one.id.startswith(RUNS)]
    taken_by = text.kept(found, running, seen)
    return render_template(
        "calendar.html",
        fault=fault,
        headline=_headline(calendar, current, machine, day, busy, at, long_day(calendar.midnight(day))),
        days=text.strip(current, calendar, first, day, week),
        earlier=(first - timedelta(days=7)).isoformat() if first > today else "",
        later=(first + timedelta(days=7)).isoformat(),
        chosen=day.isoformat(),
        machine=machine.id,
        axis=drawn,
        lanes=text.lanes(current, calendar, drawn, of_day, text.in_force(taken_by, seen) + offered, busy, seen),
        wish=drawn.block(*wish, "wish", *text.chosen(*wish)) if wish is not None and not booked else None,
        just_booked=bool(booked),
        shown_from=_sideways(drawn, [(one.start, one.end) for one in booked] or ([wish] if wish is not None else [])),
        value=lambda when: written(calendar, when),
        ending=lambda when: written(calendar, when, last=True),
        rows=text.listed(taken_by, seen),
        form=form if asker is not None else None,
        mine=[(one, *sure.get(one.id, ("", ""))) for one in mine],
        waits=mine_waits,
        feeds=[(what, gettext(name), what in made) for what, name in booking_feed.NAMES.items()],
        manages=seen.named,
        said=text.terms_said(terms_of(current.bundle.site, machine)),
    ), status


def _sideways(drawn: text.Axis, found: list[tuple[Instant, Instant]]) -> float | None:
    """From where the picture is shown where it is wider than the screen, percent of its width; None: its start."""
    block = drawn.block(*found[0], "") if found else None
    return None if block is None else block.x


def _cut(stretch: Stretch, start: Instant, end: Instant) -> Stretch:
    return Stretch(max(stretch.start, start), min(stretch.end, end), stretch.degree, stretch.by, stretch.gardiens)


def _day(asked: str, today: date) -> date:
    try:
        return max(today, in_our_years(date.fromisoformat(asked)))
    except ValueError:
        return today


def _called(machine: Machine) -> str:
    return context().current().called.place(machine.id)


def _wish(
    session: Session,
    calendar: Calendar,
    current: Current,
    machine: Machine,
    day: date,
    since: Instant,
    at: Instant,
    taken: Taken | None,
    member: str | None,
) -> tuple[Instant, Instant] | None:
    """What was chosen; else the first time of the day from since on that is free; None where none is."""
    if taken is not None and taken.next_free is not None:
        return taken.next_free.start, taken.next_free.end
    terms = terms_of(current.bundle.site, machine)
    length = text.usual(terms)
    begin, finish = calendar.midnight(day), calendar.midnight(day + timedelta(days=1))
    if (pressed := _pressed(calendar, terms, begin, finish)) is not None:
        return pressed
    try:
        start = resolve(request.values.get("start", ""), current.zone)
        if not begin <= start < finish:
            raise ValueError("of another day")
    except ValueError:
        first = on_step(calendar, since, terms.step)
        site = current.bundle.site
        free = next_free(session, site, calendar, [machine], member or "", first, first + length, at)
        return (free.start, free.end) if free is not None and calendar.date_at(free.start) == day else None
    try:
        end = resolve(request.values.get("end", ""), current.zone, last=True)
    except ValueError:
        end = start
    if not start < end <= start + 7 * DAY:
        end = _before_others(session, terms, machine, member or "", start, start + length)
    return start, end


def _before_others(
    session: Session, terms: BookingTerms, machine: Machine, member: str, start: Instant, end: Instant
) -> Instant:
    """The usual end, or an earlier one where somebody has booked before it and what is left is worth a booking."""
    apart = terms.buffer * MINUTE
    theirs = slots(session, start, end + apart, machines=[machine.id])
    begins = [one.start - (0 if one.member == member else apart) for one in theirs if one.start > start]
    earliest = min([end, *begins])
    return earliest if earliest - start >= terms.shortest * MINUTE else end


def _pressed(
    calendar: Calendar, terms: BookingTerms, begin: Instant, finish: Instant
) -> tuple[Instant, Instant] | None:
    """Where somebody pressed in the picture, from the step before on; and how far they drew, if they did."""
    at, minutes = request.args.get("at", ""), request.args.get("minutes", "")
    numbers = at.isdecimal() and minutes.isdecimal() and len(at) < 20 and len(minutes) < 6
    if not (numbers and begin <= int(at) < finish):
        return None
    step = terms.step * MINUTE
    start = on_step(calendar, int(at) - step + 1, terms.step)
    drawn = on_step(calendar, int(at) + int(minutes) * MINUTE, terms.step)
    return start, drawn if drawn - start >= max(terms.shortest * MINUTE, 2 * step) else start + text.usual(terms)


def _form(
    calendar: Calendar,
    current: Current,
    asker: Asker | None,
    machine: Machine,
    day: date,
    wish: tuple[Instant, Instant] | None,
    at: Instant,
) -> Form:
    terms = terms_of(current.bundle.site, machine)
    begin, finish = calendar.midnight(day), calendar.midnight(day + timedelta(days=1))
    starts = [
        one
        for one in text.times(calendar, machine, current, begin, finish - MINUTE)
        if (one >= at and text.may_begin(current, calendar, machine, one)) or (wish is not None and one == wish[0])
    ]
    ends: list[Instant] = []
    if wish is not None:
        last = wish[0] + max(terms.longest * MINUTE, wish[1] - wish[0])
        ends = text.times(calendar, machine, current, wish[0] + terms.shortest * MINUTE, last)
    start = asker.start(machine, *wish) if asker is not None and wish is not None else None
    press = ""
    if start is not None and start.bookable:
        press = gettext("Réserver %(day)s, %(hours)s", day=day_said(start.start), hours=hours(start.start, start.end))
    return Form(
        machines=[(one.id, _called(one), one.id == machine.id) for one in current.bundle.machines],
        starts=[(written(calendar, one), hour(one), wish is not None and one == wish[0]) for one in starts],
        ends=[
            (written(calendar, one, last=True), _ending(calendar, one, day), wish is not None and one == wish[1])
            for one in ends
        ],
        start=start,
        title=words.headline(start) if start is not None else "",
        checks=words.lines(start, current) if start is not None else [],
        press=press,
    )


def _missed(form: Form, taken: Taken | None) -> tuple[Instant, Instant] | None:
    """The slot that one could have but for whoever has it: what was asked for a moment ago, else what is chosen."""
    if taken is not None and taken.held_by_other and not taken.in_use:
        zone = context().current().zone
        return resolve(request.form["start"], zone), resolve(request.form["end"], zone, last=True)
    start = form.start
    if start is None:
        return None
    never = [one for one in start.checks if one.sign is Sign.NEVER]
    lost = [one for one in never if one.about is About.MACHINE and not one.own and one.reason is not BUSY]
    return (start.start, start.end) if lost and len(lost) == len(never) else None


def _wait_press(slot: tuple[Instant, Instant]) -> str:
    return gettext("Attendre ce créneau : %(day)s, %(hours)s", day=day_said(slot[0]), hours=hours(*slot))


def _ending(calendar: Calendar, at: Instant, day: date) -> str:
    """An end on another day bears its name; midnight is 24 h of the day before."""
    return hour(at) if calendar.date_at(at) == day else f"{day_said(at)}, {hour(at)}"


def _startable(asker: Asker, current: Current, slot: Slot) -> tuple[str, str]:
    """What stands in the way of a booking that is made, and what helps; both empty for nothing."""
    machine = current.machines.get(slot.machine)
    if machine is None:
        return gettext("la machine n’est plus là"), ""
    return words.hurdle(asker.start(machine, slot.start, slot.end, but=slot.id), current)


def startable(session: Session, current: Current, known: Known, member: str) -> list[tuple[Slot, tuple[str, str]]]:
    """The member's bookings that are not over, each with what stands in its way and what helps."""
    asker = Asker(session, current, known, member)
    return [(one, _startable(asker, current, one)) for one in slots(session, known.at, member=member)]


def _headline(
    calendar: Calendar, current: Current, machine: Machine, day: date, found: list[Slot], at: Instant, said: str
) -> str:
    """Mardi 1er décembre 2026 : Fraiseuse CNC, libre 11 h – 16 h; of one that is out of service nothing is free."""
    if machine.locked_out is not None:
        return gettext("%(day)s : %(machine)s, hors service", day=said, machine=_called(machine))
    start, end = calendar.midnight(day), calendar.midnight(day + timedelta(days=1))
    theirs = [one for one in found if one.machine == machine.id]
    gaps = text.gaps_of(current, calendar, text.Axis(start, end), machine, theirs, at)
    if not gaps:
        return gettext("%(day)s : rien de libre, %(machine)s", day=said, machine=_called(machine))
    if gaps == [(start, end)]:
        return gettext("%(day)s : libre toute la journée, %(machine)s", day=said, machine=_called(machine))
    free = ", ".join(hours(*gap) for gap in gaps)
    return gettext("%(day)s : %(machine)s, libre %(hours)s", day=said, machine=_called(machine), hours=free)
