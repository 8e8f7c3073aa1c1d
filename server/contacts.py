"""What did contact and fire panel of a door say last? Taken from the rows as they are stored, for the pages."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy
from sqlalchemy import Table, bindparam
from sqlmodel import Session

from server.bulk import upsert
from server.models import DoorState
from server.rows import Record
from wire.row import Kind

DOOR_KINDS = (Kind.DOOR_OPENED, Kind.DOOR_CLOSED, Kind.DOOR_FORCED, Kind.DOOR_HELD)
FIRE_KINDS = (Kind.FIRE, Kind.FIRE_ENDED)
DOOR_AND_FIRE = frozenset(DOOR_KINDS + FIRE_KINDS)
UNHEARD: dict[str, Any] = {"kind": None, "at": None, "forced_at": None, "fire": False, "fire_at": None}
"""Of a door that never said anything."""

_door_state: Table = DoorState.__table__  # type: ignore[attr-defined]
_THERE = sqlalchemy.select(_door_state).where(_door_state.c.access_point.in_(bindparam("places", expanding=True)))


def note_doors(session: Session, records: Sequence[Record]) -> None:
    """Remember what each door said last, and when it was last forced."""
    said: defaultdict[str, list[Record]] = defaultdict(list)
    for r in records:
        if r.kind in DOOR_AND_FIRE and r.access_point is not None:
            said[r.access_point].append(r)
    if not said:
        return
    connection, known = session.connection(), dict.fromkeys(said, UNHEARD)
    for row in connection.execute(_THERE, {"places": list(said)}).mappings():
        known[row["access_point"]] = dict(row)
    now_known = [{"access_point": place} | _heard(known[place], here) for place, here in said.items()]
    upsert(connection, _door_state, now_known)


def _heard(known: dict[str, Any], said: list[Record]) -> dict[str, Any]:
    """What is known of one door after these rows; the newest of each sort counts."""
    heard = dict(known)
    fire = _newest(said, FIRE_KINDS)
    if fire is not None and (known["fire_at"] is None or fire.at >= known["fire_at"]):
        heard |= {"fire": fire.kind == Kind.FIRE, "fire_at": fire.at}
    moved = _newest(said, DOOR_KINDS)
    if moved is not None and (known["at"] is None or moved.at >= known["at"]):
        heard |= {"kind": moved.kind, "at": moved.at}
    forced = _newest(said, (Kind.DOOR_FORCED,))
    if forced is not None and (known["forced_at"] is None or forced.at > known["forced_at"]):
        heard |= {"forced_at": forced.at}
    return heard


def _newest(said: list[Record], kinds: tuple[Kind, ...]) -> Record | None:
    return max((r for r in said if r.kind in kinds), key=lambda r: (r.at, r.seq), default=None)
