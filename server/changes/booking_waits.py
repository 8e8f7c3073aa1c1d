"""Who waits for a machine that is booked, takes what is offered, or waits no more? Each function is one change.

Who came first is offered it, alone, for a quarter of an hour; what they do not take falls to the next
(server/changes/bookings.py:offer_free).
"""

from sqlmodel import Session

from policy.booking_terms import Against, Rule, terms_of
from policy.bundle import Machine, Member
from server.audit import Change, Decided, record
from server.changes.bookings import (
    Booked,
    Ground,
    Taken,
    Wanted,
    book,
    close,
    ground_of,
    known_member,
    offer_free,
    refused,
    wanted_of,
)
from server.database.types import moment
from server.models import BookingWait
from server.queries.booking_waits import Outcome, Wait, is_over, waits
from server.queries.bookings import slots


def wait(session: Session, decided: Decided, wanted: Wanted) -> Wait | Taken | Against:
    """At the end of the list; where it is free, and nobody came first, it is offered at once.

    Whoever waits for a part of that time already stays where they are. Taken: they have booked a part of it.
    """
    ground = ground_of(session, decided, by_rules=True)
    machine, member = ground.machines.get(wanted.machines[0]), known_member(session, wanted.member)
    if machine is None or member is None:
        return Against(Rule.MACHINE if machine is None else Rule.MEMBER)
    if (known := _mine(ground, wanted)) is not None:
        return known
    if slots(session, wanted.start, wanted.end, machines=[machine.id], member=member.id):
        return Taken(held_by_other=False, next_free=None)
    if (why := _against(ground, machine, member, wanted)) is not None:
        return why
    row = BookingWait(
        machine=machine.id,
        member=member.id,
        start_at=moment(wanted.start),
        end_at=moment(wanted.end),
        at=moment(decided.at),
    )
    session.add(row)
    session.flush()
    record(session, decided, [Change(BookingWait, (row.id,), "added", None, {"machine": row.machine})])
    offer_free(ground)
    made = _mine(ground, wanted)
    assert made is not None  # noqa: S101 - it was stored two lines above
    return made


def take(session: Session, decided: Decided, which: int, member: str) -> Booked | Taken | Against:
    """What is offered is booked; what is left of it, where it has begun."""
    ground, row = ground_of(session, decided, by_rules=True), _open(session, which, member)
    machine = None if row is None else ground.machines.get(row.machine)
    if row is None or machine is None or row.offered is None or is_over(row, decided.at) is not None:
        return Against(Rule.GONE)
    outcome = book(session, decided, wanted_of(ground, machine, row))
    if isinstance(outcome, Booked):
        close(session, decided, row, Outcome.TAKEN)
    return outcome


def leave(session: Session, decided: Decided, which: int, member: str) -> bool:
    """They wait no more, and want nothing that is offered. Whether they did wait."""
    row = _open(session, which, member)
    if row is None:
        return False
    close(session, decided, row, Outcome.LEFT)
    offer_free(ground_of(session, decided, by_rules=True))
    return True


def offer_due(session: Session, decided: Decided) -> int:
    """What became free without anybody's press, or was not answered in time, is offered. How many were."""
    return offer_free(ground_of(session, decided, by_rules=True))


def tell_once(session: Session, decided: Decided) -> list[Wait]:
    """What is offered now and nobody was written to about; they count as told."""
    found = []
    for one in waits(session, decided.at):
        row = session.get_one(BookingWait, one.id)
        if one.until is not None and row.told is None:
            row.told = moment(decided.at)
            session.add(row)
            found.append(one)
    return found


def _against(ground: Ground, machine: Machine, member: Member, wanted: Wanted) -> Against | None:
    """Nobody waits for what they could not book, nor for more times than they may book at once."""
    most = terms_of(ground.site, machine).open
    if len(waits(ground.session, ground.decided.at, member=member.id)) >= most:
        return Against(Rule.OPEN, most)
    return refused(ground, machine, member, wanted)


def _mine(ground: Ground, wanted: Wanted) -> Wait | None:
    found = waits(ground.session, ground.decided.at, member=wanted.member, machines=wanted.machines)
    return next((one for one in found if one.start < wanted.end and wanted.start < one.end), None)


def _open(session: Session, which: int, member: str) -> BookingWait | None:
    row = session.get(BookingWait, which)
    return row if row is not None and row.member == member and row.ended is None else None
