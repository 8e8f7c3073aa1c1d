"""How does a bundle get into the tables and out again? Nothing of it is lost on the way but the case of hex digits.

The caller hands over a bundle that policy/parse.py has read.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

import msgspec
import sqlalchemy
from msgspec import UNSET, Struct
from sqlmodel import Session, SQLModel, delete, func, select

from policy import bundle as parts
from policy.bundle import Bundle, Part
from server import models
from server.errors import ImportRefusedError

PartType = TypeVar("PartType", bound=Part)


class Collection(NamedTuple):
    """One list of a bundle and its table. key: the column that says which one is meant."""

    name: str
    part: type[Part]
    table: type[SQLModel]
    key: tuple[str, ...] = ("id",)


COLLECTIONS = (
    Collection("access_points", parts.AccessPoint, models.AccessPoint),
    Collection("tiers", parts.Tier, models.Tier),
    Collection("members", parts.Member, models.Member),
    Collection("credentials", parts.Credential, models.Credential, key=("uid",)),
    Collection("passes", parts.Pass, models.Pass),
    Collection("shifts", parts.Shift, models.Shift),
    Collection("events", parts.Event, models.Event),
    Collection("invitations", parts.Invitation, models.Invitation),
    Collection("machines", parts.Machine, models.Machine),
    Collection("certifications", parts.Certification, models.Certification, key=("member", "kind")),
    Collection("quotas", parts.Quota, models.Quota, key=("kind",)),
    Collection("bookings", parts.Booking, models.Booking),
    Collection("kinds", parts.Kind, models.MachineKind),
    Collection("rota", parts.Pattern, models.RotaPattern),
    Collection("rota_changes", parts.RotaChange, models.RotaChange, key=("rota", "date")),
    Collection("credits", parts.Credit, models.Credit),
)
"""In the order in which one may refer to another."""


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


def site_of(session: Session) -> models.Site | None:
    """The site, None before the first bundle."""
    return session.exec(select(models.Site)).first()


def export(session: Session) -> Bundle | None:
    """The bundle that `replace` would read back; None before the first one."""
    return Exporter()(session)


class Exporter:
    """`export` for who asks after each change: a table that holds what it held is compared, and not made anew.

    For one thread at a time.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[Sequence[Any], tuple[Part, ...]]] = {}

    def __call__(self, session: Session) -> Bundle | None:
        site = site_of(session)
        if site is None:
            return None
        lists: dict[str, Any] = {collection.name: self._list(session, collection) for collection in COLLECTIONS}
        return Bundle(format="loquet.bundle/1", site=_part(site.model_dump(), parts.Site), **lists)

    def _list(self, session: Session, collection: Collection) -> tuple[Part, ...]:
        asked = f"SELECT * FROM {collection.table.__tablename__} ORDER BY position"  # noqa: S608 - our own names
        raw = [tuple(row) for row in session.connection().exec_driver_sql(asked)]  # compared faster than SQLAlchemy's
        held, made = self._known.get(collection.name, (None, ()))
        if raw != held:
            made = tuple(_part(row, collection.part) for row in _rows(session, collection.table))
            self._known[collection.name] = raw, made
        return made


def _rows(session: Session, table: Any) -> Iterator[dict[str, Any]]:
    """In the bundle's order, without objects."""
    columns = table.__table__.c
    asked = sqlalchemy.select(*columns).order_by(columns.position)
    return (dict(zip(columns.keys(), row, strict=True)) for row in session.connection().execute(asked))


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


def _part(values: dict[str, Any], kind: type[PartType]) -> PartType:
    """values: by column; what is null is left out."""
    if kind is parts.AccessPoint:
        values["readers"] = {"in": values["reader_in"], "out": values["reader_out"]}
    said = {said: value for name, said in _names(kind) if (value := values.get(name)) is not None}
    if values.get("gap"):
        said["gardien"] = None
    return msgspec.convert(said, kind)


@cache
def _names(kind: type[Part]) -> tuple[tuple[str, str], ...]:
    """Each field's name, and what a bundle calls it."""
    return tuple((field.name, field.encode_name) for field in msgspec.structs.fields(kind))
