"""How is a forgotten badge written down? As rows of the server's own journal: nothing that an edge wrote is changed.

A correction moves somebody as a tap at that instant would have, and pays nothing: a half-day is charged by a press of
its own (server/changes/carnets.py).
"""

from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from policy.bundle import Role as MemberRole
from policy.instants import text
from policy.presence import Move
from policy.terms import DAY, ClockState, Direction, Instant
from server.audit import Change, Decided, record
from server.changes.people import Done, Wrong
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.ingest.facts import store_moves
from server.models import JournalRow, Member, Presence
from server.publish.rules import SERVER
from server.queries.accounts import Caller
from server.queries.history import CORRECTED
from server.roles import STAFF

JOURNAL = "corrections"
LATEST: Instant = 31 * DAY
"""How far back the team corrects; a gardien does on this site day alone."""


def correct(session: Session, decided: Decided, member: str, moves: Sequence[Move]) -> None:
    """Write moves that no badge made, and let the presence follow."""
    last = session.exec(
        select(func.max(JournalRow.seq)).where(col(JournalRow.edge) == SERVER, col(JournalRow.journal) == JOURNAL)
    ).one()
    changes = []
    for seq, move in enumerate(moves, (last or 0) + 1):
        session.add(_row(decided, member, move, seq))
        said = {"member": member, "inside": move.inside, "at": text(move.at)}
        changes.append(Change(JournalRow, (SERVER, JOURNAL, seq), "corrected", None, said))
    session.flush()
    store_moves(session, [(member, moment(move.at), move.inside) for move in moves])
    record(session, decided, changes)


def _row(decided: Decided, member: str, move: Move, seq: int) -> JournalRow:
    return JournalRow(
        edge=SERVER,
        journal=JOURNAL,
        seq=seq,
        at=moment(move.at),
        received=moment(decided.at),
        mono_ms=0,
        boot=SERVER,
        clock=ClockState.SYNCED.value,
        kind=CORRECTED,
        access_point=None,
        reader=None,
        direction=(Direction.IN if move.inside else Direction.OUT).value,
        credential=None,
        member=member,
        granted=None,
        reason=None,
        rules_version=None,
        pending=False,
        settles=None,
        nonce=None,
        order=None,
        detail=f"{decided.by}: {decided.why}",
        inside=move.inside,
        moved_at=moment(move.at),
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
