"""What did contact and fire panel of a door say last? Taken from the rows as they are stored, for the pages."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import Table, bindparam
from sqlmodel import Session

from server.bulk import upsert
from server.models import DoorState
from server.rows import UNKNOWN, Record
from wire.row import Kind

CONTACT, FORCED, FIRE = "contact", "forced", "fire"
SAYS: dict[str, tuple[str, ...]] = {
    Kind.DOOR_OPENED: (CONTACT,),
    Kind.DOOR_CLOSED: (CONTACT,),
    Kind.DOOR_FORCED: (CONTACT, FORCED),
    Kind.DOOR_HELD: (CONTACT,),
    Kind.FIRE: (FIRE,),
    Kind.FIRE_ENDED: (FIRE,),
}
"""What a kind of row tells something of."""
UNHEARD: dict[str, Any] = {"kind": None, "at": None, "forced_at": None, "fire": False, "fire_at": None}
"""Of a door that never said anything."""

_door_state: Table = DoorState.__table__  # type: ignore[attr-defined]
_THERE = sqlalchemy.select(_door_state).where(_door_state.c.access_point.in_(bindparam("places", expanding=True)))


def note_doors(session: Session, records: Sequence[Record]) -> None:
    """Remember what each door said last, and when it was last forced."""
    last: dict[tuple[str, str], tuple[datetime, int, Record]] = {}
    for r in records:
        if r.kind in SAYS and r.access_point is not None:
            known_as, said = (r.access_point, r.kind), (_when(r), r.seq, r)
            if known_as not in last or said[:2] > last[known_as][:2]:
                last[known_as] = said
    newest: defaultdict[str, dict[str, Record]] = defaultdict(dict)
    for (place, kind), (_, _, r) in sorted(last.items(), key=lambda item: item[1][:2]):
        newest[place] |= dict.fromkeys(SAYS[kind], r)
    if not newest:
        return
    connection, known = session.connection(), dict.fromkeys(newest, UNHEARD)
    for row in connection.execute(_THERE, {"places": list(newest)}).mappings():
        known[row["access_point"]] = dict(row)
    now_known = [{"access_point": place} | _heard(known[place], here) for place, here in newest.items()]
    upsert(connection, _door_state, now_known)


def _heard(known: dict[str, Any], newest: dict[str, Record]) -> dict[str, Any]:
    """What is known of one door after these rows."""
    heard = dict(known)
    fire, moved, forced = (newest.get(sort) for sort in (FIRE, CONTACT, FORCED))
    if fire is not None and (known["fire_at"] is None or _when(fire) >= known["fire_at"]):
        heard |= {"fire": fire.kind == Kind.FIRE, "fire_at": _when(fire)}
    if moved is not None and (known["at"] is None or _when(moved) >= known["at"]):
        heard |= {"kind": moved.kind, "at": _when(moved)}
    if forced is not None and (known["forced_at"] is None or _when(forced) > known["forced_at"]):
        heard |= {"forced_at": _when(forced)}
    return heard


def _when(r: Record) -> datetime:
    """When it happened, for all we know: a clock that runs ahead must not win for ever."""
    return r.received if r.clock == UNKNOWN or r.received < r.at else r.at
