"""Who books a machine, moves a booking, cancels it? Each function is one change, in the caller's transaction.

The one writer checks and stores in it, so no two bookings overlap however many ask at once. What comes of it is a
value. Rules go by it: they are to be published then. What is free again is offered to whoever waits for it, one at a
time (server/changes/booking_waits.py), before anybody else may book it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import Table, func, select
from sqlmodel import Session

from policy.booking_terms import Against, Rule, Wish, against, on_step, same_terms, terms_of
from policy.bundle import Booking, Machine, Member, Site
from policy.calendar import Calendar, resolve
from policy.instants import of
from policy.terms import HOUR, MINUTE, Instant
from server import models
from server.audit import Change, Decided, record
from server.changes.bundle import columns_of
from server.database.types import moment
from server.errors import ImportRefusedError
from server.publish.bundle import held, site_said
from server.queries.booking_falls import BY_RULE
from server.queries.booking_waits import Outcome, is_over, open_rows
from server.queries.bookings import (
    RUNS,
    Free,
    Slot,
    holding,
    in_the_way,
    in_use,
    lapsed,
    next_free,
    offers,
    slot,
    slots,
)

LOCAL = "%Y-%m-%dT%H:%M"
_table: Table = models.Booking.__table__  # type: ignore[attr-defined]


class Wanted(Struct, frozen=True):
    """One of these machines, the first that is free, for the member from start to end."""

    machines: tuple[str, ...]
    member: str
    start: Instant
    end: Instant


class Booked(Struct, frozen=True):
    """It is made, or moved."""

    slot: Slot


class Taken(Struct, frozen=True):
    """Somebody has the machine then. held_by_other: somebody else. next_free: the first time at which it would fit.

    in_use: by a session that runs, and no booking.
    """

    held_by_other: bool
    next_free: Free | None
    in_use: bool = False


class Cancelled(Struct, frozen=True):
    """late: later than the site's terms have it, by its holder: it counts as a no-show."""

    slot: Slot
    late: bool


@dataclass(frozen=True, slots=True)
class Ground:
    """What a wish is held against, as the tables have it in this transaction."""

    session: Session
    decided: Decided
    site: Site
    calendar: Calendar
    machines: Mapping[str, Machine]
    by_rules: bool

    def free(self, machines: Sequence[Machine], wanted: Wanted) -> Free | None:
        return next_free(
            self.session,
            self.site,
            self.calendar,
            machines,
            wanted.member,
            wanted.start,
            wanted.end,
            self.decided.at,
        )


def book(session: Session, decided: Decided, wanted: Wanted, *, by_rules: bool = True) -> Booked | Taken | Against:
    """A new booking. by_rules: else the site's limits do not hold, as for the team's maintenance and workshops."""
    ground = ground_of(session, decided, by_rules=by_rules)
    machines = [ground.machines[one] for one in wanted.machines if one in ground.machines]
    member = known_member(session, wanted.member)
    offer_free(ground)
    if not machines or member is None:
        return Against(Rule.MACHINE if not machines else Rule.MEMBER)
    whys = [refused(ground, one, member, wanted) for one in machines]
    possible = [one for one, why in zip(machines, whys, strict=True) if why is None]
    if not possible:
        return next(why for why in whys if why is not None)
    for machine in possible:
        if not _clear(ground, machine, wanted):
            continue
        return Booked(_insert(ground, machine.id, wanted))
    return _taken(ground, possible, wanted)


def move(
    session: Session,
    decided: Decided,
    which: str,
    start: Instant,
    end: Instant,
    *,
    member: str | None = None,
    by_rules: bool = True,
    to: str | None = None,
) -> Booked | Taken | Against:
    """Another time, or another machine: `to`. One that has begun keeps its start. member: only where it is theirs."""
    ground, known = ground_of(session, decided, by_rules=by_rules), slot(session, which)
    if known is None or known.end <= decided.at or member not in (None, known.member):
        return Against(Rule.GONE)
    place = to or known.machine
    holder, machine = known_member(session, known.member), ground.machines.get(place)
    if holder is None or machine is None:
        return Against(Rule.MACHINE if machine is None else Rule.MEMBER)
    wanted = Wanted((place,), known.member, start, end)
    offer_free(ground)
    if known.start <= decided.at and start != known.start:
        return Against(Rule.PAST)
    why = refused(ground, machine, holder, wanted, moved=known)
    if why is not None:
        return why
    if not _clear(ground, machine, wanted, moved=known):
        return _taken(ground, [machine], wanted, moved=known)
    times = _times(ground.calendar, start, end) | {"machine": place}
    before = _times(ground.calendar, known.start, known.end) | {"machine": known.machine}
    session.connection().execute(_table.update().where(_table.c.id == which).values(times))
    record(session, decided, [Change(models.Booking, (which,), "changed", before, times)])
    offer_free(ground)
    return Booked(known._replace(start=start, end=end, machine=place))


