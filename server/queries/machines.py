"""How is each machine at this moment? Free, booked, running, stopped, out of service; or nobody knows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlmodel import Session, col, or_, select

from policy.bookings import covering, released
from policy.bundle import Machine
from policy.instants import instant, of
from policy.opening import Opening
from policy.ruleset import Booking
from policy.sessions import Session as Use
from policy.spans import covers, end_of, next_start
from policy.state import SiteState
from policy.terms import MINUTE, SECOND, Instant
from server.models import Edge, JournalRow, MachineOut
from server.queries.bookings import is_bookable
from server.queries.closing import closed_since
from server.queries.current import Current
from server.queries.devices import plug_at, printer_at, sensed_at
from server.queries.machine_out import outs
from server.queries.now import SILENT, last_words
from server.queries.site_state import is_locked_down, machines_at
from wire.messages import Plug, Printer
from wire.row import Kind, Order

SOON: Instant = 5 * MINUTE
"""So long before its end a session is said to end soon, as its lamp says it (edge/machine.py)."""


class State(StrEnum):
    """The first that holds, in this order."""

    OUT = "out"
    """Locked out by a page."""
    STOPPED = "stopped"
    """By its emergency stop, or by order."""
    UNKNOWN = "unknown"
    """Its edge is not heard from: whatever was known may be over."""
    SERVICE = "service"
    """Its service key is turned: somebody works on it, and nobody starts it."""
    FAULT = "fault"
    """Its reader or its edge's disk does not work: no session can start."""
    OVERRUN = "overrun"
    ENDING = "ending"
    RUNNING = "running"
    LOCKDOWN = "lockdown"
    """The place is locked down: it starts for the team alone."""
    BOOKED = "booked"
    LEFT = "left"
    """Booked by somebody who has left early: whoever books what is left has it (policy/bookings.py)."""
    SHUT = "shut"
    """Outside its hours."""
    FREE = "free"


RUNS = (State.OVERRUN, State.ENDING, State.RUNNING)
"""A session runs, as far as is known."""


@dataclass(frozen=True, slots=True)
class View:
    """use: the session that runs; of one that stopped or is not heard from, the last that is known to have run then.

    booking: whose time it is now, while nobody runs it. following: the next booking, or the one whose time it is
    while somebody else still runs it. free_until: of a free machine the end of its hours or the next booking, of
    another one whatever follows its session; None for no end in sight. opens: of one outside its hours. since: of a
    stop, a turned key, or the last word of its edge; None where there never was one. ordered: by an order, no button.
    broken: what does not work, `reader`, `disk`, `plug`, `no_safety` or `current`. out: the lock-out as it was noted.
    printer, plug: what those there say, while its edge is heard from. no_safety: a plug stands for the relay where
    the rules say that somebody can be hurt; its edge ends what runs, and lets nobody start it. place_shut: of a free
    machine, that nobody holds the place; place_due: though a shift has begun, whose gardien may come at any moment;
    place_opens: else when somebody is to be there, if that is known.
    """

    machine: Machine
    state: State
    use: Use | None = None
    booking: Booking | None = None
    following: Booking | None = None
    free_until: Instant | None = None
    opens: Instant | None = None
    since: Instant | None = None
    ordered: bool = False
    broken: str = ""
    out: MachineOut | None = None
    printer: Printer | None = None
    plug: Plug | None = None
    no_safety: bool = False
    place_shut: bool = False
    place_due: bool = False
    place_opens: Instant | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    current: Current
    state: SiteState
    outs: dict[str, MachineOut]
    opening: Opening
    at: Instant
    due: bool
    """The place is shut though a shift has begun, and nobody has closed it."""


def views(session: Session, current: Current, opening: Opening, at: Instant) -> list[View]:
    """Every machine, in the order of the site. opening: how open the place is."""
    state = machines_at(session, at)
    state.lockdown = is_locked_down(session)
    asked = _Asked(current, state, outs(session), opening, at, _is_due(session, current, opening, at))
    words = last_words(session)
    stops = _stops(session, set(asked.state.stopped))
    found = [_view(asked, machine, words.get(machine.id), stops.get(machine.id)) for machine in current.bundle.machines]
    return [_with_devices(asked, view, words.get(view.machine.id)) for view in found]


def _with_devices(asked: _Asked, view: View, word: tuple[Edge, Instant] | None) -> View:
    if word is None or not _is_heard(word, asked.at):
        return view
    edge, machine = word[0], view.machine.id
    no_safety = _is_no_safety(asked, plug_at(edge, machine), machine)
    return replace(view, printer=printer_at(edge, machine), plug=plug_at(edge, machine), no_safety=no_safety)


def _is_no_safety(asked: _Asked, plug: Plug | None, machine: str) -> bool:
    return plug is not None and plug.switches and asked.current.rules.machines[machine].can_hurt


def printer_of(session: Session, machine: str, at: Instant) -> Printer | None:
    """What the printer at a machine says, while its edge is heard from."""
    word = last_words(session).get(machine)
    return printer_at(word[0], machine) if word is not None and _is_heard(word, at) else None


def _is_heard(word: tuple[Edge, Instant], at: Instant) -> bool:
    """Whether what an edge said last is still so. word: the edge, and when it was heard last."""
    return bool(word[0].online) and word[1] >= at - SILENT


