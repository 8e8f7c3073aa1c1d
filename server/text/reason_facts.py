"""What does the server know about a reason? Hours, dates and names to fill into its sentence, as people write them.

Each function answers for one reason; what it does not know it leaves out, and a shorter sentence is said.
"""

from collections.abc import Callable, Mapping
from datetime import date

from policy import bookings, quota
from policy.bundle import Credential, Member
from policy.calendar import resolve
from policy.reasons import Reason
from policy.ruleset import Machine, Period, Unit
from policy.spans import last_end, next_start
from policy.terms import MINUTE, Instant
from policy.units import DATE, name_at
from server.queries.current import Current
from server.queries.history import Passage
from server.queries.now import shift_end
from server.text.dates import day, hour, local, when
from server.text.translate import N_, gettext

STATUSES = {"lost": N_("perdu"), "stolen": N_("volé"), "returned": N_("rendu")}
PERIODS = {Period.WEEK: N_("cette semaine"), Period.MONTH: N_("ce mois")}

Facts = dict[str, str]


def particulars(passage: Passage, current: Current, now: int) -> Facts:
    """All that is known, by the names in the sentences of text/reasons.py. now: hours of another day bear its name."""
    know = KNOWN.get(passage.reason)
    return {} if know is None else know(passage, current, now)


def _own_shift(passage: Passage, current: Current, _now: int) -> Facts:
    end = shift_end(current, passage.member, passage.at) if passage.member is not None else None
    return {"end": hour(end)} if end is not None else {}


def _outside_hours(passage: Passage, current: Current, now: int) -> Facts:
    following = next_start(current.rules.staffed, passage.at)
    return {"next": when(following, now)} if following is not None else {}


def _credential(passage: Passage, current: Current, _now: int) -> Facts:
    credential: Credential | None = current.badges.get(passage.credential or "")
    if credential is None:
        return {}
    if credential.status in STATUSES:
        return {"status": gettext(STATUSES[credential.status])}
    return {"expired": _day(credential.valid_until, current)} if credential.valid_until else {}


def _membership(passage: Passage, current: Current, _now: int) -> Facts:
    member: Member | None = next((m for m in current.bundle.members if m.id == passage.member), None)
    if member is None:
        return {}
    if member.valid_from is not None and passage.at < current.calendar.day_start(member.valid_from):
        return {"begins": _day(member.valid_from, current)}
    return {"ended": _day(member.valid_until, current)} if member.valid_until else {}


def _event(passage: Passage, current: Current, _now: int) -> Facts:
    for event in current.bundle.events:
        if resolve(event.start, current.zone) <= passage.at < resolve(event.end, current.zone, last=True):
            return {"title": event.title}
    return {}


def _pass(passage: Passage, current: Current, _now: int) -> Facts:
    """The last unit paid: of those that the edges told, else of those that the bundle brought."""
    used = [unit for held in current.bundle.passes if held.member == passage.member for unit in held.used]
    today = name_at(current.rules, Unit.HALF_DAY, passage.at)
    last = passage.paid or max((unit for unit in used if unit <= today), default=None)
    return {} if last is None else {"since": _day(date.fromisoformat(last[:DATE]), current)}


def _full(_passage: Passage, current: Current, _now: int) -> Facts:
    capacity = current.rules.capacity
    return {} if capacity is None else {"people": str(capacity)}


def _until(passage: Passage, _current: Current, now: int) -> Facts:
    return {} if passage.about is None else {"until": _end(passage.about, passage, now)}


def _end(end: Instant, passage: Passage, now: int) -> str:
    """The hour alone of an end on the passage's own day, which is said with the passage."""
    return hour(end) if local(end).date() == local(passage.at).date() else when(end, now)


def _session_ended(passage: Passage, _current: Current, _now: int) -> Facts:
    return {} if passage.about is None else {"minutes": str((passage.at - passage.about) // MINUTE)}


def _locked_out(passage: Passage, current: Current, _now: int) -> Facts:
    machine = current.machines.get(_place(passage, current))
    lock = None if machine is None else machine.locked_out
    return {} if lock is None else {"why": lock.why, "by": lock.by}


def _kind(passage: Passage, current: Current, _now: int) -> Facts:
    machine = _machine(passage, current)
    return {} if machine is None else {"kind": current.called.kind(machine.kind)}


def _machine_hours(passage: Passage, current: Current, now: int) -> Facts:
    """When the machine stopped, if that was today; when it runs again."""
    machine = _machine(passage, current)
    if machine is None or machine.hours is None:
        return {}
    end, following = last_end(machine.hours, passage.at), next_start(machine.hours, passage.at)
    facts = {"next": when(following, now)} if following is not None else {}
    if end is not None and end >= current.rules.day_start(passage.at):
        facts["end"] = hour(end)
    return facts


def _companion(passage: Passage, current: Current, _now: int) -> Facts:
    machine = _machine(passage, current)
    return {"people": str(machine.min_people)} if machine is not None and machine.min_people > 2 else {}


def _booked(passage: Passage, current: Current, now: int) -> Facts:
    covering = bookings.covering(current.rules, _place(passage, current), passage.at)
    booking = next((one for one in covering if one.member != passage.member), None)
    if booking is None:
        return {}
    release = booking.start + bookings.RELEASE_AFTER
    facts = {"end": _end(booking.end, passage, now)}
    return facts | {"release": hour(release)} if passage.at < release < booking.end else facts


def _quota(passage: Passage, current: Current, _now: int) -> Facts:
    machine = _machine(passage, current)
    held = current.rules.quotas.get(machine.kind) if machine is not None else None
    if held is None:
        return {}
    _, end = quota.period(current.rules, held.period, passage.at)
    return {"minutes": str(held.seconds // 60), "period": gettext(PERIODS[held.period]), "next": day(end)}


def _place(passage: Passage, current: Current) -> str:
    reader = current.rules.readers.get(passage.reader)
    return "" if reader is None else reader.access_point


def _machine(passage: Passage, current: Current) -> Machine | None:
    return current.rules.machines.get(_place(passage, current))


def _day(date_: date, current: Current) -> str:
    return day(current.calendar.day_start(date_))


KNOWN: Mapping[Reason, Callable[[Passage, Current, int], Facts]] = {
    Reason.OWN_SHIFT: _own_shift,
    Reason.EVENT: _event,
    Reason.OUTSIDE_HOURS: _outside_hours,
    Reason.CREDENTIAL_BLOCKED: _credential,
    Reason.MEMBERSHIP_NOT_VALID: _membership,
    Reason.PASS_EXHAUSTED: _pass,
    Reason.SITE_FULL: _full,
    Reason.WALK_UP: _until,
    Reason.BOOKING: _until,
    Reason.MACHINE_BUSY: _until,
    Reason.SESSION_ENDED: _session_ended,
    Reason.MACHINE_LOCKED_OUT: _locked_out,
    Reason.NOT_CERTIFIED: _kind,
    Reason.CERTIFICATION_EXPIRED: _kind,
    Reason.OUTSIDE_MACHINE_HOURS: _machine_hours,
    Reason.COMPANION_REQUIRED: _companion,
    Reason.BOOKED_BY_OTHER: _booked,
    Reason.QUOTA_EXHAUSTED: _quota,
}