def cancel(session: Session, decided: Decided, which: str, *, member: str | None = None) -> Cancelled | Against:
    """What is left of the booking is free for others. member: only where it is theirs."""
    ground, known = ground_of(session, decided, by_rules=True), slot(session, which)
    if known is None or known.end <= decided.at or member not in (None, known.member):
        return Against(Rule.GONE)
    machine = ground.machines.get(known.machine)
    hours = 0 if machine is None else terms_of(ground.site, machine).cancel_hours
    late = member is not None and decided.at > known.start - hours * HOUR
    end_slots(session, decided, [known], late=late)
    offer_free(ground)
    return Cancelled(known, late)


def end_slots(session: Session, decided: Decided, fallen: Sequence[Slot], *, late: bool = False) -> None:
    """These bookings hold no more."""
    ended = {"ended": moment(decided.at), "late": late}
    for one in fallen:
        session.connection().execute(_table.update().where(_table.c.id == one.id).values(ended))
    record(
        session,
        decided,
        [
            Change(models.Booking, (one.id,), "ended", {"machine": one.machine, "member": one.member}, None)
            for one in fallen
        ],
    )


def end_at(ground: Ground, slot: Slot, end: Instant) -> None:
    """The booking ends earlier, by rule."""
    before, after = _times(ground.calendar, slot.start, slot.end), _times(ground.calendar, slot.start, end)
    ground.session.connection().execute(_table.update().where(_table.c.id == slot.id).values(after))
    record(
        ground.session,
        Decided(BY_RULE, ground.decided.at),
        [Change(models.Booking, (slot.id,), "changed", before, after)],
    )


def close(session: Session, decided: Decided, row: models.BookingWait, outcome: Outcome) -> None:
    """They wait no more."""
    row.ended, row.outcome = moment(decided.at), outcome
    session.add(row)
    session.flush()
    said = {"machine": row.machine, "member": row.member}
    record(session, decided, [Change(models.BookingWait, (row.id,), "ended", said, {"outcome": outcome})])


def offer_free(ground: Ground) -> int:
    """Who waits is offered what is free, whoever came first; what nobody answered, or is over, is closed.

    How many were offered something. Whom it could not be given to by the site's terms waits on.
    """
    rows, made = open_rows(ground.session), 0
    for row in rows:
        if (outcome := is_over(row, ground.decided.at) or _has(ground, row)) is not None:
            close(ground.session, ground.decided, row, outcome)
    for row in rows:
        if row.ended is None and row.offered is None and _may_have(ground, row):
            made += 1
            row.offered = moment(ground.decided.at)
            ground.session.add(row)
            ground.session.flush()
            said = {"machine": row.machine, "member": row.member}
            record(ground.session, ground.decided, [Change(models.BookingWait, (row.id,), "offered", None, said)])
    return made


def _has(ground: Ground, row: models.BookingWait) -> Outcome | None:
    """Whether they have the machine for a part of that time in another way."""
    held = slots(ground.session, of(row.start_at), of(row.end_at), machines=[row.machine], member=row.member)
    return Outcome.TAKEN if held else None


def _may_have(ground: Ground, row: models.BookingWait) -> bool:
    machine, member = ground.machines.get(row.machine), known_member(ground.session, row.member)
    if machine is None or member is None or machine.locked_out is not None:
        return False
    wanted = wanted_of(ground, machine, row)
    span = (of(row.start_at), of(row.end_at))
    if refused(ground, machine, member, wanted) is not None:
        return False
    if offers(ground.session, ground.decided.at, *span, machines=[row.machine]):
        return False
    return _clear(ground, machine, wanted)


def wanted_of(ground: Ground, machine: Machine, row: models.BookingWait) -> Wanted:
    """What is still to come of the time that is waited for: from the next step on."""
    start, at = of(row.start_at), ground.decided.at
    if start < at:
        start = on_step(ground.calendar, at, terms_of(ground.site, machine).step)
    return Wanted((machine.id,), row.member, start, of(row.end_at))


