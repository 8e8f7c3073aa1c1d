"""What do the rows say of shifts that were held? Who came and went and when the server heard it, and ad hoc shifts."""

from collections.abc import Collection

from sqlmodel import Session, col, select

from policy.instants import of
from policy.presence import Move
from policy.recount import Heard, Opens
from policy.terms import DAY, Instant
from server.database.types import moment
from server.models import AdhocShift, JournalRow


def opens(session: Session, since: Instant) -> list[Opens]:
    """The shifts that gardiens made by two taps, of those that end after the instant."""
    row = AdhocShift
    asked = select(row.heard, row.gardien, row.start, row.end).where(col(row.end) > moment(since))
    return [Opens(of(heard), gardien, of(start), of(end)) for heard, gardien, start, end in session.exec(asked)]


def moves(session: Session, since: Instant, members: Collection[str]) -> list[Heard]:
    """Who of these moved since a day before the instant, corrections of the desk among it."""
    row = JournalRow
    asked = select(row.received, row.member, row.moved_at, row.inside).where(
        col(row.moved_at) >= moment(since - DAY), col(row.inside).is_not(None), col(row.member).in_(members)
    )
    return [
        Heard(of(received), member, Move(of(at), inside))
        for received, member, at, inside in session.exec(asked)
        if member is not None and at is not None and inside is not None
    ]
