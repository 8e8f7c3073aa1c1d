"""What is forgotten when its time is over? Who came and went after `retention_days`; what was decided after a year.

One step a call, so that nobody waits for it. Of a site day the hours and the month's numbers are counted before its
rows go, in one transaction. What accounts stand on stays without its minute: a unit paid keeps its half-day.
"""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, String, and_, cast, exists, false, func, not_, or_
from sqlmodel import Session, SQLModel, col, delete, select, update

from policy.calendar import Calendar
from policy.instants import of
from policy.ruleset import Period
from policy.terms import DAY, ClockState, Instant
from server.audit import SAID
from server.changes.counts import add_late, keep_counts
from server.changes.member_import import forget_files
from server.database.types import moment
from server.models import (
    AuditRow,
    Booking,
    BookingWait,
    CalendarFeed,
    CarnetEntry,
    Certification,
    CertificationEntry,
    Credit,
    GuestDay,
    HourKept,
    JournalRow,
    Machine,
    MachineBusy,
    MachineFault,
    MachineOut,
    MachineSession,
    MachineSheet,
    Member,
    Message,
    PaidUnit,
    Pass,
    Presence,
    Quota,
    RotaChange,
    RotaOffer,
    RotaPattern,
    Shift,
    Site,
    TrainingSeat,
    TrainingSession,
    Visitor,
)
from server.publish.bundle import calendar_of
from server.queries import history
from server.queries.first_row import KINDS, first_at
from server.queries.machine_service import ran
from wire.row import Kind

AUDIT_KEPT = timedelta(days=365)
CERTIFIED_KEPT = timedelta(days=5 * 365)
"""After the end of a certification: who was trained when an accident happened is asked years later."""
ACCOUNTS_KEPT = 10
"""Years after the one to which accounts belong, as the law has it."""
FOR_GOOD = tuple(
    str(table.__tablename__) for table in (CarnetEntry, Credit, Pass, RotaChange, RotaPattern, Shift, Site)
)
"""Nouns of the audit that accounts stand on, the bank of hours among them."""
GIVES_ROLES = '%"roles": ["%'
"""What a row of the audit has that gives a member a role, or takes one: the bank asks who was a gardien, and when."""
QUIET = 30 * DAY
"""How long nobody may have passed before a clock is doubted that would have names forgotten."""
COUNTED = {Period.WEEK.value: 8, Period.MONTH.value: 32}
"""Days for which a quota counts what somebody used, whatever is forgotten of their passages before."""
AT_ONCE = 1_000
"""Rows of the audit in one transaction."""


def purge(session: Session, now: Instant, days: int) -> str | None:
    """Forget a bit more: what, in words for the log; None once nothing older is left. days: how long names are kept."""
    calendar = calendar_of(session)
    kept_from = first_kept(calendar, now, days)
    earliest = _earliest(session, kept_from)
    if earliest is None:
        keep_counts(session, calendar, calendar.day_at(kept_from) - timedelta(1), now)
        return _forget_the_rest(session, kept_from, now)
    day = calendar.day_at(earliest)
    start, end = calendar.day_start(day), min(kept_from, calendar.day_end(day) or kept_from)
    _keep_hours_of_day(session, start, end)
    if not keep_counts(session, calendar, day, now):
        add_late(session, calendar, day, now)
    session.exec(delete(JournalRow).where(*_over(kept_from), col(JournalRow.at) < moment(end)))
    return f"who came and went on {day}"


def doubt(session: Session, now: Instant) -> Instant | None:
    """The newest passage, where it is so old that this clock may be wrong; None where it may be gone by.

    A clock that is years ahead would forget everything. What edges said goes by their own clocks.
    """
    row = JournalRow
    known = col(row.clock) != ClockState.UNKNOWN.value
    asked = (session.exec(select(func.max(row.at)).where(row.kind == kind, known)).one() for kind in map(str, Kind))
    newest = max((of(one) for one in asked if one is not None), default=None)
    return newest if newest is not None and newest < now - QUIET else None


def first_kept(calendar: Calendar, now: Instant, days: int) -> Instant:
    """The start of the earliest site day of which it is still kept who came and went."""
    return calendar.day_start(calendar.day_at(now - (days - 1) * DAY))