def _view(asked: _Asked, machine: Machine, word: tuple[Edge, Instant] | None, stop: JournalRow | None) -> View:
    at, place = asked.at, machine.id
    following = min(
        (one for one in asked.current.rules.bookings.get(place, ()) if one.start > at),
        key=lambda one: one.start,
        default=None,
    )
    ends = _free_until(asked, machine, following)
    use = asked.state.sessions.running(place, at)
    if machine.locked_out is not None:
        row = asked.outs.get(place)
        known = row is not None and (row.name, row.why) == (machine.locked_out.by, machine.locked_out.why)
        return View(machine, State.OUT, use, following=following, out=row if known else None)
    if place in asked.state.stopped:
        since = of(stop.at) if stop is not None else None
        ordered = stop is not None and stop.kind == Kind.COMMAND
        return View(
            machine, State.STOPPED, _ran_at(asked.state, place, since), None, following, None, None, since, ordered
        )
    if word is None or not _is_heard(word, at):
        return View(machine, State.UNKNOWN, use, following=following, since=word[1] or None if word else None)
    if use is not None:
        waits = (one for one in covering(asked.current.rules, place, at) if one.member != use.member)
        waiting = next((one for one in waits if not released(asked.state, place, one, at)), None)
        return View(machine, _running(use, at), use, None, waiting or following, ends)
    if (service := sensed_at(word[0], place).service) is not None:
        return View(machine, State.SERVICE, following=following, since=instant(service))
    if broken := _broken(asked, machine, word[0]):
        return View(machine, State.FAULT, following=following, broken=broken)
    if asked.state.lockdown:
        return View(machine, State.LOCKDOWN, following=following)
    for booking in covering(asked.current.rules, place, at):
        if not released(asked.state, place, booking, at):
            left = is_bookable(asked.state, place, booking, at)
            return View(machine, State.LEFT if left else State.BOOKED, None, booking, following, ends)
    hours = asked.current.rules.machines[place].hours
    if hours is not None and not covers(hours, at):
        return View(machine, State.SHUT, following=following, opens=next_start(hours, at))
    if asked.opening.open:
        return View(machine, State.FREE, following=following, free_until=ends)
    shut = View(machine, State.FREE, following=following, place_shut=True, place_due=asked.due)
    return shut if asked.due else replace(shut, place_opens=_place_opens(asked.current, at))


def _is_due(session: Session, current: Current, opening: Opening, at: Instant) -> bool:
    """See _Asked.due."""
    if opening.open or not any(covers(shifts, at) for shifts in current.shifts.values()):
        return False
    return closed_since(session, current, current.rules.day_start(at), at) is None


def _place_opens(current: Current, at: Instant) -> Instant | None:
    """When the team, or a gardien, is there next by what is planned."""
    planned = (next_start(spans, at) for spans in (current.rules.staffed, *current.shifts.values()))
    return min((start for start in planned if start is not None), default=None)


def _running(use: Use, at: Instant) -> State:
    if use.until is None or at < use.until - SOON:
        return State.RUNNING
    return State.ENDING if at < use.until else State.OVERRUN


def _broken(asked: _Asked, machine: Machine, edge: Edge) -> str:
    """See View.broken. A machine starts nothing that it cannot record."""
    if edge.readers.get(machine.reader):
        return "reader"
    if edge.journal_fault is not None:
        return "disk"
    plug = plug_at(edge, machine.id)
    if _is_no_safety(asked, plug, machine.id):
        return "no_safety"
    if plug is not None and plug.switches and plug.fault is not None:
        return "plug"
    return "current" if sensed_at(edge, machine.id).unpowered else ""


def _free_until(asked: _Asked, machine: Machine, following: Booking | None) -> Instant | None:
    """The end of its hours, the next booking or, of an open place, its closing: the first of them."""
    hours = asked.current.rules.machines[machine.id].hours
    opening = asked.opening
    ends = (
        following.start if following is not None else None,
        end_of(hours, asked.at) if hours is not None else None,
        opening.end if opening.open and not opening.endless else None,
    )
    return min((end for end in ends if end is not None and end > asked.at), default=None)


def _ran_at(state: SiteState, place: str, stopped: Instant | None) -> Use | None:
    """The session that a stop ended."""
    if stopped is None:
        return None
    uses: Iterator[Use] = (
        use
        for use in state.sessions.of_machine(place)
        if use.start <= stopped and use.over is not None and abs(use.over - stopped) <= SECOND
    )
    return max(uses, key=lambda use: use.start, default=None)


def _stops(session: Session, places: set[str]) -> dict[str, JournalRow]:
    """The row that stopped each of these machines, the latest one."""
    if not places:
        return {}
    row = JournalRow
    ordered = (col(row.kind) == Kind.COMMAND) & (col(row.order) == Order.LOCK_OUT) & col(row.granted)
    found = select(row).where(col(row.access_point).in_(places), or_(col(row.kind) == Kind.ESTOP, ordered))
    return {one.access_point or "": one for one in session.exec(found.order_by(col(row.at), col(row.id)))}


def bookings_in(current: Current, machine: str, start: Instant, end: Instant | None) -> list[Booking]:
    """The bookings of a machine that touch [start, end), by their start; end: None for all that are to come."""
    found = current.rules.bookings.get(machine, ())
    return sorted(
        (one for one in found if one.end > start and (end is None or one.start < end)), key=lambda one: one.start
    )
