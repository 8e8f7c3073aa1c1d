"""When did it happen, what an edge wrote by a clock that was lost, or wrong? Corrects timestamps once that is known.

A boot's monotonic clock runs on whatever the wall clock says, so one row with a trusted instant dates all the others.
A clock that says it is synced may lie: a row that came in the moment of which it speaks was right, and the newest such
counts. Without one it is the newest of all: a clock is set because it was wrong. What a trusted clock said stays as the
row's instant; the move of whom it moved is corrected, so that somebody who left after they came is out.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from sqlmodel import Session, col, func, or_, select

from policy.instants import believed, of
from policy.presence import Move, later
from policy.terms import SECOND, ClockState, Instant
from server.database.types import UtcDateTime, moment
from server.ingest.rows import JUMP, UNKNOWN, Numbered, bounded, clock_offsets
from server.models import JournalRow, Presence
from wire.row import Kind, Row

CLOCK_KINDS = (Kind.STARTED, Kind.CLOCK_SET)
WINDOW = 10_000
"""Rows of a journal that are looked through: a door writes so many in weeks."""
ASKED = 1000
"""Of them the newest of a boot are asked what time it was: one that came at once is most often among the last."""
LIVE: Instant = 2 * SECOND
"""A row that came within so long of its own instant was written by a clock that was right."""


def clocks_in(rows: Sequence[Numbered]) -> list[Row]:
    """Those rows of a batch that make a clock a matter of doubt, or tell of one: of most batches none."""
    read = (n.row for n in rows if n.row is not None)
    return [row for row in read if row.clock is UNKNOWN or row.kind in CLOCK_KINDS]


def offsets_of(
    session: Session, edge: str, journal: str, rows: Sequence[Numbered], clocks: Sequence[Row], received: datetime
) -> dict[str, Instant]:
    """Of each boot in a batch what its monotonic clock (ms) lacks to the instant, from the batch or from before it.

    clocks: see clocks_in. received: when the batch came, aware.
    """
    offsets = clock_offsets(rows)
    for boot in {row.boot for row in clocks if row.clock is UNKNOWN or row.kind is Kind.CLOCK_SET}:
        stored = _stored(session, _recent(edge, journal, rows), boot)
        best = _best(chain(_in_batch(rows, boot, received), stored))
        if best is not None:
            offsets[boot] = best
    return offsets


class _Said(NamedTuple):
    """What a row of a trusted clock says. offset: as above. live: it came in the moment of which it speaks."""

    offset: Instant
    live: bool


def _best(newest_first: Iterable[_Said]) -> Instant | None:
    newest = None
    for said in newest_first:
        if said.live:
            return said.offset
        newest = said.offset if newest is None else newest
    return newest


def _in_batch(rows: Sequence[Numbered], boot: str, received: datetime) -> Iterator[_Said]:
    now = of(received)
    for row in (numbered.row for numbered in reversed(rows)):
        if row is not None and row.boot == boot and row.clock is not UNKNOWN:
            with suppress(ValueError):
                at = of(believed(row.at))
                yield _Said(at - row.mono_ms, abs(now - at) <= LIVE)


def _stored(session: Session, recent: tuple[bool, ...], boot: str) -> Iterator[_Said]:
    said = func.coalesce(JournalRow.said, JournalRow.at, type_=UtcDateTime())
    for at, received, mono_ms in session.exec(
        select(said, JournalRow.received, JournalRow.mono_ms)
        .where(*recent, JournalRow.boot == boot, JournalRow.clock != ClockState.UNKNOWN)
        .order_by(col(JournalRow.seq).desc())
        .limit(ASKED)
    ):
        yield _Said(of(at) - mono_ms, abs(of(received) - of(at)) <= LIVE)


def correct_timestamps(
    session: Session,
    edge: str,
    journal: str,
    rows: Sequence[Numbered],
    clocks: Sequence[Row],
    offsets: dict[str, Instant],
) -> None:
    """When a batch says that a clock was set: date the rows before it that are in doubt, and whom all of them moved."""
    boots = {row.boot for row in clocks if row.kind is Kind.CLOCK_SET} & offsets.keys()
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
            row.at, row.said = bounded(true, row.received), true
        said = row.said or row.at
        if before is not None:
            row.moved_at = bounded(said if abs(true - said) <= JUMP else true, row.received)
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
