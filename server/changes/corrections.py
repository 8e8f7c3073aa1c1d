"""How is a forgotten badge written down? As rows of the server's own journal: nothing that an edge wrote is changed.

A correction moves somebody as a tap at that instant would have, and pays nothing: a half-day is charged by a press of
its own (server/changes/carnets.py).
"""

from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from policy.bundle import Role as MemberRole
from policy.instants import of, text
from policy.presence import Move, later
from policy.terms import DAY, ClockState, Direction, Instant
from server.audit import Change, Decided, record
from server.changes.outcomes import Wrong
from server.changes.people import Done
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.ingest.facts import store_moves
from server.models import JournalRow, Member, Presence
from server.publish.rules import SERVER
from server.queries.accounts import Caller
from server.queries.corrections import noted
from server.queries.history import ANSWERED, CONTESTED, CORRECTED, WITHDRAWN
from server.roles import STAFF
from wire.row import Kind

JOURNAL = "corrections"
LATEST: Instant = 31 * DAY
"""How far back the team corrects; a gardien does on this site day alone."""


def correct(session: Session, decided: Decided, member: str, moves: Sequence[Move]) -> None:
    """Write moves that no badge made, and let the presence follow."""
    changes = []
    for seq, move in enumerate(moves, _next(session)):
        session.add(_row(decided, member, CORRECTED, seq, move=move))
        said = {"member": member, "inside": move.inside, "at": text(move.at)}
        changes.append(Change(JournalRow, (SERVER, JOURNAL, seq), "corrected", None, said))
    session.flush()
    store_moves(session, [(member, moment(move.at), move.inside) for move in moves])
    record(session, decided, changes)


def close(session: Session, decided: Decided, gardien: str | None) -> None:
    """The place is closed from a page, as the door's second tap writes it. Nobody is moved, no shift changes."""
    seq = _next(session)
    session.add(_row(decided, gardien, Kind.CLOSED.value, seq))
    record(session, decided, [Change(JournalRow, (SERVER, JOURNAL, seq), "closed", None, {"member": gardien})])


def contest(session: Session, decided: Decided, member: str, which: int) -> Done | Wrong:
    """A member says why a correction of theirs is wrong. which: its row; said again, what was said first stays."""
    found = next((one for one in noted(session, member) if one.noted.seq == which), None)
    if found is None or found.withdrawn:
        raise ChangeRefusedError(Refused.CORRECTION_UNKNOWN)
    if not decided.why:
        return Wrong(("why",))
    if found.contested is None:
        _say(session, decided, member, CONTESTED, which)
    return Done(member)


def answer(session: Session, decided: Decided, member: str, which: int) -> Done | Wrong:
    """The team says what becomes of it. which: the row of what the member said."""
    found = next((one for one in noted(session, member) if one.contested and one.contested.seq == which), None)
    if found is None:
        raise ChangeRefusedError(Refused.CORRECTION_UNKNOWN)
    if not decided.why:
        return Wrong(("why",))
    if found.open:
        _say(session, decided, member, ANSWERED, which)
    return Done(member)


def withdraw(session: Session, by: Caller, decided: Decided, member: str, which: int) -> Done | Wrong:
    """The team takes a correction back: it stays to be read, and moved nobody. which: its row. Done again it changes
    nothing. What it had paid is given back by a press of its own (server/changes/carnets.py)."""
    require_may_correct(session, by, member)
    found = next((one for one in noted(session, member) if one.noted.seq == which), None)
    if found is None or not by.roles & STAFF:
        raise ChangeRefusedError(Refused.CORRECTION_UNKNOWN)
    if not decided.why:
        return Wrong(("why",))
    if found.withdrawn is None:
        ours = (col(JournalRow.edge) == SERVER, col(JournalRow.journal) == JOURNAL)
        for row in session.exec(select(JournalRow).where(*ours, col(JournalRow.seq).in_(found.rows))):
            row.inside = row.moved_at = None
            session.add(row)
        session.flush()
        _settle(session, member)
        _say(session, decided, member, WITHDRAWN, which)
    return Done(member)