def ground_of(session: Session, decided: Decided, *, by_rules: bool) -> Ground:
    site = site_said(session)
    if site is None:
        raise ImportRefusedError("there is no site yet: start once with --bundle FILE")
    calendar = Calendar(ZoneInfo(site.timezone), site.day_cutoff)
    machines = {one.id: one for one in held(session, "machines")}
    return Ground(session, decided, site, calendar, machines, by_rules)


def known_member(session: Session, which: str) -> Member | None:
    found: tuple[Member, ...] = held(session, "members", {"id": which})
    return found[0] if found else None


def refused(
    ground: Ground, machine: Machine, member: Member, wanted: Wanted, moved: Slot | None = None
) -> Against | None:
    """moved: the booking that the wish stands in the place of; what it had does not count twice."""
    week = ground.calendar.date_at(wanted.start).weekday() + 1
    together = same_terms(machine, ground.machines.values())
    theirs = slots(
        ground.session, min(ground.decided.at, wanted.start) - week * 25 * HOUR, machines=together, member=member.id
    )
    counted = [(one.start, one.end) for one in theirs if moved is None or one.id != moved.id]
    same_start = moved is not None and moved.start == wanted.start
    wish = Wish(machine, member, wanted.start, wanted.end, counted, same_start)
    return against(ground.site, ground.calendar, wish, ground.decided.at, by_rules=ground.by_rules)


def _clear(ground: Ground, machine: Machine, wanted: Wanted, moved: Slot | None = None) -> bool:
    """Whether nobody has the machine then; a booking whose holder will not come any more makes way."""
    buffer = terms_of(ground.site, machine).buffer * MINUTE
    span = (wanted.start - buffer, wanted.end + buffer)
    near = slots(ground.session, *span, machines=[machine.id])
    kept = offers(ground.session, ground.decided.at, *span, machines=[machine.id], but=wanted.member)
    if ground.by_rules and (moved is None or moved.start != wanted.start):
        kept += in_use(ground.session, ground.decided.at, machines=[machine.id], but=wanted.member)
    if any(in_the_way(one, wanted.member, wanted.start, wanted.end, buffer) for one in kept):
        return False
    met = [
        one
        for one in near
        if (moved is None or one.id != moved.id) and in_the_way(one, wanted.member, wanted.start, wanted.end, buffer)
    ]
    gone = [one for one in met if one.member != wanted.member and lapsed(ground.session, one, ground.decided.at)]
    if len(gone) < len(met):
        return False
    if gone:
        end_slots(ground.session, Decided(BY_RULE, ground.decided.at), gone)
    return True


def _taken(ground: Ground, machines: Sequence[Machine], wanted: Wanted, moved: Slot | None = None) -> Taken:
    places, (start, end) = [one.id for one in machines], (wanted.start, wanted.end)
    met = holding(ground.session, ground.decided.at, wanted.member, start, end, machines=places)
    met = [one for one in met if moved is None or one.id != moved.id]
    own = any(one.member == wanted.member for one in met)
    runs = bool(met) and all(one.id.startswith(RUNS) for one in met)
    return Taken(not own, ground.free(machines, wanted), runs)


def _insert(ground: Ground, machine: str, wanted: Wanted) -> Slot:
    """At the end of the list."""
    last = ground.session.connection().execute(select(func.max(_table.c.position))).scalar()
    times = _times(ground.calendar, wanted.start, wanted.end)
    made = Booking(f"b-{token_hex(6)}", machine, wanted.member, times["start"], times["end"])
    columns = columns_of(made, models.Booking) | times | {"position": 0 if last is None else last + 1}
    ground.session.connection().execute(_table.insert(), columns)
    record(ground.session, ground.decided, [Change(models.Booking, (made.id,), "added", None, columns)])
    return Slot(wanted.start, wanted.end, machine, wanted.member, made.id)


def _times(calendar: Calendar, start: Instant, end: Instant) -> dict[str, Any]:
    return {
        "start": written(calendar, start),
        "end": written(calendar, end, last=True),
        "start_at": moment(start),
        "end_at": moment(end),
    }


def written(calendar: Calendar, at: Instant, *, last: bool = False) -> str:
    """The instant as a bundle writes it: local, and with its offset where the hour comes twice. last: it is an end."""
    local = calendar.local(at)
    plain = local.strftime(LOCAL)
    return plain if resolve(plain, calendar.zone, last=last) == at else local.isoformat(timespec="minutes")
