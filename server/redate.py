"""When did it happen, what an edge wrote by a clock that was lost, or wrong? Dated anew once a row of its boot tells.

A boot's monotonic clock runs on whatever the wall clock says, so one row with a trusted instant dates all the others.
The newest one counts: a clock is set because it was wrong. What a trusted clock said stays as the row's instant; whom
the row moved is dated anew, so that somebody who left after they came is out.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlmodel import Session, col, or_, select

from policy.instants import of
from policy.presence import Move, later
from policy.terms import ClockState, Instant
from server.db import moment
from server.models import JournalRow, Presence
from server.rows import JUMP, Numbered, clock_offsets
from wire.row import Kind

WINDOW = 10_000
"""Rows of a journal that are looked through: a door writes so many in weeks."""


def offsets_of(session: Session, edge: str, journal: str, rows: Sequence[Numbered]) -> dict[str, Instant]:
    """Of each boot in a batch what its monotonic clock (ms) lacks to the instant, from the batch or from before it."""
    offsets = clock_offsets(rows)
    doubtful = {n.row.boot for n in rows if n.row is not None and n.row.clock is ClockState.UNKNOWN}
    for boot in doubtful - offsets.keys():
        known = session.exec(
            select(JournalRow)
            .where(*_recent(edge, journal, rows), JournalRow.boot == boot, JournalRow.clock != ClockState.UNKNOWN)
            .order_by(col(JournalRow.seq).desc())
        ).first()
        if known is not None:
            offsets[boot] = of(known.at) - known.mono_ms
    return offsets


def date_anew(session: Session, edge: str, journal: str, rows: Sequence[Numbered], offsets: dict[str, Instant]) -> None:
    """When a batch says that a clock was set: date the rows before it that are in doubt, and whom all of them moved."""
    boots = {n.row.boot for n in rows if n.row is not None and n.row.kind is Kind.CLOCK_SET} & offsets.keys()
    if not boots:
        return
    doubtful = or_(JournalRow.clock == ClockState.UNKNOWN, col(JournalRow.moved_at).is_not(None))
    found = session.exec(
        select(JournalRow).where(*_recent(edge, journal, rows), col(JournalRow.boot).in_(boots), doubtful)
    ).all()
    moved = [row for row in found if _dated_anew(row, offsets[row.boot])]
    session.flush()
    _settle(session, [(row, row.moved_at) for row in moved if row.moved_at is not None])


def _dated_anew(row: JournalRow, offset: Instant) -> bool:
    """Whether whom it moved has another instant now."""
    before = row.moved_at
    with suppress(ValueError, OverflowError):  # no honest monotonic clock gets there
        true = moment(offset + row.mono_ms)
        if row.clock == ClockState.UNKNOWN:
            row.at = true
        if before is not None:
            row.moved_at = min(row.received, row.at if abs(true - row.at) <= JUMP else true)
    return row.moved_at != before


def _recent(edge: str, journal: str, rows: Sequence[Numbered]) -> tuple[bool, ...]:
    """The rows of a journal that came not long before a batch."""
    first = rows[0].seq
    here = (JournalRow.edge == edge, JournalRow.journal == journal)
    return (*here, JournalRow.seq < first, JournalRow.seq >= first - WINDOW)


def _settle(session: Session, moved: Sequence[tuple[JournalRow, datetime]]) -> None:
    """Derive the presence of these members afresh from their moves; nothing before the first of them can be last."""
    members = {str(row.member) for row, _ in moved}
    if not members:
        return
    earliest = min(at for _, at in moved)
    last: dict[str, Move] = {}
    for row in session.exec(
        select(JournalRow).where(col(JournalRow.member).in_(members), col(JournalRow.moved_at) >= earliest)
    ):
        if row.moved_at is not None and row.inside is not None:
            move = Move(of(row.moved_at), row.inside)
            last[str(row.member)] = later(last.get(str(row.member)), move)
    for member, move in last.items():
        session.merge(Presence(member=member, at=moment(move.at), inside=move.inside))