def _settle(session: Session, member: str) -> None:
    """The presence as the moves that are left have it; of whoever has none nothing is known."""
    row = JournalRow
    last: Move | None = None
    newest = session.exec(select(func.max(row.moved_at)).where(row.member == member)).one()
    moves = select(row.moved_at, row.inside).where(row.member == member, row.moved_at == newest)
    for at, inside in session.exec(moves):
        if at is not None and inside is not None:
            last = later(last, Move(of(at), inside))
    known = session.get(Presence, member)
    if last is not None:
        session.merge(Presence(member=member, at=moment(last.at), inside=last.inside))
    elif known is not None:
        session.delete(known)


def _say(session: Session, decided: Decided, member: str, kind: str, settles: int) -> None:
    seq = _next(session)
    session.add(_row(decided, member, kind, seq, settles=settles))
    record(session, decided, [Change(JournalRow, (SERVER, JOURNAL, seq), kind, None, {"member": member})])


def _next(session: Session) -> int:
    """The number of the next row."""
    ours = (col(JournalRow.edge) == SERVER, col(JournalRow.journal) == JOURNAL)
    return (session.exec(select(func.max(JournalRow.seq)).where(*ours)).one() or 0) + 1


def _row(
    decided: Decided, member: str | None, kind: str, seq: int, *, move: Move | None = None, settles: int | None = None
) -> JournalRow:
    inside = None if move is None else move.inside
    at = moment(decided.at if move is None else move.at)
    return JournalRow(
        edge=SERVER,
        journal=JOURNAL,
        seq=seq,
        at=at,
        received=moment(decided.at),
        mono_ms=0,
        boot=SERVER,
        clock=ClockState.SYNCED.value,
        kind=kind,
        access_point=None,
        reader=None,
        direction=None if inside is None else (Direction.IN if inside else Direction.OUT).value,
        credential=None,
        member=member,
        granted=None,
        reason=None,
        rules_version=None,
        pending=False,
        settles=settles,
        nonce=None,
        order=None,
        detail=f"{decided.by}: {decided.why}",
        inside=inside,
        moved_at=None if inside is None else at,
        raw=None,
    )


def require_may_correct(session: Session, by: Caller, member: str) -> bool:
    """Whether it is a gardien's presence, which asks for the password once more. Raises ChangeRefusedError for oneself,
    and, for whoever is not of the team, for a gardien's."""
    known, presence = session.get(Member, member), session.get(Presence, member)
    gone = known is None or (known.ended is not None and not (presence is not None and presence.inside))
    if known is None or gone:
        raise ChangeRefusedError(Refused.MEMBER_UNKNOWN)
    if by.member == member:
        raise ChangeRefusedError(Refused.OWN_PRESENCE)
    gardien = MemberRole.GARDIEN in known.roles
    if gardien and not by.roles & STAFF:
        raise ChangeRefusedError(Refused.GARDIENS_PRESENCE)
    return gardien


def has_left(
    session: Session, by: Caller, decided: Decided, member: str, at: Instant, day_start: Instant
) -> Done | Wrong:
    """Somebody who is inside left at an instant after they came."""
    require_may_correct(session, by, member)
    known = session.get(Presence, member)
    came = None if known is None or not known.inside or known.at < moment(day_start) else known.at
    if came is None:
        raise ChangeRefusedError(Refused.NOT_INSIDE)
    wrong = {"at": not came < moment(at) <= moment(decided.at), "why": not decided.why}
    if any(wrong.values()):
        return Wrong(tuple(field for field, is_so in wrong.items() if is_so))
    correct(session, decided, member, [Move(at, inside=False)])
    return Done(member)


def was_there(
    session: Session,
    by: Caller,
    decided: Decided,
    member: str,
    start: Instant,
    end: Instant | None,
    day_start: Instant,
) -> Done | Wrong:
    """Somebody was there from an instant on, until another one, or still is. day_start: of this site day."""
    require_may_correct(session, by, member)
    earliest = decided.at - LATEST if by.roles & STAFF else day_start
    wrong = {
        "start": not earliest <= start <= decided.at,
        "end": (end is not None and not start < end <= decided.at) or (end is None and start < day_start),
        "why": not decided.why,
    }
    if any(wrong.values()):
        return Wrong(tuple(field for field, is_so in wrong.items() if is_so))
    left = [] if end is None else [Move(end, inside=False)]
    correct(session, decided, member, [Move(start, inside=True), *left])
    return Done(member)
