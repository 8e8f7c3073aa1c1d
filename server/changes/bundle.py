"""How does a bundle get into the tables and out again? Nothing of it is lost on the way but the case of hex digits.

The caller hands over a bundle that policy/parse.py has read.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct
from sqlmodel import Session, SQLModel, delete, func, select

from policy import bundle as parts
from policy.bundle import Bundle, Part
from server import models
from server.errors import ImportRefusedError
from server.publish.bundle import COLLECTIONS, Collection


def replace(session: Session, bundle: Bundle) -> None:
    """Make the site what the bundle says; journal, presence and edges stay."""
    for collection in reversed(COLLECTIONS):
        session.exec(delete(collection.table))
    session.exec(delete(models.Site))
    session.flush()
    session.add(models.Site(**_columns(bundle.site, models.Site)))
    for collection in COLLECTIONS:
        for position, part in enumerate(getattr(bundle, collection.name)):
            session.add(collection.table(position=position, **_columns(part, collection.table)))
        session.flush()


def change(session: Session, before: Bundle, after: Bundle) -> None:
    """Make of a site that is what `before` says what `after` says, touching only what differs.

    Readers may change places among themselves: that is done as a whole.
    """
    if before.site.id != after.site.id or _readers(before) != _readers(after):
        replace(session, after)
        return
    if before.site != after.site:
        set_site(session, after.site)
    for collection in COLLECTIONS:
        known = {_key_of(collection, part): part for part in getattr(before, collection.name)}
        put(session, [part for part in getattr(after, collection.name) if known.get(_key_of(collection, part)) != part])
    for collection in reversed(COLLECTIONS):
        left = {_key_of(collection, part) for part in getattr(after, collection.name)}
        gone = [key for part in getattr(before, collection.name) if (key := _key_of(collection, part)) not in left]
        drop(session, collection.name, gone)


def _readers(bundle: Bundle) -> dict[str, tuple[str | None, ...]]:
    doors = {point.id: (point.readers.in_, point.readers.out) for point in bundle.access_points}
    return doors | {machine.id: (machine.reader,) for machine in bundle.machines}


def put(session: Session, changed: Sequence[Part]) -> None:
    """Insert each part, or replace the one with its key, which keeps its place."""
    for part in changed:
        collection = next(c for c in COLLECTIONS if c.part is type(part))
        columns = _columns(part, collection.table)
        known: Any = session.get(collection.table, tuple(columns[name] for name in collection.key))
        position = known.position if known is not None else _next_position(session, collection.table)
        session.merge(collection.table(position=position, **columns))
        session.flush()


def drop(session: Session, name: str, keys: Sequence[tuple[Any, ...]]) -> None:
    """Delete the parts with these keys from a collection. Raises ImportRefusedError for one that is not there."""
    collection = next(c for c in COLLECTIONS if c.name == name)
    for key in keys:
        known = session.get(collection.table, _key(collection, key))
        if known is None:
            raise ImportRefusedError(f"{name}: no {'/'.join(map(str, key))} to remove")
        session.delete(known)
    session.flush()


def _key(collection: Collection, key: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(part.upper() for part in key) if collection.table is models.Credential else key


def _key_of(collection: Collection, part: Part) -> tuple[Any, ...]:
    return _key(collection, tuple(getattr(part, name) for name in collection.key))


def set_site(session: Session, site: parts.Site) -> None:
    """Replace what the site says of itself."""
    session.merge(models.Site(**_columns(site, models.Site)))
    session.flush()


def _next_position(session: Session, table: Any) -> int:
    return int(session.exec(select(func.coalesce(func.max(table.position) + 1, 0))).one())


def _columns(part: Part, table: type[SQLModel]) -> dict[str, Any]:
    """What the table keeps of the part; what it does not keep is at its default, or was refused."""
    values = {name: _plain(value) for name, value in msgspec.structs.asdict(part).items()}
    if isinstance(part, parts.AccessPoint):
        values |= {"reader_in": part.readers.in_, "reader_out": part.readers.out}
    if isinstance(part, parts.RotaChange):
        values["gap"] = part.gardien is None
    if isinstance(part, parts.Credential):
        values["uid"] = part.uid.upper()
    return {name: value for name, value in values.items() if name in table.model_fields}


def _plain(value: Any) -> Any:
    """Lists and objects as JSON columns hold them; dates stay dates."""
    if value is UNSET:
        return None
    if isinstance(value, tuple):
        return list(msgspec.to_builtins(value))
    return msgspec.to_builtins(value) if isinstance(value, dict | Struct) else value