def left_over(session: Session, kept_from: Instant, now: Instant) -> dict[str, int]:
    """How many rows there are, by table, that should have been forgotten."""
    named = (TrainingSession, _trained(kept_from))
    tables: tuple[tuple[type[SQLModel], Where], ...] = ((JournalRow, _over(kept_from)), named, *_tables(kept_from, now))
    counted = {
        str(table.__tablename__): session.exec(select(func.count()).select_from(table).where(*where)).one()
        for table, where in tables
    }
    return {table: count for table, count in counted.items() if count}


Where = tuple[ColumnElement[bool], ...]


def _over(kept_from: Instant) -> Where:
    """Rows whose time is over. One of a clock that was lost says no time: then it counts when it came."""
    limit = moment(kept_from)
    dated = or_(col(JournalRow.clock) != ClockState.UNKNOWN.value, col(JournalRow.received) < limit)
    return col(JournalRow.kind).in_(KINDS), col(JournalRow.at) < limit, dated


def _earliest(session: Session, kept_from: Instant) -> Instant | None:
    """When the first row happened whose time is over."""
    _, *where = _over(kept_from)
    oldest = first_at(session, *where)
    return None if oldest is None else of(oldest)


def _keep_hours_of_day(session: Session, start: Instant, end: Instant) -> None:
    for hour in history.hours(session, start, end):
        if hour.peak or hour.came:
            known = session.get(HourKept, moment(hour.start)) or HourKept(start=moment(hour.start), came=0, peak=0)
            known.came, known.peak = known.came + hour.came, max(known.peak, hour.peak)  # rows that came late are more
            known.guests = max(known.guests, hour.guests)
            session.add(known)


def _trained(kept_from: Instant) -> Where:
    """Training sessions that are over and still name who held them; that they were is nobody's secret."""
    return col(TrainingSession.end) < moment(kept_from), col(TrainingSession.trainer).is_not(None)


def _not_counted(now: Instant) -> ColumnElement[bool]:
    """A use of a machine that no quota counts any more: a month's reaches back 31 days and a zone's hours."""
    row = MachineSession
    counted = (
        exists().where(
            col(Quota.kind) == col(row.kind),
            col(Quota.ended).is_(None),
            col(Quota.period) == period,
            col(row.ended) >= moment(now - days * DAY),
        )
        for period, days in COUNTED.items()
    )
    return ~or_(*counted)


def _tables(kept_from: Instant, now: Instant) -> tuple[tuple[type[SQLModel], Where], ...]:
    """What else names people with a time: tables, and which of their rows are over."""
    limit = moment(kept_from)
    over = select(TrainingSession.id).where(col(TrainingSession.end) < limit)
    return (
        (Presence, (col(Presence.at) < limit,)),
        (MachineSession, (col(MachineSession.ended) < limit, _not_counted(now))),
        (MachineBusy, (col(MachineBusy.at) < limit,)),
        (Booking, (col(Booking.end_at) < limit,)),
        (BookingWait, (col(BookingWait.end_at) < limit,)),
        (MachineFault, (col(MachineFault.done) < limit,)),
        (MachineOut, (col(MachineOut.back) < limit,)),
        (CalendarFeed, (col(CalendarFeed.ended) < limit,)),
        (RotaOffer, (col(RotaOffer.ended) < limit,)),
        (TrainingSeat, (col(TrainingSeat.session).in_(over),)),
        (Visitor, (col(Visitor.since) < limit,)),
        (Message, (col(Message.ended) < limit,)),
    )


def _keep_last_use(session: Session, limit: datetime) -> None:
    """Of sessions that are forgotten the day stays on which somebody last used a kind of machine."""
    row, ran = Certification, MachineSession
    asked = select(ran.member, ran.kind, func.max(ran.started)).where(col(ran.ended) < limit)
    for member, kind, at in session.exec(asked.group_by(ran.member, ran.kind)).all():
        held = session.get(row, (member, kind))
        if held is not None and (held.used is None or held.used < at.date()):
            held.used = at.date()
            session.add(held)
    session.flush()


def _keep_hours(session: Session, kept_from: Instant, now: Instant) -> None:
    """Of sessions that are forgotten it stays how long each machine ran, in all and since its maintenance."""
    known = set(session.exec(select(Machine.id)))
    gone = ran(session, now, col(MachineSession.ended) < moment(kept_from), _not_counted(now))
    for machine, hours in gone.items():
        if machine in known:
            sheet = session.get(MachineSheet, machine) or MachineSheet(machine=machine)
            sheet.seconds_gone += hours.whole
            sheet.seconds_since += hours.since
            session.add(sheet)
    session.flush()


