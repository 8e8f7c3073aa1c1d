"""When did it happen, what an edge wrote while its clock was lost? Dated anew once a row of the same boot tells.

A boot's monotonic clock runs on whatever the wall clock says, so one row with a trusted instant dates all the others.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlmodel import Session, col, select

from policy.instants import of
from policy.presence import Move, later
from policy.terms import ClockState, Instant
from server.db import moment
from server.models import JournalRow, Presence
from server.rows import Numbered, clock_offsets
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
    """When a batch says that a clock was set: date the rows that came before it in doubt, and whom they moved."""
    boots = {n.row.boot for n in rows if n.row is not None and n.row.kind is Kind.CLOCK_SET} & offsets.keys()
    if not boots:
        return
    doubtful = session.exec(
        select(JournalRow).where(
            *_recent(edge, journal, rows),
            col(JournalRow.boot).in_(boots),
            JournalRow.clock == ClockState.UNKNOWN,
        )
    ).all()
    for row in doubtful:
        with suppress(ValueError, OverflowError):  # no honest monotonic clock gets there
            row.at = moment(offsets[row.boot] + row.mono_ms)
            row.moved_at = None if row.moved_at is None else min(row.at, row.received)
    session.flush()
    _settle(session, [(row, row.moved_at) for row in doubtful if row.moved_at is not None])


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
