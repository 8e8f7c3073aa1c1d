"""What did contact and fire panel of a door say last? Taken from the rows as they are stored, for the pages."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import Table, bindparam
from sqlmodel import Session

from server.ingest.bulk import upsert
from server.ingest.rows import UNKNOWN, Record
from server.models import DoorState
from wire.row import Kind

CONTACT, FORCED, FIRE = "contact", "forced", "fire"
SAYS: dict[str, tuple[str, ...]] = {
    Kind.DOOR_OPENED: (CONTACT,),
    Kind.DOOR_CLOSED: (CONTACT,),
    Kind.DOOR_FORCED: (CONTACT, FORCED),
    Kind.DOOR_HELD: (CONTACT,),
    Kind.FIRE: (FIRE,),
    Kind.FIRE_ENDED: (FIRE,),
    Kind.STARTED: (CONTACT, FIRE),
}
"""What a kind of row tells something of. An edge that starts tells of each of its doors that is open, or where the fire
alarm is on; of others nothing, whatever was told of them before."""
UNHEARD: dict[str, Any] = {"kind": None, "at": None, "forced_at": None, "fire": False, "fire_at": None}
"""Of a door that never said anything."""

_door_state: Table = DoorState.__table__  # type: ignore[attr-defined]
_THERE = sqlalchemy.select(_door_state).where(_door_state.c.access_point.in_(bindparam("places", expanding=True)))


def note_doors(session: Session, records: Sequence[Record], doors: Mapping[str, Collection[str]]) -> None:
    """Remember what each door said last, and when it was last forced. doors: of each edge."""
    last: dict[tuple[str, str], tuple[datetime, int, Record]] = {}
    for r in records:
        for place in _told_of(r, doors):
            known_as, said = (place, r.kind), (_when(r), r.seq, r)
            if known_as not in last or said[:2] > last[known_as][:2]:
                last[known_as] = said
    told = sorted(last.items(), key=lambda item: item[1][:2])
    if not told:
        return
    connection, known = session.connection(), {place: UNHEARD for (place, _), _ in told}
    for row in connection.execute(_THERE, {"places": list(known)}).mappings():
        known[row["access_point"]] = dict(row)
    for (place, kind), (_, _, r) in told:
        known[place] = _heard(known[place], dict.fromkeys(SAYS[kind], r))
    now_known = [{"access_point": place} | heard for place, heard in known.items()]
    upsert(connection, _door_state, now_known)


def _told_of(r: Record, doors: Mapping[str, Collection[str]]) -> Collection[str]:
    """The doors of which a row tells something."""
    if r.kind == Kind.STARTED:
        return doors.get(r.edge, ())
    return (r.access_point,) if r.kind in SAYS and r.access_point is not None else ()


def _heard(known: dict[str, Any], newest: dict[str, Record]) -> dict[str, Any]:
    """What is known of one door after this row."""
    heard = dict(known)
    fire, moved, forced = (newest.get(sort) for sort in (FIRE, CONTACT, FORCED))
    if fire is not None and (known["fire_at"] is None or _when(fire) >= known["fire_at"]):
        heard["fire"] = fire.kind == Kind.FIRE
        if fire.kind != Kind.STARTED:
            heard["fire_at"] = _when(fire)
    if moved is not None and (known["at"] is None or _when(moved) >= known["at"]):
        if moved.kind != Kind.STARTED:
            heard |= {"kind": moved.kind, "at": _when(moved)}
        elif known["kind"] != Kind.DOOR_CLOSED:
            heard["kind"] = None
    if forced is not None and (known["forced_at"] is None or _when(forced) > known["forced_at"]):
        heard |= {"forced_at": _when(forced)}
    return heard


def _when(r: Record) -> datetime:
    """When it happened, for all we know: a clock that runs ahead must not win for ever."""
    return r.received if r.clock == UNKNOWN or r.received < r.at else r.at
