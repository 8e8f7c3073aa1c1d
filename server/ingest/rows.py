"""What does a journal row become in the database? The columns of its record, and what it moved.

A row that cannot be read, or that speaks of a reader which its edge does not own, is kept as it came with the kind
`refused` and the reason why: it counts for nothing, is lost to nobody, and does not hold up the rows behind it. One of
a kind that this version does not know waits as `later` for the version that does (server/ingest/waiting.py).
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import astuple, replace

from policy.errors import brief
from policy.facts import Fact, Moved
from policy.instants import BELIEVED, believed, of
from policy.reasons import Reason
from policy.terms import ClockState, Direction, Instant
from server.database.types import moment
from server.queries.known_edges import KnownEdge
from wire import row as wire_row
from wire.errors import TooLargeError, WireError
from wire.facts import facts_of, says_more
from wire.row import PLACES, Kind, Order, Place, Row, check_instants

REFUSED = "refused"
LATER = "later"
UNREAD = (REFUSED, LATER)
"""What the server calls rows that count for nothing: for good, and for now."""
LARGEST = 2**31
"""No honest counter of rows or rules gets there."""
MILLISECOND = timedelta(milliseconds=1)
JUMP = timedelta(seconds=2)
"""A clock that moves by more against the monotonic one was set (edge/core.py)."""
SHOWN = 40
"""Characters of a kind that is not known."""
RAW_KEPT = wire_row.MAX_BYTES
"""Characters of a refused row that are kept."""
EDGE, DOOR, MACHINE = Place.EDGE, Place.DOOR, Place.MACHINE
TAP, DOOR_OPENED, CHECKED_OUT, UNKNOWN = Kind.TAP, Kind.DOOR_OPENED, Kind.CHECKED_OUT, ClockState.UNKNOWN
IN, OUT = Direction.IN, Direction.OUT
"""An enum takes seven times as long to name a member, and each row asks some ten times."""
NUL = rb"\u0000"
"""As JSON has to write it."""


class Numbered(Struct, frozen=True, gc=False):
    """One row of a batch under its sequence number. row: None when it cannot be read, then fault says why.

    later: it cannot be read yet.
    """

    seq: int
    raw: Raw
    row: Row | None
    fault: str = ""
    later: bool = False


PLAIN: dict[str | None, Any] = {None: None}
"""What the database is given of a term: a driver takes its time over a string that is more than a string."""
PLAIN |= {one: str(one) for terms in (Kind, Reason, ClockState, Direction, Order) for one in terms}


class _Key(Struct):
    seq: int
    kind: str = ""


def number(rows: Sequence[Raw], where: str, body: bytes) -> list[Numbered]:
    """The rows up to the first gap in their numbers; one that cannot be read takes its place's number.

    body: of the message that they came in. Raises WireError when no row carries a number: without a key nothing can be
    stored once.
    """
    read = [_read(raw, where) for raw in rows]
    if NUL in body:
        read = [_without_nul(one, where) for one in read]
    first = next((row.seq - place for place, row in enumerate(read) if row.seq), 0)
    if rows and not 1 <= first <= LARGEST - len(rows):
        raise WireError(f"{where}: no row has a sequence number from 1 on")
    numbered: list[Numbered] = []
    for seq, row in enumerate(read, start=first):
        if row.seq not in (0, seq):
            break
        numbered.append(row if row.seq else replace(row, seq=seq))
    return numbered


def _read(raw: Raw, where: str) -> Numbered:
    try:
        row = wire_row.decode(raw, where)
        return Numbered(row.seq, raw, row)
    except WireError as error:
        key = _key_of(raw)
        if isinstance(error, TooLargeError) or key.kind in ("", *Kind):
            return Numbered(key.seq, raw, None, str(error))
        why = f"{where}: kind {brief(key.kind, SHOWN)!r} is none that this version knows: kept for one that does"
        return Numbered(key.seq, raw, None, why, later=True)


def _without_nul(one: Numbered, where: str) -> Numbered:
    """The row; unread when a NUL character is in it, which not every database keeps."""
    if one.row is None or not any("\0" in value for value in astuple(one.row) if isinstance(value, str)):
        return one
    return replace(one, row=None, fault=f"{where}: a NUL character is in it, which not every database keeps")


def _key_of(raw: Raw) -> _Key:
    """Number and kind of a row that cannot be read otherwise; number 0 when that cannot be read either."""
    try:
        return msgspec.json.decode(raw, type=_Key)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _Key(0)


def clock_offsets(rows: Sequence[Numbered]) -> dict[str, Instant]:
    """Of each boot with a row of a trusted clock: what its monotonic clock (ms) lacks to the instant."""
    offsets: dict[str, Instant] = {}
    for numbered in reversed(rows):  # the newest of each boot counts
        row = numbered.row
        if row is not None and row.boot not in offsets and row.clock is not UNKNOWN:
            with suppress(ValueError):
                offsets[row.boot] = of(believed(row.at)) - row.mono_ms
    return offsets


class Record(Struct, gc=False):
    """One row as journal_row has it, but for its id; see server/models.py:JournalRow. Moments are aware, in UTC.

    Nothing that it holds leads back to it, and thousands live at a time: no need to look through them for cycles.
    """

    edge: str
    journal: str
    seq: int
    received: datetime
    at: datetime
    kind: str
    mono_ms: int = 0
    boot: str = ""
    clock: str | None = PLAIN[ClockState.UNKNOWN]
    access_point: str | None = None
    reader: str | None = None
    direction: str | None = None
    credential: str | None = None
    member: str | None = None
    granted: bool | None = None
    reason: str | None = None
    until: datetime | None = None
    rules_version: int | None = None
    pending: bool = False
    settles: int | None = None
    nonce: str | None = None
    order: str | None = None
    detail: str | None = None
    inside: bool | None = None
    moved_at: datetime | None = None
    said: datetime | None = None
    raw: str | None = None
    facts: tuple[Fact, ...] = ()
    """What else it says but who moved. No column."""


COLUMNS = Record.__struct_fields__[:-1]


def record(
    edge: KnownEdge, journal: str, numbered: Numbered, received: datetime, offsets: Mapping[str, Instant]
) -> Record:
    """What is stored of one row. received: aware. offsets: see clock_offsets."""
    try:
        if numbered.row is None:
            raise ValueError(numbered.fault)
        return _believed(edge, journal, numbered.row, numbered.seq, received, offsets)
    except (ValueError, OverflowError) as error:
        raw = bytes(numbered.raw).decode(errors="backslashreplace")[:RAW_KEPT]
        kind, why = LATER if numbered.later else REFUSED, _kept(str(error))
        return Record(edge.id, journal, numbered.seq, received, received, kind, detail=why, raw=_kept(raw))


def _kept(text: str) -> str:
    """Without what PostgreSQL cannot keep."""
    return text.replace("\0", r"\0")


def _believed(
    edge: KnownEdge, journal: str, row: Row, seq: int, received: datetime, offsets: Mapping[str, Instant]
) -> Record:
    """Raises ValueError or OverflowError for what an honest edge does not write."""
    _check(edge, row)
    said = _said(row, offsets)
    at = bounded(said, received)
    direction = edge.readers[row.reader] if row.reader is not None else None
    inside, more = _inside(row, direction), says_more(row)
    happened = _effective(row, said, received, offsets) if more or inside is not None else at
    return Record(  # by position, in the order of the fields: names would take as long as all the rest
        edge.id,
        journal,
        seq,
        received,
        at,
        PLAIN[row.kind],
        row.mono_ms,
        row.boot,
        PLAIN[row.clock],
        row.access_point,
        row.reader,
        PLAIN[direction],
        row.credential,
        row.member,
        row.granted,
        PLAIN[row.reason],
        None if row.until is None else believed(row.until),
        row.rules_version,
        row.pending,
        row.settles,
        row.nonce,
        PLAIN[row.order],
        row.detail,
        inside,
        None if inside is None else happened,
        None if said == at else said,
        None,
        _other_facts(row, happened) if more else (),
    )


def _check(edge: KnownEdge, row: Row) -> None:
    if row.access_point is not None and row.access_point not in edge.access_points:
        raise ValueError(f"access point {row.access_point!r} is not one of edge {edge.id!r}")
    if row.reader is not None and row.reader not in edge.readers:
        raise ValueError(f"reader {row.reader!r} is not one of edge {edge.id!r}")
    if row.kind is TAP and None in (row.reader, row.credential, row.granted, row.reason):
        raise ValueError("a tap needs reader, credential, granted and reason")
    place = EDGE if row.access_point is None else DOOR if row.access_point in edge.doors else MACHINE
    if place not in PLACES[row.kind]:
        raise ValueError(f"{row.kind} does not happen at {place.value}, {row.access_point!r} of edge {edge.id!r}")
    if place is not DOOR and (row.pays is not None or row.adhoc_until is not None):
        raise ValueError(f"nobody goes in at {row.access_point!r}: it is no door of edge {edge.id!r}")
    if row.mono_ms < 0:
        raise ValueError(f"mono_ms {row.mono_ms} is no monotonic clock")
    check_instants(row)


def _other_facts(row: Row, at: datetime) -> tuple[Fact, ...]:
    """What the row says beside who moved."""
    return tuple(fact for fact in facts_of(row, of(at)) if not isinstance(fact, Moved))


def _said(row: Row, offsets: Mapping[str, Instant]) -> datetime:
    """When its edge says that it was written: by the clock, or where that was lost as a row of its boot tells."""
    if row.clock is UNKNOWN:
        return moment(offsets[row.boot] + row.mono_ms) if row.boot in offsets else _lost(row.at)
    return believed(row.at)


def _lost(written: str) -> datetime:
    """What a lost clock reads, which may be anything."""
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def bounded(said: datetime, received: datetime) -> datetime:
    """When it happened, for all that pages and order go by: not after it came, nor at a time that nobody believes."""
    return said if said <= received and said.year in BELIEVED else received


def _inside(row: Row, direction: Direction | None) -> bool | None:
    """Whether the row lets its member in (true), out (false) or moves nobody (null).

    A granted `in` tap that waits for the door counts when its door_opened row comes.
    """
    if row.kind is DOOR_OPENED and (row.member is not None or row.settles is not None):
        return True
    if row.kind is CHECKED_OUT:
        return None if row.member is None else False
    if row.kind is not TAP or not row.granted or row.member is None:
        return None
    if direction is IN:
        return None if row.pending else True
    return False if direction is OUT else None


def _effective(row: Row, at: datetime, received: datetime, offsets: Mapping[str, Instant]) -> datetime:
    """A clock that runs ahead must not win for ever, and one that is not trusted only where its offset is known.

    One that was set after this row was wrong when it was written: the newest offset of its boot counts.
    """
    offset = offsets.get(row.boot)
    if offset is None:
        return received if row.clock is UNKNOWN else bounded(at, received)
    agrees = abs(at - _zero(offset) - row.mono_ms * MILLISECOND) <= JUMP
    return bounded(at if agrees else moment(offset + row.mono_ms), received)


@lru_cache
def _zero(offset: Instant) -> datetime:
    """When a boot's monotonic clock read 0."""
    return moment(offset)
