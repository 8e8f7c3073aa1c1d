"""What becomes of what a revoked edge told? Its running sessions end, and all since its revocation leaves the state.

Who came and left, and what was paid, stays as far as the server heard it before: by its own clock, for an edge may say
of anything that it was long ago. The rows stay in the history.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import Mapped
from sqlmodel import Session, and_, col, delete, not_, or_, select, update

from policy.terms import Instant
from server.database.types import moment
from server.ingest.facts import store_moves
from server.models import (
    AdhocShift,
    DoorState,
    JournalRow,
    MachineBusy,
    MachineSession,
    MachineStop,
    PaidUnit,
    Presence,
)
from wire.row import Kind

CONTACTS = (Kind.DOOR_OPENED, Kind.DOOR_CLOSED, Kind.DOOR_FORCED, Kind.DOOR_HELD)
Told = type[PaidUnit] | type[AdhocShift] | type[MachineBusy] | type[MachineSession] | type[MachineStop]
TOLD: tuple[Told, ...] = (PaidUnit, AdhocShift, MachineBusy, MachineSession, MachineStop)


def forget(session: Session, edge: str, since: Instant) -> None:
    """Take out of the state what an edge told since the instant; done again, it changes nothing more."""
    for table in TOLD:
        session.exec(delete(table).where(col(table.edge) == edge, col(table.heard) >= moment(since)))
    use = MachineSession
    runs = or_(col(use.cuts).is_(False), col(use.until).is_(None), col(use.until) > moment(since))
    session.exec(delete(use).where(col(use.edge) == edge, col(use.ended).is_(None), runs))
    _forget_moves(session, edge, since)
    _forget_doors(session, edge, since)


def _forget_moves(session: Session, edge: str, since: Instant) -> None:
    """Whom it moved is where the moves that are left say; who has none was never there."""
    row = JournalRow
    moved = col(row.moved_at).is_not(None)
    gone = and_(col(row.edge) == edge, col(row.received) >= moment(since), moved)
    whom = select(row.member).where(gone)
    left = session.exec(
        select(row.member, row.moved_at, row.inside).where(moved, col(row.member).in_(whom), not_(gone))
    )
    moves = [(who, at, inside) for who, at, inside in left if who is not None and at is not None and inside is not None]
    session.exec(delete(Presence).where(col(Presence.member).in_(whom)))
    session.exec(update(row).where(gone).values(inside=None, moved_at=None))
    store_moves(session, moves)


def _forget_doors(session: Session, edge: str, since: Instant) -> None:
    """What its doors stand as by its word alone: its fire alarm is none."""
    row, door = JournalRow, DoorState

    def told(at: Mapped[datetime | None], *kinds: Kind) -> ColumnElement[bool]:
        here = (col(row.edge) == edge, col(row.access_point) == col(door.access_point), col(row.kind).in_(kinds))
        return exists().where(
            *here, col(row.received) >= moment(since), or_(col(row.at) == at, col(row.received) == at)
        )

    for clear, was in (
        ({"fire": False, "fire_at": None}, told(col(door.fire_at), Kind.FIRE, Kind.FIRE_ENDED)),
        ({"forced_at": None}, told(col(door.forced_at), Kind.DOOR_FORCED)),
        ({"kind": None, "at": None}, told(col(door.at), *CONTACTS)),
    ):
        session.exec(update(door).where(was).values(clear))