def _forget_the_rest(session: Session, kept_from: Instant, now: Instant) -> str | None:
    _keep_last_use(session, moment(kept_from))
    _keep_hours(session, kept_from, now)
    gone = sum(session.exec(delete(model).where(*where)).rowcount for model, where in _tables(kept_from, now))
    gone += session.exec(update(TrainingSession).where(*_trained(kept_from)).values(trainer=None)).rowcount
    old = (col(MachineSheet.serviced) < moment(kept_from), col(MachineSheet.serviced_by) != "")
    gone += session.exec(update(MachineSheet).where(*old).values(serviced_by="")).rowcount
    gone += _forget_minutes(session, moment(kept_from))
    gone += _forget_paid(session, moment(now).year)
    gone += _forget_guests(session, moment(kept_from).date(), moment(now).year)
    gone += forget_files(session, moment(now))
    gone += _forget_certifications(session, moment(now) - CERTIFIED_KEPT)
    gone += _empty_audit(session, now)
    return f"{gone} older rows" if gone else None


def _forget_minutes(session: Session, limit: datetime) -> int:
    """A unit that was paid keeps its half-day; when the server heard of it is that day's beginning from then on."""
    old = session.exec(select(PaidUnit).where(col(PaidUnit.heard) < limit)).all()
    changed = 0
    for unit in old:
        day = datetime.combine(date.fromisoformat(unit.unit[:10]), time(), UTC)
        changed += unit.heard != day
        unit.heard = day
    return changed


def _forget_paid(session: Session, this_year: int) -> int:
    """Days and half-days of years whose accounts need not be kept any more, of members all of whose carnets were over
    before, too: a carnet that may still be used counts all that was ever paid, and takes on what found none."""
    first = date(this_year - ACCOUNTS_KEPT, 1, 1)
    over = or_(col(Pass.ended) < datetime.combine(first, time(), UTC), col(Pass.valid_until) < first)
    held = select(Pass.member).where(not_(func.coalesce(over, false())))
    old = delete(PaidUnit).where(col(PaidUnit.unit) < first.isoformat(), col(PaidUnit.member).not_in(held))
    return session.exec(old).rowcount


def _forget_guests(session: Session, kept_from: date, this_year: int) -> int:
    """Of a guest's day the month stays; their name goes when its year is over, as nothing is counted by it any more."""
    row, year = GuestDay, date(this_year, 1, 1)
    old = session.exec(select(row).where(row.day < kept_from, or_(col(row.exact), col(row.day) < year))).all()
    changed = 0
    for one in old:
        named = one.who if one.day >= year else ""
        changed += one.exact or one.who != named
        one.day, one.exact, one.visitor = one.day.replace(day=1), False, None
        one.who, one.name = named, one.name if named else ""
        session.add(one)
    return changed


def _forget_certifications(session: Session, limit: datetime) -> int:
    """Those that were over before the limit, and on what evidence they were given."""
    row, entry = Certification, CertificationEntry
    over = or_(col(row.ended) < limit, col(row.until) < limit.date())
    gone = session.exec(delete(row).where(over)).rowcount
    held = select(row.kind).where(col(row.member) == col(entry.member), col(row.kind) == col(entry.kind)).exists()
    return gone + session.exec(delete(entry).where(col(entry.at) < limit, ~held)).rowcount


def _gives_roles() -> ColumnElement[bool]:
    said = (func.coalesce(cast(column, String), "").like(GIVES_ROLES) for column in (AuditRow.before, AuditRow.after))
    return and_(col(AuditRow.noun) == Member.__tablename__, or_(*said))


def _empty_audit(session: Session, now: Instant) -> int:
    """What the audit says of more than a year ago; the chain stays whole (server/audit.py)."""
    old = (
        select(AuditRow.id)
        .where(col(AuditRow.at) < moment(now) - AUDIT_KEPT)
        .where(col(AuditRow.salt).is_not(None), col(AuditRow.noun).not_in(FOR_GOOD), ~_gives_roles())
        .limit(AT_ONCE)
    )
    empty = dict.fromkeys(SAID, "") | {"before": None, "after": None, "salt": None}
    ids = session.exec(old).all()
    if ids:
        session.exec(update(AuditRow).where(col(AuditRow.id).in_(ids)).values(**empty))
    return len(ids)
